// What a scripted model answers: plain data with one maker per kind. Invariant: the same answer to the same request has
// the same token counts everywhere.
import { failure, type CodesOf, type Failure, type FailureOptions, type Json } from '../../failure/index.ts'
import type { Usage } from '../../cost/index.ts'
import type { Message, ToolCall } from '../../prompt/index.ts'
import type { ModelReply, ModelRequest } from '../provider.ts'

/** How an answer arrives; every kind of answer takes these. */
export interface ReplyOptions {
  /** Before the first piece, milliseconds of the provider's clock. Default 0. */
  readonly delayMs?: number
  /** Between two pieces of a stream, milliseconds. Default 0. */
  readonly pieceMs?: number
  /** Default: counted, four characters to a token. */
  readonly usage?: Usage | null
  /** Default `tool_calls` with calls, else `stop`. */
  readonly finish?: ModelReply['finish']
  /** Name of the model that answers. Default: the one that was asked. */
  readonly model?: string
}

/** A call that a scripted model asks for. */
export interface ScriptedCall {
  /** Name of the tool. */
  readonly name: string
  /** Arguments, as JSON. */
  readonly args: Json
  /** Default `call_1`, `call_2` … in the thread. */
  readonly id?: string
  /** Text that is no JSON, to be sent instead of the arguments. */
  readonly raw?: string
}

/** One answer of a scripted model. */
export type ScriptedReply = (ReplyOptions & { readonly text?: string; readonly refusal?: string; readonly calls?: readonly ScriptedCall[] }) | (Pick<ReplyOptions, 'delayMs' | 'usage'> & { readonly failure: Failure })

/** Answers with text. */
export const replyText = (text: string, options: ReplyOptions = {}): ScriptedReply => ({ ...options, text })

/** Answers with a value as JSON, for a state with an output schema. */
export const replyOutput = (value: Json, options: ReplyOptions = {}): ScriptedReply => ({ ...options, text: JSON.stringify(value) })

/** Asks for tool calls, all in one turn. */
export const replyCalls = (...calls: readonly ScriptedCall[]): ScriptedReply => ({ calls })

/** Declines in the way providers mark refusals. */
export const replyRefusal = (words = "I'm sorry, but I can't help with that.", options: ReplyOptions = {}): ScriptedReply => ({ ...options, refusal: words })

/**
 * Fails the attempt.
 * @example replyFailure('rate_limited', { provider: { status: 429, retryAfterMs: 2_000 } })
 */
export const replyFailure = (
  code: CodesOf<'model'>,
  options: FailureOptions &
    Pick<ReplyOptions, 'delayMs' | 'usage'> & {
      /** What was attempted, what was seen, what to do. Default: names the code. */
      readonly message?: string
    } = {},
): ScriptedReply => {
  const { delayMs, usage, message = `The scripted model fails here with ${code}.`, ...rest } = options
  return { failure: failure(code, message, rest), ...(delayMs === undefined ? {} : { delayMs }), ...(usage === undefined ? {} : { usage }) }
}

const CHARACTERS_PER_TOKEN = 4

const tokensOf = (text: string): number => Math.ceil(text.length / CHARACTERS_PER_TOKEN)

const callText = (call: ToolCall): string => call.name + (call.raw ?? JSON.stringify(call.args))

/** Each message is counted once, however many requests carry it. */
const counted = new WeakMap<Message, number>()

const messageTokens = (message: Message): number => {
  const known = counted.get(message)
  if (known !== undefined) return known
  const content = typeof message.content === 'string' ? message.content : message.content.map((part) => (part.type === 'text' ? part.text : JSON.stringify(part.data))).join('')
  const calls = message.role === 'assistant' ? (message.calls ?? []).map(callText).join('') : ''
  const tokens = tokensOf(content + calls)
  counted.set(message, tokens)
  return tokens
}

const countUsage = (request: ModelRequest, said: string): Usage => {
  const thread = request.messages.reduce((sum, message) => sum + messageTokens(message), 0)
  const offered = tokensOf((request.tools === undefined ? '' : JSON.stringify(request.tools)) + (request.output === undefined ? '' : JSON.stringify(request.output.schema)))
  return { inputTokens: thread + offered, outputTokens: tokensOf(said) }
}

/** Calls so far in the thread, so that new ids repeat none. */
const callsBefore = (messages: readonly Message[]): number => messages.reduce((sum, message) => sum + (message.role === 'assistant' ? (message.calls?.length ?? 0) : 0), 0)

const toCalls = (request: ModelRequest, calls: readonly ScriptedCall[]): readonly ToolCall[] => {
  const before = calls.some(({ id }) => id === undefined) ? callsBefore(request.messages) : 0
  return calls.map(({ id = '', name, args, raw }, at) => ({
    id: id || `call_${before + at + 1}`,
    name,
    ...(raw === undefined ? { args } : { args: null, raw }),
  }))
}

/** Makes the complete reply to a request. */
export const toModelReply = (request: ModelRequest, scripted: Exclude<ScriptedReply, { readonly failure: Failure }>): ModelReply => {
  const { text = '', refusal, finish, model = request.model, usage } = scripted
  const calls = toCalls(request, scripted.calls ?? [])
  return {
    message: { role: 'assistant', content: text, ...(calls.length === 0 ? {} : { calls }) },
    finish: finish ?? (calls.length === 0 ? 'stop' : 'tool_calls'),
    ...(refusal === undefined ? {} : { refusal }),
    usage: usage === undefined ? countUsage(request, text + (refusal ?? '') + calls.map(callText).join('')) : usage,
    model,
  }
}
