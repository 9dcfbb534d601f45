// The server side of the responses wire: requests read into ours. Invariant: what is read from here and written again by our
// own provider is the same request; what has no place in ours is refused by name.
// @see https://platform.openai.com/docs/api-reference/responses/create
import { z } from 'zod'
import type { Json } from '../../failure/index.ts'
import type { Content, Message, Part } from '../../prompt/index.ts'
import type { JsonSchema } from '../../schema/index.ts'
import type { ModelParams, ModelRequest, ToolSchema } from '../provider.ts'
import { extrasOf, given, ONLY_FUNCTIONS, readCall, wireProblem, type WireProblem } from './chat-wire.ts'

const inputPart = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('input_text'), text: z.string() }),
  z.looseObject({ type: z.literal('input_image'), image_url: z.string({ error: 'only images with their address or bytes can be used here' }), file_id: z.null().optional() }),
  z.strictObject({ type: z.literal('input_file'), file_data: z.string().optional(), file_url: z.string().optional(), filename: z.string().optional() }),
  z.strictObject({ type: z.literal('input_audio'), input_audio: z.strictObject({ data: z.string(), format: z.string() }) }),
  // What an answer of before held beside its text says nothing to the model.
  z.object({ type: z.literal('output_text'), text: z.string() }),
  z.object({ type: z.literal('refusal'), refusal: z.string() }),
])
const inputContent = z.union([z.string(), z.array(inputPart)])
const own = { id: z.string().optional(), status: z.string().optional(), phase: z.string().optional() }
const inputItem = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('message'), role: z.enum(['user', 'assistant', 'system', 'developer']), content: inputContent, ...own }),
    z.strictObject({ type: z.literal('function_call'), call_id: z.string(), name: z.string(), arguments: z.string(), parsed_arguments: z.unknown().optional(), ...own }),
    z.strictObject({ type: z.literal('function_call_output'), call_id: z.string(), output: inputContent, ...own }),
    z.object({ type: z.literal('reasoning') }),
  ],
  { error: 'only items of type message, function_call and function_call_output can be used here; items that refer to what another server keeps cannot' },
)

/** Null says nothing, and a message need not say that it is one. */
const tidied = (item: unknown): unknown => {
  if (typeof item !== 'object' || item === null || Array.isArray(item)) return item
  return { type: 'message', ...Object.fromEntries(Object.entries(item).filter(([, value]) => value !== null)) }
}

const json = z.record(z.string(), z.json())
const wireTool = z.strictObject({
  type: z.literal('function', { error: ONLY_FUNCTIONS }),
  name: z.string(),
  description: z.string().nullish(),
  parameters: json.nullish(),
  strict: z.boolean().nullish(),
})
const wireRequest = z.object({
  model: z.string().min(1),
  input: z.union([z.string().min(1), z.array(z.preprocess(tidied, inputItem)).min(1)]),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  max_output_tokens: z.number().int().positive().nullish(),
  temperature: z.number().nullish(),
  top_p: z.number().nullish(),
  reasoning: z.strictObject({ effort: z.string().nullish(), summary: z.literal('auto', { error: 'summaries of reasoning are not given' }).nullish(), generate_summary: z.null().optional() }).nullish(),
  text: z
    .strictObject({
      format: z
        .discriminatedUnion('type', [
          z.object({ type: z.enum(['text', 'json_object']) }),
          z.object({ type: z.literal('json_schema'), name: z.string(), description: z.string().nullish(), schema: json, strict: z.boolean().nullish() }),
        ])
        .nullish(),
      verbosity: z.string().nullish(),
    })
    .nullish(),
  tools: z.array(wireTool).nullish(),
  tool_choice: z.union([z.enum(['auto', 'required', 'none']), z.object({ type: z.literal('function', { error: ONLY_FUNCTIONS }), name: z.string() })]).nullish(),
  previous_response_id: z.string().nullish(),
})

type Wire = z.infer<typeof wireRequest>

/** A request as it came over the wire. */
export interface ResponsesRequest extends Pick<ModelRequest, 'model' | 'messages' | 'tools' | 'toolChoice' | 'output'> {
  /** Those of the request's parameters that it names itself. */
  readonly params: ModelParams
  readonly instructions?: string
  /** The response it goes on from. */
  readonly previous?: string
  readonly stream: boolean
}

