// A model request as the body of a chat completion.
// @see https://platform.openai.com/docs/api-reference/chat/create
import { textOf, type Content, type Message, type Part } from '../../prompt/index.ts'
import type { ModelRequest, ToolSchema } from '../provider.ts'
import { defined } from '../../schema/index.ts'
import { toArguments, toAudio, toBase64, toName, toUrl, withOptions, type Body } from './request.ts'

/** How a server wants its chat requests. */
export interface ChatDialect {
  readonly systemRole: 'system' | 'developer'
  readonly maxTokensField: 'max_completion_tokens' | 'max_tokens'
}

const chatPart = (part: Part): Body => {
  const { detail, ...extras } = part.extras ?? {}
  if (part.type === 'text') return { type: 'text', text: part.text, ...part.extras }
  if (part.type === 'image') return { type: 'image_url', image_url: defined({ url: toUrl(part), detail }), ...extras }
  if (part.type === 'audio') return { ...toAudio(part), ...part.extras }
  const { base64, mediaType } = toBase64(part)
  return { type: 'file', file: { filename: part.name ?? 'file', file_data: `data:${mediaType ?? 'application/octet-stream'};base64,${base64}` }, ...part.extras }
}

const chatContent = (content: Content): string | readonly Body[] => (typeof content === 'string' ? content : content.map(chatPart))

const ownMessage = (message: Message, dialect: ChatDialect): Body => {
  if (message.role === 'system') return { role: dialect.systemRole, content: textOf(message.content) }
  if (message.role === 'tool') return { role: 'tool', tool_call_id: message.callId, content: textOf(message.content) }
  if (message.role !== 'assistant') return { role: 'user', content: chatContent(message.content) }
  const said = textOf(message.content)
  const calls = (message.calls ?? []).map((call) => ({ id: call.id, type: 'function', function: { name: call.name, arguments: toArguments(call) } }))
  return calls.length === 0 ? { role: 'assistant', content: said } : { role: 'assistant', content: said === '' ? null : said, tool_calls: calls }
}

const chatMessage = (message: Message, dialect: ChatDialect): Body => ({ ...message.extras, ...ownMessage(message, dialect) })

const chatTool = ({ name, description, parameters, strict }: ToolSchema): Body => ({ type: 'function', function: defined({ name, description, parameters, strict }) })

const chatFormat = ({ name, schema, description, strict = true }: NonNullable<ModelRequest['output']>): Body =>
  Object.keys(schema).length === 0 ? { type: 'json_object' } : { type: 'json_schema', json_schema: defined({ name: toName(name), description, schema, strict }) }

const chatChoice = (choice: ModelRequest['toolChoice']): unknown => (typeof choice === 'object' ? { type: 'function', function: { name: choice.name } } : choice)

const binaryParts = (message: Message): readonly Part[] => (message.role === 'tool' && typeof message.content !== 'string' ? message.content.filter((part) => part.type !== 'text') : [])

/** Tool messages hold text only; what else a tool returned follows its batch as a user message. */
const chatMessages = (messages: readonly Message[], dialect: ChatDialect): readonly Body[] => {
  const written: Body[] = []
  let attached: Body[] = []
  const attach = (): void => {
    if (attached.length > 0) written.push({ role: 'user', content: attached })
    attached = []
  }
  for (const message of messages) {
    if (message.role !== 'tool') attach()
    written.push(chatMessage(message, dialect))
    const parts = binaryParts(message)
    if (parts.length > 0 && message.role === 'tool') attached.push({ type: 'text', text: `Returned by call ${message.callId} of ${message.name}:` }, ...parts.map(chatPart))
  }
  attach()
  return written
}

/** Writes the body. @throws RequestProblem when the wire has no words for it. */
export const chatRequest = (request: ModelRequest, dialect: ChatDialect, stream: boolean): Body => {
  const { params, output, tools } = request
  const body = defined({
    model: request.model,
    messages: chatMessages(request.messages, dialect),
    [dialect.maxTokensField]: params.maxOutputTokens,
    temperature: params.temperature,
    top_p: params.topP,
    stop: params.stop,
    reasoning_effort: params.reasoningEffort,
    verbosity: params.verbosity,
    tools: tools?.length ? tools.map(chatTool) : undefined,
    tool_choice: tools?.length ? chatChoice(request.toolChoice) : undefined,
    response_format: output && chatFormat(output),
    stream: stream || undefined,
    stream_options: stream ? { include_usage: true } : undefined,
  })
  return withOptions(body, request.providerOptions)
}
