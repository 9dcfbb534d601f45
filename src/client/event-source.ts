// Reads server-sent events from bytes, however they are cut. Invariant: what it gives depends on the bytes alone, never on
// where they were split.
// @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
/** One event of a stream. */
export interface ServerSentEvent {
  /** The id to come back with; the last one that was named, empty when there was none. */
  readonly id: string
  readonly data: string
}

/** Takes text piece by piece. */
export interface EventReader {
  /** Gives the events that the text completes. */
  readonly push: (text: string) => readonly ServerSentEvent[]
  /** How long the server asks to wait before coming back, milliseconds. */
  readonly retryMs: () => number | undefined
}

/** Makes a reader for one stream. */
export const eventReader = (): EventReader => {
  let rest = ''
  let first = true
  let id = ''
  let data: string | undefined
  let retry: number | undefined
  const field = (line: string): void => {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'data') data = data === undefined ? value : `${data}\n${value}`
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'retry' && /^\d+$/.test(value)) retry = Number(value)
  }
  return {
    retryMs: () => retry,
    push: (text) => {
      rest += text
      if (first && rest !== '') {
        rest = rest.replace(/^\uFEFF/, '')
        first = false
      }
      const events: ServerSentEvent[] = []
      for (;;) {
        const [end] = /\r\n|\n|\r/.exec(rest) ?? []
        // A carriage return at the end may be half of a line end.
        if (end === undefined || (end === '\r' && rest.endsWith('\r') && rest.indexOf('\r') === rest.length - 1)) return events
        const at = rest.indexOf(end)
        const line = rest.slice(0, at)
        rest = rest.slice(at + end.length)
        if (line !== '') field(line)
        else if (data !== undefined) {
          events.push({ id, data })
          data = undefined
        }
      }
    },
  }
}
