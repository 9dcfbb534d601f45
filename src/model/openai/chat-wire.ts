// The server side of the chat completions wire: requests read into ours, replies and failures written as OpenAI writes
// them. Invariant: what our own provider reads from here is what the other provider answered.
import { z } from 'zod'
import type { Usage } from '../../cost/index.ts'
import type { Failure, FailureCode, Json } from '../../failure/index.ts'
import { textOf, type Content, type Extras, type Message, type Part, type ToolCall } from '../../prompt/index.ts'
import type { JsonSchema } from '../../schema/index.ts'
import type { ModelParams, ModelReply, ModelRequest, ToolSchema } from '../provider.ts'

const contentPart = z.union([
  z.looseObject({ type: z.literal('text'), text: z.string() }),
  z.looseObject({ type: z.literal('image_url'), image_url: z.strictObject({ url: z.string(), detail: z.string().optional() }) }),
  z.looseObject({ type: z.literal('input_audio'), input_audio: z.strictObject({ data: z.string(), format: z.string() }) }),
  z.looseObject({ type: z.literal('file'), file: z.strictObject({ file_data: z.string(), filename: z.string().optional() }) }),
])
const refusalPart = z.object({ type: z.literal('refusal'), refusal: z.string() })
const wireContent = z.union([z.string(), z.array(contentPart)])
const saidContent = z.union([z.string(), z.array(z.union([contentPart, refusalPart]))])
const wireCall = z.object({ id: z.string(), type: z.literal('function').optional(), function: z.object({ name: z.string(), arguments: z.string() }) })
const wireMessage = z.discriminatedUnion('role', [
  z.looseObject({ role: z.enum(['system', 'developer', 'user']), content: wireContent }),
  z.looseObject({ role: z.literal('tool'), content: wireContent, tool_call_id: z.string() }),
  z.looseObject({ role: z.literal('assistant'), content: saidContent.nullish(), refusal: z.string().nullish(), tool_calls: z.array(wireCall).nullish() }),
])
const json = z.record(z.string(), z.json())
/** Why tools of other kinds are refused. */
export const ONLY_FUNCTIONS = 'only tools of type function can be used here, which the client performs'
const wireTool = z.object({
  type: z.literal('function', { error: ONLY_FUNCTIONS }),
  function: z.strictObject({ name: z.string(), description: z.string().nullish(), parameters: json.nullish(), strict: z.boolean().nullish() }),
})
const wireRequest = z.object({
  model: z.string().min(1),
  messages: z.array(wireMessage).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.number().int().positive().nullish(),
  max_completion_tokens: z.number().int().positive().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  reasoning_effort: z.string().nullish(),
  verbosity: z.string().nullish(),
  tools: z.array(wireTool).nullish(),
  tool_choice: z.union([z.enum(['auto', 'required', 'none']), z.object({ type: z.literal('function'), function: z.object({ name: z.string() }) })]).nullish(),
  response_format: z
    .discriminatedUnion('type', [
      z.object({ type: z.enum(['text', 'json_object']) }),
      z.object({ type: z.literal('json_schema'), json_schema: z.object({ name: z.string(), description: z.string().nullish(), schema: json.nullish(), strict: z.boolean().nullish() }) }),
    ])
    .nullish(),
})

/** A request as it came over the wire. */
export interface WireRequest {
  readonly request: ModelRequest
  /** Those of the request's parameters that it names itself. */
  readonly params: ModelParams
  readonly stream: boolean
  readonly includeUsage: boolean
}

/** What is wrong with a body, and with which of its fields. */
export interface WireProblem {
  readonly problem: string
  /** As `messages[2].content`. */
  readonly param: string
}

/** Fields without those that are read by name. */
export const extrasOf = (fields: { readonly [field: string]: unknown }, ...read: readonly string[]): Extras => {
  const rest = Object.entries(fields).filter(([field, value]) => !read.includes(field) && value !== undefined && value !== null)
  return rest.length === 0 ? {} : { extras: Object.fromEntries(rest) as NonNullable<Extras['extras']> }
}

