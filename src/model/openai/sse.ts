// Server-sent events, decoded incrementally. Invariant: the events do not depend on where the text was split, and an
// event that was not closed by its empty line does not exist, so a cut stream never yields a half event.
// @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation

/** One event; comments and keep-alives are not events. */
export interface SseEvent {
  /** The `event:` field, empty when absent. */
  readonly type: string
  readonly data: string
}

/** Decodes text as it arrives. */
export interface SseDecoder {
  /** Takes the next piece and returns the events it completed. */
  push(text: string): readonly SseEvent[]
}

/** Makes a decoder for one stream. */
export const sseDecoder = (): SseDecoder => {
  // The unfinished line in pieces: joining them once keeps a long line linear.
  let pieces: string[] = []
  let type = ''
  let data: string[] = []
  let afterReturn = false

  const endLine = (line: string, events: SseEvent[]): void => {
    if (line === '') {
      if (data.length > 0) events.push({ type, data: data.join('\n') })
      type = ''
      data = []
      return
    }
    const colon = line.indexOf(':')
    const field = colon === -1 ? line : line.slice(0, colon)
    const rest = colon === -1 ? '' : line.slice(colon + 1)
    const value = rest.startsWith(' ') ? rest.slice(1) : rest
    if (field === 'data') data.push(value)
    else if (field === 'event') type = value
  }

  return {
    push(text) {
      const events: SseEvent[] = []
      // The second half of a line end "\r\n" that was split between two pieces.
      let from = afterReturn && text.startsWith('\n') ? 1 : 0
      if (text.length > 0) afterReturn = text.endsWith('\r')
      const lineEnd = /\r\n|\n|\r/g
      lineEnd.lastIndex = from
      for (let found = lineEnd.exec(text); found !== null; found = lineEnd.exec(text)) {
        const line = pieces.length === 0 ? text.slice(from, found.index) : pieces.join('') + text.slice(from, found.index)
        pieces = []
        from = found.index + found[0].length
        endLine(line, events)
      }
      if (from < text.length) pieces.push(text.slice(from))
      return events
    },
  }
}
