// A model request as the body of a response. Nothing is stored at the provider: each request carries its whole thread.
// @see https://platform.openai.com/docs/api-reference/responses/create
import { textOf, type Content, type Message, type Part } from '../../prompt/index.ts'
import type { ModelRequest } from '../provider.ts'
import { defined } from '../../schema/index.ts'
import { RequestProblem, toArguments, toAudio, toName, toUrl, withOptions, type Body } from './request.ts'

const inputPart = (part: Part): Body => {
  if (part.type === 'text') return { type: 'input_text', text: part.text }
  if (part.type === 'image') return { type: 'input_image', image_url: toUrl(part), detail: 'auto' }
  if (part.type === 'audio') return toAudio(part)
  const url = toUrl(part)
  return url.startsWith('data:') ? { type: 'input_file', filename: part.name ?? 'file', file_data: url } : { type: 'input_file', file_url: url }
}

const inputContent = (content: Content): string | readonly Body[] => (typeof content === 'string' ? content : content.map(inputPart))

const inputItems = (message: Message, systemRole: 'system' | 'developer'): readonly Body[] => {
  if (message.role === 'system') return [{ role: systemRole, content: textOf(message.content) }]
  if (message.role === 'tool') return [{ type: 'function_call_output', call_id: message.callId, output: inputContent(message.content) }]
  if (message.role !== 'assistant') return [{ role: 'user', content: inputContent(message.content) }]
  const said = textOf(message.content)
  const calls = (message.calls ?? []).map((call) => ({ type: 'function_call', call_id: call.id, name: call.name, arguments: toArguments(call) }))
  return said === '' ? calls : [{ role: 'assistant', content: said }, ...calls]
}

/** Writes the body. @throws RequestProblem when the wire has no words for it. */
export const responsesRequest = (request: ModelRequest, systemRole: 'system' | 'developer', stream: boolean): Body => {
  const { params, output, tools } = request
  if (params.stop !== undefined && params.stop.length > 0) throw new RequestProblem('the responses wire has no stop sequences. Use the chat wire or remove `stop`.')
  const body = defined({
    model: request.model,
    input: request.messages.flatMap((message) => inputItems(message, systemRole)),
    store: false,
    max_output_tokens: params.maxOutputTokens,
    temperature: params.temperature,
    top_p: params.topP,
    reasoning: params.reasoningEffort === undefined ? undefined : { effort: params.reasoningEffort },
    tools: tools?.length ? tools.map(({ name, description, parameters }) => ({ type: 'function', name, description, parameters, strict: false })) : undefined,
    tool_choice: tools?.length ? request.toolChoice : undefined,
    text: output && { format: { type: 'json_schema', name: toName(output.name), schema: output.schema, strict: output.strict ?? true } },
    stream: stream || undefined,
  })
  return withOptions(body, request.providerOptions)
}