const toPart = (part: z.infer<typeof contentPart>): Part => {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text, ...extrasOf(part, 'type', 'text') }
    case 'image_url': {
      const { detail, url } = part.image_url
      const { image_url: _image, ...rest } = part
      return { type: 'image', data: { url }, ...extrasOf({ ...rest, detail }, 'type') }
    }
    case 'input_audio':
      return { type: 'audio', data: { base64: part.input_audio.data }, mediaType: `audio/${part.input_audio.format}`, ...extrasOf(part, 'type', 'input_audio') }
    case 'file':
      return { type: 'file', data: { url: part.file.file_data }, ...given('name', part.file.filename), ...extrasOf(part, 'type', 'file') }
  }
}

const toContent = (content: z.infer<typeof wireContent>): Content => (typeof content === 'string' ? content : content.map(toPart))

/** What the model said before, its words of refusal included. */
const toSaid = (content: z.infer<typeof saidContent>): Content => (typeof content === 'string' ? content : content.map((part) => (part.type === 'refusal' ? { type: 'text', text: part.refusal } : toPart(part))))

const parseArguments = (text: string): Json | undefined => {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}

/** A call that was written as text. */
export const readCall = (id: string, name: string, text: string): ToolCall => {
  const args = parseArguments(text)
  return args === undefined ? { id, name, args: null, raw: text } : { id, name, args }
}

const toMessages = (messages: z.infer<typeof wireRequest>['messages']): readonly Message[] => {
  const names = new Map<string, string>()
  return messages.map((message): Message => {
    if (message.role === 'tool')
      return { role: 'tool', callId: message.tool_call_id, name: names.get(message.tool_call_id) ?? '', content: toContent(message.content), ...extrasOf(message, 'role', 'content', 'tool_call_id') }
    if (message.role !== 'assistant') return { role: message.role === 'user' ? 'user' : 'system', content: toContent(message.content), ...extrasOf(message, 'role', 'content') }
    const calls = (message.tool_calls ?? []).map((call) => readCall(call.id, call.function.name, call.function.arguments))
    for (const call of calls) names.set(call.id, call.name)
    return { role: 'assistant', content: toSaid(message.content ?? message.refusal ?? ''), ...(calls.length === 0 ? {} : { calls }), ...extrasOf(message, 'role', 'content', 'refusal', 'tool_calls') }
  })
}

/** A field, unless its value says nothing. */
export const given = <K extends string, V>(key: K, value: V | null | undefined): { readonly [P in K]?: V } => (value === null || value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: V }))

const toTool = ({ function: { name, description, parameters, strict } }: z.infer<typeof wireTool>): ToolSchema => ({
  name,
  description: description ?? '',
  parameters: (parameters ?? {}) as JsonSchema,
  ...given('strict', strict),
})

const toOutput = (format: z.infer<typeof wireRequest>['response_format']): ModelRequest['output'] => {
  if (format?.type === 'json_object') return { name: 'output', schema: {} }
  if (format?.type !== 'json_schema') return undefined
  const { name, description, schema, strict } = format.json_schema
  return { name, schema: (schema ?? {}) as JsonSchema, ...(strict === true ? {} : { strict: false }), ...given('description', description) }
}

const pathOf = (path: readonly PropertyKey[]): string => path.reduce<string>((at, key) => (typeof key === 'number' ? `${at}[${key}]` : at === '' ? String(key) : `${at}.${String(key)}`), '')

/** What is wrong, at the deepest place that was reached: the branches of a union all fail, and the one that got furthest was meant. */
const deepest = (issue: z.core.$ZodIssue, at: readonly PropertyKey[] = []): { readonly path: readonly PropertyKey[]; readonly message: string } => {
  const path = [...at, ...issue.path]
  const below = issue.code === 'invalid_union' ? issue.errors.flat().map((inner) => deepest(inner, path)) : []
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  return below.toSorted((a, b) => b.path.length - a.path.length)[0] ?? { path: [...path, ...unknown], message: issue.message }
}

/** The first problem of a body that does not have its shape. @param what the body should be. */
export const wireProblem = (error: z.ZodError, what: string): WireProblem => {
  const [first] = error.issues
  const { path, message } = first === undefined ? { path: [], message: 'it is empty' } : deepest(first)
  return { problem: `This is not ${what}: ${pathOf(path)}: ${message}`, param: pathOf(path) }
}

