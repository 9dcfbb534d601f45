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

/** Longest line that is waited for, characters. */
const LONGEST_LINE = 32_000_000

/** Makes a reader for one stream. @returns throws RangeError for a line without an end. */
export const eventReader = (): EventReader => {
  /** Pieces of a line whose end has not come yet. */
  let begun: string[] = []
  let begunLength = 0
  let first = true
  /** The last line ended with a carriage return, so a line feed now belongs to that end. */
  let afterReturn = false
  let id = ''
  let data: string[] = []
  let retry: number | undefined
  const field = (line: string): void => {
    const colon = line.indexOf(':')
    const name = colon < 0 ? line : line.slice(0, colon)
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
    if (name === 'data') data.push(value)
    else if (name === 'id' && !value.includes('\0')) id = value
    else if (name === 'retry' && /^\d+$/.test(value)) retry = Number(value)
  }
  /** The text without what belongs to what came before it. */
  const begin = (text: string): string => {
    if (text === '') return ''
    const rest = (first && text.startsWith('\uFEFF')) || (afterReturn && text.startsWith('\n')) ? text.slice(1) : text
    first = false
    afterReturn = false
    return rest
  }
  return {
    retryMs: () => retry,
    push: (piece) => {
      const text = begin(piece)
      const events: ServerSentEvent[] = []
      let at = 0
      for (const end of text.matchAll(/\r\n|\n|\r/g)) {
        const line = begun.join('') + text.slice(at, end.index)
        at = end.index + end[0].length
        begun = []
        begunLength = 0
        afterReturn = end[0] === '\r' && at === text.length
        if (line !== '') field(line)
        else if (data.length > 0) {
          events.push({ id, data: data.join('\n') })
          data = []
        }
      }
      begun.push(text.slice(at))
      begunLength += text.length - at
      if (begunLength > LONGEST_LINE) throw new RangeError(`A line of the stream is longer than ${LONGEST_LINE} characters.`)
      return events
    },
  }
}
