// A response that comes as a stream of typed events. Invariant: the reply is read from the last event, which repeats the
// whole response; the pieces before it are only shown to whoever listens.
import type { FailedAttempt } from '../call-error.ts'
import type { ModelDelta } from '../provider.ts'
import type { StreamReader } from './chat-stream.ts'
import { embeddedError, readError } from './error-body.ts'
import { asFields, field, name, parseFields, text, type Fields } from './fields.ts'
import type { Reporter } from './report.ts'
import { readResponse } from './responses-reply.ts'
import { readUsage } from './usage.ts'

const TERMINAL: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.failed', 'response.cancelled'])

/** Makes a reader for one stream. @param asked the model of the request. */
export const responsesStream = (asked: string, report: Reporter): StreamReader => {
  const items = new Map<unknown, unknown>()
  /** Places of function calls among themselves, by output index. */
  const places = new Map<unknown, number>()
  let last: Fields | undefined
  let begun: Fields | undefined

  const known = (): FailedAttempt => ({ usage: readUsage(field(last ?? begun, 'usage')), model: name(last ?? begun, 'model') ?? asked })

  const callDelta = (event: Fields, args: string, called?: string): readonly ModelDelta[] => {
    const at = event['output_index']
    const index = places.get(at) ?? places.size
    places.set(at, index)
    return [{ type: 'call', index, ...(called === undefined ? {} : { name: called }), args }]
  }

  const deltasOf = (type: string, event: Fields): readonly ModelDelta[] => {
    const delta = text(event, 'delta')
    switch (type) {
      case 'response.output_text.delta':
        return delta ? [{ type: 'text', text: delta }] : []
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return delta ? [{ type: 'reasoning', text: delta }] : []
      case 'response.function_call_arguments.delta':
        return delta ? callDelta(event, delta) : []
      case 'response.output_item.added': {
        const item = field(event, 'item')
        return item?.['type'] === 'function_call' ? callDelta(event, '', text(item, 'name') ?? '') : []
      }
      default:
        return []
    }
  }

  return {
    known,
    take({ type: eventType, data }) {
      // Gateways end this stream, too, with the marker of the other wire.
      if (data.startsWith('[DONE]')) return { deltas: [], done: last !== undefined }
      const parsed = parseFields(data)
      const event = asFields(parsed)
      if (event === undefined) {
        if (eventType === 'error') throw report.embedded(readError(parsed ?? data, data), known())
        throw report.malformed(`an event of the stream is not a JSON object (${data.length} characters).`, known())
      }
      const type = text(event, 'type') ?? eventType
      const error = type === 'error' ? readError(event, 'an error without words') : embeddedError(event)
      if (error !== undefined) throw report.embedded(error, known())
      const response = field(event, 'response')
      if (TERMINAL.has(type)) {
        if (response === undefined) throw report.malformed('the last event of the stream holds no response.', known())
        last = response
      } else begun = response ?? begun
      if (type === 'response.output_item.done') items.set(event['output_index'] ?? items.size, event['item'])
      return { deltas: deltasOf(type, event), done: last !== undefined }
    },
    finish() {
      if (last === undefined) throw report.error({ code: 'stream_truncated' }, 'the stream ended before the response was complete.', { attempt: known() })
      return readResponse(last, asked, report, [...items.values()])
    },
  }
}