/** Reads the parsed body of a request. @returns what is wrong with it when it is not one. */
export const readWireRequest = (body: unknown): WireRequest | WireProblem => {
  const parsed = wireRequest.safeParse(body)
  if (!parsed.success) return wireProblem(parsed.error, 'a chat completion request')
  const wire = parsed.data
  const params: ModelParams = {
    ...given('maxOutputTokens', wire.max_completion_tokens ?? wire.max_tokens),
    ...given('temperature', wire.temperature),
    ...given('topP', wire.top_p),
    ...given('stop', typeof wire.stop === 'string' ? [wire.stop] : wire.stop),
    ...given('reasoningEffort', wire.reasoning_effort),
    ...given('verbosity', wire.verbosity),
  }
  const choice = wire.tool_choice
  const request: ModelRequest = {
    model: wire.model,
    messages: toMessages(wire.messages),
    params: { maxOutputTokens: 4096, ...params },
    ...given('tools', wire.tools?.map(toTool)),
    ...given('toolChoice', typeof choice === 'object' ? choice && { name: choice.function.name } : choice),
    ...given('output', toOutput(wire.response_format)),
  }
  return { request, params, stream: wire.stream ?? false, includeUsage: wire.stream_options?.include_usage ?? false }
}

const writeCall = (call: ToolCall): object => ({
  id: call.id,
  type: 'function',
  function: { name: call.name, arguments: call.raw ?? JSON.stringify(call.args) },
})

const writeUsage = (usage: Usage | null): object | null =>
  usage && {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedTokens ?? 0, cache_write_tokens: usage.cacheWriteTokens ?? 0 },
    completion_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
  }

const writeChoice = ({ message, refusal, finish }: ModelReply, index: number): object => {
  const said = textOf(message.content)
  const written = {
    role: 'assistant',
    content: said === '' ? null : said,
    refusal: refusal ?? null,
    ...(message.calls === undefined ? {} : { tool_calls: message.calls.map(writeCall) }),
  }
  return { index, message: written, logprobs: null, finish_reason: finish }
}

/** Writes the replies to one request as one document: a choice for each. @param usage of all of them. @param created seconds since 1970. */
export const writeReply = (replies: readonly ModelReply[], usage: Usage | null, id: string, created = 0): object => ({
  id,
  object: 'chat.completion',
  created,
  model: replies[0]?.model,
  choices: replies.map(writeChoice),
  usage: writeUsage(usage),
})

/** Writes one chunk of a stream. */
export const writeChunk = (model: string, id: string, delta: object, finish: string | null = null, created = 0, index = 0): object => ({
  id,
  object: 'chat.completion.chunk',
  created,
  model,
  choices: [{ index, delta, finish_reason: finish }],
})

const ARGUMENTS_PIECE = 24

/** The chunks that follow the text of a reply: refusal, calls, the finish reason. @param choice its place among the replies. */
export const writeEnding = (reply: ModelReply, id: string, created = 0, choice = 0): readonly object[] => {
  const chunk = (delta: object, finish: string | null = null): object => writeChunk(reply.model, id, delta, finish, created, choice)
  const calls = (reply.message.calls ?? []).flatMap((call, index) => {
    const text = call.raw ?? JSON.stringify(call.args)
    const pieces = Array.from({ length: Math.ceil(text.length / ARGUMENTS_PIECE) }, (_, at) => text.slice(at * ARGUMENTS_PIECE, (at + 1) * ARGUMENTS_PIECE))
    return [chunk({ tool_calls: [{ index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } }] }), ...pieces.map((args) => chunk({ tool_calls: [{ index, function: { arguments: args } }] }))]
  })
  const refusal = reply.refusal === undefined ? [] : [chunk({ refusal: reply.refusal })]
  return [...refusal, ...calls, chunk({}, reply.finish)]
}

/** The chunk with what a stream used, for a client that asked for it. */
export const writeTotal = (model: string, id: string, usage: Usage | null, created = 0): object => ({ id, object: 'chat.completion.chunk', created, model, choices: [], usage: writeUsage(usage) })

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