const toPart = (part: z.infer<typeof inputPart>): Part => {
  switch (part.type) {
    case 'input_text':
      return { type: 'text', text: part.text, ...extrasOf(part, 'type', 'text') }
    case 'input_image': {
      // `auto` is what a provider does by itself.
      const { detail, ...rest } = part
      return { type: 'image', data: { url: part.image_url }, ...extrasOf({ ...rest, detail: detail === 'auto' ? undefined : detail }, 'type', 'image_url') }
    }
    case 'input_file':
      return { type: 'file', data: { url: part.file_data ?? part.file_url ?? '' }, ...given('name', part.filename) }
    case 'input_audio':
      return { type: 'audio', data: { base64: part.input_audio.data }, mediaType: `audio/${part.input_audio.format}` }
    case 'output_text':
      return { type: 'text', text: part.text }
    case 'refusal':
      return { type: 'text', text: part.refusal }
  }
}

/** Text stays text where it is nothing else, so that equal conversations are equal however they were written. */
const toContent = (content: z.infer<typeof inputContent>): Content => {
  if (typeof content === 'string') return content
  const parts = content.map(toPart)
  const [only] = parts
  return parts.length === 1 && only?.type === 'text' && only.extras === undefined ? only.text : parts
}

/** Items as messages: calls belong to the message of the model before them. What a model thought is not carried on. */
const toMessages = (input: Wire['input']): readonly Message[] => {
  if (typeof input === 'string') return [{ role: 'user', content: input }]
  const messages: Message[] = []
  for (const item of input) {
    const last = messages.at(-1)
    if (item.type === 'reasoning') continue
    if (item.type === 'function_call_output') messages.push({ role: 'tool', callId: item.call_id, name: '', content: toContent(item.output) })
    else if (item.type === 'function_call') {
      const call = readCall(item.call_id, item.name, item.arguments)
      if (last?.role === 'assistant') messages.splice(-1, 1, { ...last, calls: [...(last.calls ?? []), call] })
      else messages.push({ role: 'assistant', content: '', calls: [call] })
    } else messages.push({ role: item.role === 'developer' ? 'system' : item.role, content: toContent(item.content) })
  }
  return messages
}

/** Results say which call they are for, and so which tool. */
export const nameResults = (messages: readonly Message[]): readonly Message[] => {
  const names = new Map(messages.flatMap((message) => (message.role === 'assistant' ? (message.calls ?? []).map((call) => [call.id, call.name] as const) : [])))
  return messages.map((message) => (message.role === 'tool' && message.name === '' ? { ...message, name: names.get(message.callId) ?? '' } : message))
}

const toTool = ({ name, description, parameters, strict }: z.infer<typeof wireTool>): ToolSchema => ({
  name,
  description: description ?? '',
  parameters: (parameters ?? {}) as JsonSchema,
  ...given('strict', strict),
})

const toOutput = (text: Wire['text']): ModelRequest['output'] => {
  const format = text?.format
  if (format?.type === 'json_object') return { name: 'output', schema: {} }
  if (format?.type !== 'json_schema') return undefined
  const { name, description, schema, strict } = format
  return { name, schema: schema as { readonly [key: string]: Json }, ...(strict === true ? {} : { strict: false }), ...given('description', description) }
}

/** Reads the parsed body of a request. @returns what is wrong with it when it is not one. */
export const readResponsesRequest = (body: unknown): ResponsesRequest | WireProblem => {
  const parsed = wireRequest.safeParse(body)
  if (!parsed.success) return wireProblem(parsed.error, 'a request for a response')
  const wire = parsed.data
  const choice = wire.tool_choice
  return {
    model: wire.model,
    messages: toMessages(wire.input),
    params: {
      ...given('maxOutputTokens', wire.max_output_tokens),
      ...given('temperature', wire.temperature),
      ...given('topP', wire.top_p),
      ...given('reasoningEffort', wire.reasoning?.effort),
      ...given('verbosity', wire.text?.verbosity),
    },
    stream: wire.stream ?? false,
    ...given('tools', wire.tools?.map(toTool)),
    ...given('toolChoice', typeof choice === 'object' ? choice && { name: choice.name } : choice),
    ...given('output', toOutput(wire.text)),
    ...given('instructions', wire.instructions),
    ...given('previous', wire.previous_response_id),
  }
}
