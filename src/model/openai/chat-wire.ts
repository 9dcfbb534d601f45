// The server side of the chat completions wire: requests read into ours, replies and failures written as OpenAI writes
// them. Invariant: what our own provider reads from here is what the other provider answered.
import { z } from 'zod'
import type { Failure, FailureCode, Json } from '../../failure/index.ts'
import { textOf, type Message, type Part, type ToolCall } from '../../prompt/index.ts'
import type { ModelReply, ModelRequest } from '../provider.ts'

const contentPart = z.union([
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string() }) }),
  z.object({ type: z.literal('input_audio'), input_audio: z.object({ data: z.string(), format: z.string() }) }),
  z.object({ type: z.literal('file'), file: z.object({ file_data: z.string(), filename: z.string().optional() }) }),
])
const wireContent = z.union([z.string(), z.array(contentPart)])
const wireCall = z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) })
const wireMessage = z.union([
  z.object({ role: z.enum(['system', 'developer']), content: wireContent }),
  z.object({ role: z.literal('user'), content: wireContent }),
  z.object({ role: z.literal('tool'), content: wireContent, tool_call_id: z.string() }),
  z.object({ role: z.literal('assistant'), content: wireContent.nullish(), tool_calls: z.array(wireCall).optional() }),
])
const json = z.record(z.string(), z.json())
const wireRequest = z.object({
  model: z.string().min(1),
  messages: z.array(wireMessage).min(1),
  stream: z.boolean().optional(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: z.number().int().positive().optional(),
  max_completion_tokens: z.number().int().positive().optional(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  reasoning_effort: z.string().nullish(),
  tools: z.array(z.object({ type: z.literal('function'), function: z.object({ name: z.string(), description: z.string().default(''), parameters: json.default({}) }) })).optional(),
  tool_choice: z.union([z.enum(['auto', 'required', 'none']), z.looseObject({ type: z.string() })]).optional(),
  response_format: z.object({ type: z.string(), json_schema: z.object({ name: z.string(), schema: json }).optional() }).optional(),
})

/** A request as it came over the wire. */
export interface WireRequest {
  readonly request: ModelRequest
  readonly stream: boolean
  readonly includeUsage: boolean
}

const toPart = (part: z.infer<typeof contentPart>): Part => {
  if (part.type === 'text') return part
  if (part.type === 'image_url') return { type: 'image', data: { url: part.image_url.url } }
  if (part.type === 'input_audio') return { type: 'audio', data: { base64: part.input_audio.data }, mediaType: `audio/${part.input_audio.format}` }
  return { type: 'file', data: { url: part.file.file_data }, ...(part.file.filename === undefined ? {} : { name: part.file.filename }) }
}

const toContent = (content: z.infer<typeof wireContent>): string | readonly Part[] => (typeof content === 'string' ? content : content.map(toPart))

const parseArguments = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

const toCall = ({ id, function: { name, arguments: text } }: z.infer<typeof wireCall>): ToolCall => {
  const args = parseArguments(text)
  return args === undefined ? { id, name, args: null, raw: text } : { id, name, args }
}

const toMessages = (messages: z.infer<typeof wireRequest>['messages']): readonly Message[] => {
  const names = new Map<string, string>()
  return messages.map((message): Message => {
    if (message.role === 'tool') return { role: 'tool', callId: message.tool_call_id, name: names.get(message.tool_call_id) ?? '', content: toContent(message.content) }
    if (message.role !== 'assistant') return { role: message.role === 'user' ? 'user' : 'system', content: toContent(message.content) }
    const calls = (message.tool_calls ?? []).map(toCall)
    for (const call of calls) names.set(call.id, call.name)
    return { role: 'assistant', content: toContent(message.content ?? ''), ...(calls.length === 0 ? {} : { calls }) }
  })
}

const given = <K extends string, V>(key: K, value: V | null | undefined): { readonly [P in K]?: V } => (value === null || value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V }))

