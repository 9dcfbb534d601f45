// A model request as the body of a response. Nothing is stored at the provider: each request carries its whole thread.
// @see https://platform.openai.com/docs/api-reference/responses/create
import { textOf, type Content, type Message, type Part } from '../../prompt/index.ts'
import type { ModelRequest } from '../provider.ts'
import { defined } from '../../schema/index.ts'
import { refuseExtras, RequestProblem, toArguments, toAudio, toName, toUrl, withOptions, type Body } from './request.ts'

const inputPart = (part: Part): Body => {
  refuseExtras(part, part.type === 'image' ? ['detail'] : [])
  if (part.type === 'text') return { type: 'input_text', text: part.text }
  if (part.type === 'image') return { type: 'input_image', image_url: toUrl(part), detail: part.extras?.['detail'] ?? 'auto' }
  if (part.type === 'audio') return toAudio(part)
  const url = toUrl(part)
  return url.startsWith('data:') ? { type: 'input_file', filename: part.name ?? 'file', file_data: url } : { type: 'input_file', file_url: url }
}

const inputContent = (content: Content): string | readonly Body[] => (typeof content === 'string' ? content : content.map(inputPart))

const inputItems = (message: Message, systemRole: 'system' | 'developer'): readonly Body[] => {
  refuseExtras(message)
  if (message.role === 'system') return [{ role: systemRole, content: textOf(message.content) }]
  if (message.role === 'tool') return [{ type: 'function_call_output', call_id: message.callId, output: inputContent(message.content) }]
  if (message.role !== 'assistant') return [{ role: 'user', content: inputContent(message.content) }]
  const said = textOf(message.content)
  const calls = (message.calls ?? []).map((call) => ({ type: 'function_call', call_id: call.id, name: call.name, arguments: toArguments(call) }))
  return said === '' ? calls : [{ role: 'assistant', content: said }, ...calls]
}

const formatOf = ({ name, schema, description, strict = true }: NonNullable<ModelRequest['output']>): Body =>
  Object.keys(schema).length === 0 ? { type: 'json_object' } : defined({ type: 'json_schema', name: toName(name), description, schema, strict })

/** Writes the body. @throws RequestProblem when the wire has no words for it. */
export const responsesRequest = (request: ModelRequest, systemRole: 'system' | 'developer', stream: boolean): Body => {
  const { params, output, tools, toolChoice } = request
  if (params.stop !== undefined && params.stop.length > 0) throw new RequestProblem('the responses wire has no stop sequences. Use the chat wire or remove `stop`.')
  const body = defined({
    model: request.model,
    input: request.messages.flatMap((message) => inputItems(message, systemRole)),
    store: false,
    max_output_tokens: params.maxOutputTokens,
    temperature: params.temperature,
    top_p: params.topP,
    reasoning: params.reasoningEffort === undefined ? undefined : { effort: params.reasoningEffort },
    tools: tools?.length ? tools.map(({ name, description, parameters, strict = false }) => ({ type: 'function', name, description, parameters, strict })) : undefined,
    tool_choice: tools?.length ? (typeof toolChoice === 'object' ? { type: 'function', name: toolChoice.name } : toolChoice) : undefined,
    text: output === undefined && params.verbosity === undefined ? undefined : defined({ format: output && formatOf(output), verbosity: params.verbosity }),
    stream: stream || undefined,
  })
  return withOptions(body, request.providerOptions)
}
