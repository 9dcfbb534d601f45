// A response of the responses API, as one JSON document or as the last event of a stream. Invariant: only a response
// whose status says that it ended becomes a reply.
import type { ModelReply } from '../provider.ts'
import { embeddedError } from './error-body.ts'
import { asFields, field, list, name, text, type Fields } from './fields.ts'
import type { Reporter } from './report.ts'
import { toReply, type CallPieces, type Turn } from './turn.ts'
import { readUsage } from './usage.ts'

const partsOf = (items: readonly Fields[], type: 'output_text' | 'refusal', key: string): string =>
  items
    .filter((item) => item['type'] === 'message')
    .flatMap((item) => list(item, 'content').map(asFields))
    .map((part) => (part?.['type'] === type ? (text(part, key) ?? '') : ''))
    .join('')

const callOf = (item: Fields): CallPieces | undefined => {
  const { arguments: args } = item
  const id = text(item, 'call_id') ?? text(item, 'id') ?? ''
  const called = text(item, 'name')
  if (called === undefined || (typeof args !== 'string' && args !== undefined && args !== null)) return undefined
  return { id, name: called, args: args ?? '' }
}

/** Why a response that is not complete stopped. */
const readIncomplete = (response: Fields): ModelReply['finish'] | undefined => {
  const reason = text(field(response, 'incomplete_details'), 'reason')
  return reason === 'max_output_tokens' || reason === 'max_tokens' ? 'length' : reason === 'content_filter' ? 'content_filter' : undefined
}

/**
 * Reads a response.
 * @param streamed output items that a stream delivered on their own, for servers that leave them out of its last event.
 * @throws ModelCallError with the usage, where the document states one.
 */
export const readResponse = (body: unknown, asked: string, report: Reporter, streamed: readonly unknown[] = []): ModelReply => {
  const response = asFields(body)
  if (response === undefined) throw report.malformed('the reply is JSON, but not an object.')
  const known = { usage: readUsage(field(response, 'usage')), model: name(response, 'model') ?? asked }
  const status = text(response, 'status')
  const error = embeddedError(response)
  if (error !== undefined) throw report.embedded(error, known)
  if (status === 'failed' || status === 'cancelled') throw report.error({ code: 'provider_error' }, `the response ended as ${status}.`, { attempt: known })
  if (!Array.isArray(response['output'])) throw report.malformed('the reply has no list of output items, so it is not a response.', known)
  if (status !== 'completed' && status !== 'incomplete') throw report.malformed(`the response has the status ${status ?? 'none'}, so it is not complete.`, known)
  const items = response['output'].length > 0 ? list(response, 'output') : streamed
  const fields = items.map(asFields)
  const calls = fields.filter((item) => item?.['type'] === 'function_call').map((item) => item && callOf(item))
  if (!fields.every((item) => item !== undefined) || !calls.every((call) => call !== undefined)) throw report.malformed('an output item is not what the protocol promises.', known)
  const finish = status === 'completed' ? (calls.length > 0 ? 'tool_calls' : 'stop') : readIncomplete(response)
  if (finish === undefined) throw report.malformed('the response is incomplete and does not say why.', known)
  const turn: Turn = { text: partsOf(fields, 'output_text', 'text'), refusal: partsOf(fields, 'refusal', 'refusal'), calls, finish, ...known }
  return toReply(turn, report)
}
