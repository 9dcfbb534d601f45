// A chat completion that comes as a stream. Invariant: it becomes a reply only after a finish reason for its first choice
// and the `[DONE]` that ends the stream; everything before is worth nothing.
import type { Usage } from '../../cost/index.ts'
import type { FailedAttempt } from '../call-error.ts'
import type { ModelDelta, ModelReply } from '../provider.ts'
import { readMessage, readReason, ShapeProblem, type CallPiece, type ChatPiece } from './chat-message.ts'
import { embeddedError, oneLine, readError } from './error-body.ts'
import { asFields, field, list, name, parseFields, type Fields } from './fields.ts'
import type { Reporter } from './report.ts'
import type { SseEvent } from './sse.ts'
import { readFinish, toReply, type CallPieces } from './turn.ts'
import { readUsage } from './usage.ts'

/** Reads the events of one stream. */
export interface StreamReader {
  /** Takes the next event. @returns the pieces it adds, and whether the stream is complete. @throws ModelCallError */
  take(event: SseEvent): { readonly deltas: readonly ModelDelta[]; readonly done: boolean }
  /** The reply, once the stream has ended. @throws ModelCallError `stream_truncated` when it ended too early. */
  finish(): ModelReply
  /** What was learnt so far, for the failure of a stream that breaks. */
  known(): FailedAttempt
}

/** The calls of a turn as their pieces arrive; pieces belong together by index. */
class CallTable {
  readonly calls: CallPieces[] = []
  readonly #byIndex = new Map<number, number>()

  /** Adds a piece and tells at which place its call stands. */
  add(piece: CallPiece): number {
    const place = this.#place(piece)
    const call = (this.calls[place] ??= { id: '', name: '', args: '' })
    call.id ||= piece.id
    call.name ||= piece.name
    call.args += piece.args
    return place
  }

  #place({ index, id, name }: CallPiece): number {
    const fresh = this.calls.length
    if (index === undefined) {
      // Unnumbered: an id begins a call, a piece without one goes on with the last.
      const known = this.calls.findIndex((call) => call.id === id)
      return id === '' ? Math.max(0, fresh - 1) : known === -1 ? fresh : known
    }
    const place = this.#byIndex.get(index)
    const held = place === undefined ? undefined : this.calls[place]
    // A server that numbers every call 0 still gives each its own id and name.
    const another = held !== undefined && held.id !== '' && id !== '' && held.id !== id && name !== ''
    if (place !== undefined && !another) return place
    this.#byIndex.set(index, fresh)
    return fresh
  }
}

const toDeltas = (piece: ChatPiece, places: readonly number[]): readonly ModelDelta[] => [
  ...(piece.reasoning === '' ? [] : [{ type: 'reasoning', text: piece.reasoning } as const]),
  ...(piece.text === '' ? [] : [{ type: 'text', text: piece.text } as const]),
  ...piece.calls.map(({ name, args }, at) => ({ type: 'call', index: places[at] ?? 0, ...(name === '' ? {} : { name }), args }) as const),
]

/** Makes a reader for one stream. @param asked the model of the request. */
export const chatStream = (asked: string, report: Reporter, doneMarker: 'required' | 'optional'): StreamReader => {
  const said: string[] = []
  const refusals: string[] = []
  const table = new CallTable()
  let reason: string | undefined
  let usage: Usage | null = null
  let model = asked
  let done = false
  const known = (): FailedAttempt => ({ usage, model })

  const takeChoice = (choice: Fields): readonly ModelDelta[] => {
    const error = embeddedError(choice)
    if (error !== undefined) throw report.embedded(error, known())
    reason = readReason(choice) ?? reason
    const delta = choice['delta']
    if (delta === undefined || delta === null) return []
    const fields = asFields(delta)
    if (fields === undefined) throw new ShapeProblem('a delta is not an object')
    const piece = readMessage(fields)
    said.push(piece.text)
    refusals.push(piece.refusal)
    return toDeltas(
      piece,
      piece.calls.map((call) => table.add(call)),
    )
  }

  const takeChunk = ({ type, data }: SseEvent): readonly ModelDelta[] => {
    const parsed = parseFields(data)
    const chunk = asFields(parsed)
    if (type === 'error') throw report.embedded(readError(parsed ?? data, data), known())
    if (chunk === undefined) throw report.malformed(`an event of the stream is not a JSON object (${data.length} characters).`, known())
    const error = embeddedError(chunk)
    if (error !== undefined) throw report.embedded(error, known())
    usage = readUsage(field(chunk, 'usage')) ?? usage
    model = name(chunk, 'model') ?? model
    const { choices } = chunk
    if (choices !== undefined && choices !== null && !Array.isArray(choices)) throw new ShapeProblem('`choices` is not a list')
    return list(chunk, 'choices').flatMap((value) => {
      const choice = asFields(value)
      if (choice === undefined) throw new ShapeProblem('a choice is not an object')
      // With n > 1 the choices of a stream interleave; the first one counts.
      return (choice['index'] ?? 0) === 0 ? takeChoice(choice) : []
    })
  }

  return {
    known,
    take(event) {
      if (event.data.startsWith('[DONE]')) {
        done = true
        return { deltas: [], done }
      }
      try {
        return { deltas: takeChunk(event), done }
      } catch (error) {
        if (error instanceof ShapeProblem) throw report.malformed(`${error.message}.`, known())
        throw error
      }
    },
    finish() {
      const attempt = known()
      if (reason === undefined) throw report.error({ code: 'stream_truncated' }, 'the stream ended without a finish_reason.', { attempt })
      if (!done && doneMarker === 'required') throw report.error({ code: 'stream_truncated' }, 'the stream ended without [DONE]; if this server never sends it, set doneMarker: "optional".', { attempt })
      const finish = readFinish(reason)
      if (typeof finish !== 'string') throw report.error(finish, `the stream ended with finish_reason "${reason}".`, { attempt, details: { finishReason: oneLine(reason) } })
      return toReply({ text: said.join(''), refusal: refusals.join(''), calls: table.calls, finish, usage, model }, report)
    },
  }
}