/** Reads the parsed body of a request. @returns what is wrong with it, as a sentence, when it is not one. */
export const readWireRequest = (body: unknown): WireRequest | string => {
  const parsed = wireRequest.safeParse(body)
  if (!parsed.success) return `This is not a chat completion request: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`
  const wire = parsed.data
  const schema = wire.response_format?.json_schema
  const request: ModelRequest = {
    model: wire.model,
    messages: toMessages(wire.messages),
    params: {
      maxOutputTokens: wire.max_completion_tokens ?? wire.max_tokens ?? 4096,
      ...given('temperature', wire.temperature),
      ...given('topP', wire.top_p),
      ...given('stop', typeof wire.stop === 'string' ? [wire.stop] : wire.stop),
      ...given('reasoningEffort', wire.reasoning_effort),
    },
    ...given(
      'tools',
      wire.tools?.map((tool) => ({ ...tool.function, parameters: tool.function.parameters as { readonly [key: string]: Json } })),
    ),
    ...given('toolChoice', typeof wire.tool_choice === 'string' ? wire.tool_choice : undefined),
    ...given('output', schema && { name: schema.name, schema: schema.schema as { readonly [key: string]: Json } }),
  }
  return { request, stream: wire.stream ?? false, includeUsage: wire.stream_options?.include_usage ?? false }
}

const writeCall = (call: ToolCall): object => ({
  id: call.id,
  type: 'function',
  function: { name: call.name, arguments: call.raw ?? JSON.stringify(call.args) },
})

const writeUsage = ({ usage }: ModelReply): object | null =>
  usage && {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens ?? 0, cache_write_tokens: usage.cacheWriteTokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
  }

/** Writes a reply as one document. @param created seconds since 1970. */
export const writeReply = (reply: ModelReply, id: string, created = 0): object => {
  const { message, refusal = null, finish } = reply
  const said = textOf(message.content)
  const written = {
    role: 'assistant',
    content: said === '' ? null : said,
    refusal,
    ...(message.calls === undefined ? {} : { tool_calls: message.calls.map(writeCall) }),
  }
  return {
    id,
    object: 'chat.completion',
    created,
    model: reply.model,
    choices: [{ index: 0, message: written, logprobs: null, finish_reason: finish }],
    usage: writeUsage(reply),
  }
}

/** Writes one chunk of a stream. */
export const writeChunk = (model: string, id: string, delta: object, finish: string | null = null, created = 0): object => ({
  id,
  object: 'chat.completion.chunk',
  created,
  model,
  choices: [{ index: 0, delta, finish_reason: finish }],
})

const ARGUMENTS_PIECE = 24

/** The chunks that follow the text of a reply: refusal, calls, the finish reason, and the usage where it was asked for. */
export const writeEnding = (reply: ModelReply, id: string, includeUsage: boolean, created = 0): readonly object[] => {
  const chunk = (delta: object, finish: string | null = null): object => writeChunk(reply.model, id, delta, finish, created)
  const calls = (reply.message.calls ?? []).flatMap((call, index) => {
    const text = call.raw ?? JSON.stringify(call.args)
    const pieces = Array.from({ length: Math.ceil(text.length / ARGUMENTS_PIECE) }, (_, at) => text.slice(at * ARGUMENTS_PIECE, (at + 1) * ARGUMENTS_PIECE))
    return [chunk({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }] }), ...pieces.map((args) => chunk({ tool_calls: [{ index, function: { arguments: args } }] }))]
  })
  const refusal = reply.refusal === undefined ? [] : [chunk({ refusal: reply.refusal })]
  const usage = includeUsage ? [{ ...chunk({}), choices: [], usage: writeUsage(reply) }] : []
  return [...refusal, ...calls, chunk({}, reply.finish), ...usage]
}

/** Status and code with which OpenAI reports a failure; codes that are none of its own answer 500. */
const ERRORS: { readonly [C in FailureCode]?: readonly [status: number, code: string] } = {
  rate_limited: [429, 'rate_limit_exceeded'],
  quota_exhausted: [429, 'insufficient_quota'],
  overloaded: [503, 'server_is_overloaded'],
  provider_error: [500, 'server_error'],
  auth_failed: [401, 'invalid_api_key'],
  model_not_found: [404, 'model_not_found'],
  invalid_request: [400, 'invalid_value'],
  context_overflow: [400, 'context_length_exceeded'],
  content_filtered: [400, 'content_filter'],
}

/** Writes a failure as an error reply. */
export const writeError = (failed: Failure): { readonly status: number; readonly headers: { readonly [name: string]: string }; readonly body: object } => {
  const [status, code] = ERRORS[failed.code] ?? [500, 'server_error']
  const wait = failed.provider?.retryAfterMs
  return {
    status,
    headers: wait === undefined ? {} : { 'retry-after-ms': String(wait) },
    body: {
      error: { message: failed.message, type: status === 429 ? 'requests' : status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code },
    },
  }
}
