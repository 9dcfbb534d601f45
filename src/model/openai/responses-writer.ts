// A reply as the responses wire tells it: a document, or the events that add up to it. Invariant: the last event of a stream
// holds what the events before it said.
// @see https://platform.openai.com/docs/api-reference/responses-streaming
import type { Usage } from '../../cost/index.ts'
import type { Json } from '../../failure/index.ts'
import { textOf } from '../../prompt/index.ts'
import type { ModelReply } from '../provider.ts'

/** What a response says beside its answer. */
export interface ResponseFrame {
  /** Names the response and its items: `resp_…`, `msg_…`, `fc_…`. */
  readonly id: string
  readonly model: string
  /** Seconds since 1970. */
  readonly created: number
  /** The request, whose settings a response repeats. */
  readonly body: { readonly [field: string]: Json }
}

/** An event of a stream, before it is numbered. */
type Event = { readonly type: string; readonly [field: string]: unknown }
type Item = { readonly id: string; readonly type: string; readonly [field: string]: unknown }

const writeUsage = (usage: Usage | null): object | null =>
  usage && {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedTokens ?? 0, cache_write_tokens: usage.cacheWriteTokens ?? 0 },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
  }

/** Settings that a response repeats as they came, with what they are where nothing was said. */
const REPEATED: { readonly [field: string]: Json } = {
  instructions: null,
  max_output_tokens: null,
  max_tool_calls: null,
  parallel_tool_calls: true,
  previous_response_id: null,
  prompt_cache_key: null,
  prompt_cache_retention: null,
  safety_identifier: null,
  service_tier: 'auto',
  store: true,
  temperature: null,
  tool_choice: 'auto',
  tools: [],
  top_logprobs: 0,
  top_p: null,
  truncation: 'disabled',
  user: null,
  metadata: {},
}

const settings = (body: ResponseFrame['body']): object => ({
  ...Object.fromEntries(Object.entries(REPEATED).map(([field, otherwise]) => [field, body[field] ?? otherwise])),
  reasoning: { effort: null, ...(body['reasoning'] as object | null), summary: null },
  text: { format: { type: 'text' }, ...(body['text'] as object | null) },
})

const INCOMPLETE: { readonly [F in ModelReply['finish']]?: string } = { length: 'max_output_tokens', content_filter: 'content_filter' }

const document = ({ id, model, created, body }: ResponseFrame, status: string, more: object): object => ({
  id: `resp_${id}`,
  object: 'response',
  created_at: created,
  status,
  background: false,
  completed_at: null,
  error: null,
  incomplete_details: null,
  model,
  output: [],
  usage: null,
  ...settings(body),
  ...more,
})

const partsOf = ({ message, refusal }: ModelReply): readonly object[] => {
  const text = textOf(message.content)
  const said = text === '' ? [] : [{ type: 'output_text', annotations: [], logprobs: [], text }]
  return refusal === undefined ? said : [...said, { type: 'refusal', refusal }]
}

/** What an answer is made of: one message, unless it only calls, and its calls. */
const itemsOf = ({ id }: ResponseFrame, reply: ModelReply): readonly Item[] => {
  const calls = reply.message.calls ?? []
  const content = partsOf(reply)
  const status = INCOMPLETE[reply.finish] === undefined ? 'completed' : 'incomplete'
  const message = content.length === 0 && calls.length > 0 ? [] : [{ id: `msg_${id}`, type: 'message', status, content, role: 'assistant' }]
  return [...message, ...calls.map((call, at) => ({ id: `fc_${id}_${at}`, type: 'function_call', status, arguments: call.raw ?? JSON.stringify(call.args), call_id: call.id, name: call.name }))]
}

/** Writes a reply as one document. @param completed seconds since 1970. */
export const writeResponse = (frame: ResponseFrame, reply: ModelReply, completed: number): object => {
  const reason = INCOMPLETE[reply.finish]
  const ended = reason === undefined ? { completed_at: completed } : { incomplete_details: { reason } }
  return document(frame, reason === undefined ? 'completed' : 'incomplete', { ...ended, output: itemsOf(frame, reply), usage: writeUsage(reply.usage) })
}

