// The options of an AI SDK call as a request of ours: what a run is filed, hashed, cached and priced by. The call itself is
// made with the original options, so nothing that this view leaves out is lost.
import type { PassThrough } from '../../agent/index.ts'
import type { Json } from '../../failure/index.ts'
import type { CallOptions } from '../../model/index.ts'
import type { Content, Message, Part, ToolCall } from '../../prompt/index.ts'
import { toJson } from '../../schema/index.ts'

type PromptPart = { readonly type: string; readonly [field: string]: unknown }

/** What stands for a part that has no shape of ours: its JSON, so that another part gives another hash. */
const asText = (part: PromptPart): Part => ({ type: 'text', text: JSON.stringify(part, (_key, value: unknown) => (value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value)) })

const fileIn = (part: PromptPart): Part => {
  const data = part['data'] as { readonly type?: string; readonly data?: unknown; readonly url?: unknown } | string | URL | Uint8Array
  const inner = typeof data === 'object' && 'type' in data ? (data.data ?? data.url) : data
  const mediaType = String(part['mediaType'] ?? '')
  const type = mediaType.startsWith('image/') ? 'image' : mediaType.startsWith('audio/') ? 'audio' : 'file'
  if (typeof inner === 'string') return { type, mediaType, data: { base64: inner } }
  if (inner instanceof URL) return { type, mediaType, data: { url: inner.href } }
  return inner instanceof Uint8Array ? { type, mediaType, data: { base64: Buffer.from(inner).toString('base64') } } : asText(part)
}

const partIn = (part: PromptPart): Part => {
  if (part.type === 'text' && typeof part['text'] === 'string') return { type: 'text', text: part['text'] }
  return part.type === 'file' ? fileIn(part) : asText(part)
}

const contentIn = (parts: readonly PromptPart[]): Content => {
  const [only] = parts
  return parts.length === 1 && only?.type === 'text' ? String(only['text']) : parts.map(partIn)
}

const callIn = (part: PromptPart): ToolCall => ({ id: String(part['toolCallId']), name: String(part['toolName']), args: toJson(part['input']) ?? null })

const resultIn = (part: PromptPart): Message => {
  const { type = '', value } = (part['output'] ?? {}) as { readonly type?: string; readonly value?: unknown }
  const failed = type.startsWith('error') ? { failed: 'tool_failed' } : type === 'execution-denied' ? { failed: 'denied' } : {}
  return { role: 'tool', callId: String(part['toolCallId']), name: String(part['toolName']), content: typeof value === 'string' ? value : (JSON.stringify(value) ?? ''), ...failed }
}

/** The messages of a prompt. */
export const messagesIn = (prompt: CallOptions['prompt']): readonly Message[] =>
  prompt.flatMap(({ role, content }): readonly Message[] => {
    if (role === 'system') return [{ role, content: typeof content === 'string' ? content : contentIn(content) }]
    const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content
    if (role === 'user') return [{ role, content: contentIn(parts) }]
    if (role === 'tool') return parts.map(resultIn)
    const calls = parts.filter((part) => part.type === 'tool-call').map(callIn)
    const said = parts.filter((part) => part.type !== 'tool-call')
    return [{ role, content: said.length === 0 ? '' : contentIn(said), ...(calls.length === 0 ? {} : { calls }) }]
  })

const CHOICES: ReadonlySet<string> = new Set(['auto', 'none', 'required'])

/** What the options say beside the messages. Options without a place of their own are kept among the provider's. */
export const requestIn = ({ prompt: _prompt, abortSignal: _signal, maxOutputTokens, temperature, topP, stopSequences, tools = [], toolChoice, responseFormat, providerOptions, ...rest }: CallOptions): PassThrough => {
  const functions = tools.filter((tool) => tool.type === 'function')
  const { headers: _headers, includeRawChunks: _raw, ...others } = rest as { readonly [option: string]: unknown }
  const unplaced = {
    ...others,
    ...(functions.length === tools.length ? {} : { tools: tools.filter((tool) => tool.type !== 'function') }),
    ...(toolChoice === undefined || CHOICES.has(toolChoice.type) ? {} : { toolChoice }),
    ...(providerOptions === undefined ? {} : { providerOptions }),
  }
  const options = toJson(unplaced) as { readonly [key: string]: Json } | undefined
  return {
    params: {
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(topP === undefined ? {} : { topP }),
      ...(stopSequences === undefined ? {} : { stop: stopSequences }),
    },
    ...(functions.length === 0 ? {} : { tools: functions.map(({ name, description = '', inputSchema = {} }) => ({ name, description, parameters: inputSchema as never })) }),
    ...(toolChoice !== undefined && CHOICES.has(toolChoice.type) ? { toolChoice: toolChoice.type as 'auto' | 'none' | 'required' } : {}),
    ...(responseFormat?.type === 'json' ? { output: { name: responseFormat.name ?? 'output', schema: (responseFormat.schema ?? {}) as never } } : {}),
    ...(options === undefined || Object.keys(options).length === 0 ? {} : { providerOptions: options }),
  }
}
