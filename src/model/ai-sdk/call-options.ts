// A request of ours as a model object of the AI SDK takes it. Invariant: nothing that decides the answer is left out; what
// cannot be said in its version is refused before anything is sent.
import type { Content, Message, Part } from '../../prompt/index.ts'
import { refuseExtras, RequestProblem, toArguments } from '../openai/request.ts'
import type { ModelRequest } from '../provider.ts'
import type { AiSdkModel, CallOptions, FileData, PromptMessage } from './shapes.ts'

const MEDIA = { image: 'image/*', audio: 'audio/wav', file: 'application/octet-stream' } as const

const toData = (part: Exclude<Part, { readonly type: 'text' }>, wrapped: boolean): FileData => {
  const { data } = part
  if ('blob' in data) throw new RequestProblem('a blob was not loaded.')
  if ('base64' in data) return wrapped ? { type: 'data', data: data.base64 } : data.base64
  const url = URL.parse(data.url)
  if (url === null) throw new RequestProblem(`a ${part.type} part names ${JSON.stringify(data.url.slice(0, 100))}, which is no address.`)
  return wrapped ? { type: 'url', url } : url
}

const toParts = (content: Content, wrapped: boolean): { readonly type: string; readonly [field: string]: unknown }[] =>
  (typeof content === 'string' ? [{ type: 'text' as const, text: content }] : content).map((part) => {
    refuseExtras(part)
    return part.type === 'text'
      ? { type: part.type, text: part.text }
      : { type: 'file', mediaType: part.mediaType ?? MEDIA[part.type], data: toData(part, wrapped), ...('name' in part && part.name !== undefined ? { filename: part.name } : {}) }
  })

const textIn = (content: Content): string => (typeof content === 'string' ? content : content.map((part) => (part.type === 'text' ? part.text : '')).join('\n'))

const toMessage = (message: Message, wrapped: boolean): PromptMessage => {
  refuseExtras(message)
  switch (message.role) {
    case 'system':
      return { role: 'system', content: textIn(message.content) }
    case 'user':
      return { role: 'user', content: toParts(message.content, wrapped) }
    case 'assistant': {
      const said = message.content === '' ? [] : toParts(message.content, wrapped)
      const calls = (message.calls ?? []).map((call) => ({ type: 'tool-call', toolCallId: call.id, toolName: call.name, input: call.raw === undefined ? call.args : (JSON.parse(toArguments(call)) as unknown) }))
      return { role: 'assistant', content: [...said, ...calls] }
    }
    case 'tool': {
      const output = { type: message.failed === undefined ? 'text' : 'error-text', value: textIn(message.content) }
      return { role: 'tool', content: [{ type: 'tool-result', toolCallId: message.callId, toolName: message.name, output }] }
    }
  }
}

/** Results that follow each other are one message: some providers refuse two tool messages in a row. */
const joinResults = (messages: readonly PromptMessage[]): readonly PromptMessage[] =>
  messages.reduce<readonly PromptMessage[]>((joined, message) => {
    const last = joined.at(-1)
    if (last?.role !== 'tool' || message.role !== 'tool' || typeof last.content === 'string' || typeof message.content === 'string') return [...joined, message]
    return [...joined.slice(0, -1), { role: 'tool', content: [...last.content, ...message.content] }]
  }, [])

/**
 * Writes the options of a call.
 * @param messages the request's own, with blobs loaded.
 * @throws RequestProblem for what cannot be said.
 */
export const toCallOptions = ({ specificationVersion }: AiSdkModel, request: ModelRequest, messages: readonly Message[], abortSignal: AbortSignal): CallOptions => {
  const { params, tools, toolChoice, output, providerOptions } = request
  const newest = specificationVersion === 'v4'
  if (params.verbosity !== undefined) throw new RequestProblem('a model of the AI SDK has no parameter `verbosity`. Say it in providerOptions, under the name of its provider.')
  return {
    prompt: joinResults(messages.map((message) => toMessage(message, newest))),
    maxOutputTokens: params.maxOutputTokens,
    ...(params.temperature === undefined ? {} : { temperature: params.temperature }),
    ...(params.topP === undefined ? {} : { topP: params.topP }),
    ...(params.stop === undefined ? {} : { stopSequences: params.stop }),
    ...(newest && params.reasoningEffort !== undefined ? { reasoning: params.reasoningEffort } : {}),
    ...(output === undefined ? {} : { responseFormat: { type: 'json', schema: output.schema, name: output.name, ...(output.description === undefined ? {} : { description: output.description }) } }),
    ...(tools === undefined ? {} : { tools: tools.map(({ name, description, parameters, strict }) => ({ type: 'function', name, description, inputSchema: parameters, ...(strict === undefined ? {} : { strict }) })) }),
    ...(toolChoice === undefined ? {} : { toolChoice: typeof toolChoice === 'object' ? { type: 'tool', toolName: toolChoice.name } : { type: toolChoice } }),
    ...(providerOptions === undefined ? {} : { providerOptions }),
    abortSignal,
  }
}