const ARGUMENTS_PIECE = 24

const callEvents = (item: Item, index: number): readonly Event[] => {
  const at = { item_id: item.id, output_index: index }
  const text = String(item['arguments'])
  const pieces = Array.from({ length: Math.ceil(text.length / ARGUMENTS_PIECE) }, (_none, piece) => text.slice(piece * ARGUMENTS_PIECE, (piece + 1) * ARGUMENTS_PIECE))
  return [
    { type: 'response.output_item.added', output_index: index, item: { ...item, status: 'in_progress', arguments: '' } },
    ...pieces.map((delta) => ({ type: 'response.function_call_arguments.delta', ...at, delta })),
    { type: 'response.function_call_arguments.done', ...at, arguments: text },
    { type: 'response.output_item.done', output_index: index, item },
  ]
}

/** Writes one stream. */
export interface ResponseEvents {
  readonly begin: () => readonly object[]
  readonly text: (delta: string) => readonly object[]
  /** @param completed seconds since 1970. */
  readonly end: (reply: ModelReply, completed: number) => readonly object[]
  /** @param error as the wire says it in a document. */
  readonly fail: (error: { readonly code: string; readonly message: string; readonly param: string | null }) => readonly object[]
}

/** Makes the writer of one stream. */
export const responseEvents = (frame: ResponseFrame): ResponseEvents => {
  let number = 0
  const numbered = (events: readonly Event[]): readonly object[] => events.map((event) => ({ ...event, sequence_number: number++ }))
  const message = { id: `msg_${frame.id}`, type: 'message', content: [], role: 'assistant' }
  const at = { item_id: message.id, output_index: 0, content_index: 0 }
  let opened = false
  const open = (): readonly Event[] => {
    if (opened) return []
    opened = true
    return [{ type: 'response.output_item.added', output_index: 0, item: { ...message, status: 'in_progress' } }]
  }
  let said = ''
  const textEvents = (delta: string): readonly Event[] => {
    const first = said !== '' ? [] : [...open(), { type: 'response.content_part.added', ...at, part: { type: 'output_text', annotations: [], logprobs: [], text: '' } }]
    said += delta
    return [...first, { type: 'response.output_text.delta', ...at, delta, logprobs: [] }]
  }
  const refusalEvents = (refusal: string): readonly Event[] => {
    const place = { ...at, content_index: said === '' ? 0 : 1 }
    return [
      ...open(),
      { type: 'response.content_part.added', ...place, part: { type: 'refusal', refusal: '' } },
      { type: 'response.refusal.delta', ...place, delta: refusal },
      { type: 'response.refusal.done', ...place, refusal },
      { type: 'response.content_part.done', ...place, part: { type: 'refusal', refusal } },
    ]
  }
  const messageEvents = (item: Item, reply: ModelReply): readonly Event[] => {
    const [part] = partsOf(reply)
    const closed =
      said === ''
        ? []
        : [
            { type: 'response.output_text.done', ...at, text: said, logprobs: [] },
            { type: 'response.content_part.done', ...at, part },
          ]
    return [...open(), ...closed, ...(reply.refusal === undefined ? [] : refusalEvents(reply.refusal)), { type: 'response.output_item.done', output_index: 0, item }]
  }
  return {
    begin: () => numbered(['created', 'in_progress'].map((step) => ({ type: `response.${step}`, response: document(frame, 'in_progress', {}) }))),
    text: (delta) => numbered(textEvents(delta)),
    end: ({ message: { content, ...rest }, ...ended }, completed) => {
      const reply = { ...ended, message: { ...rest, content: said === '' ? content : said } }
      const items = itemsOf(frame, reply).flatMap((item, index) => (item.type === 'message' ? messageEvents(item, reply) : callEvents(item, index)))
      const whole = writeResponse(frame, reply, completed)
      return numbered([...items, { type: INCOMPLETE[reply.finish] === undefined ? 'response.completed' : 'response.incomplete', response: whole }])
    },
    fail: (error) => numbered([{ type: 'error', ...error, error }]),
  }
}
