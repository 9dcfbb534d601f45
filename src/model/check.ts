// From a complete reply to what a state does with it: text, a validated output, or tool calls; everything else is a typed
// failure. Invariant: pure, so a replay judges a recorded reply as the live run did.
import { failure, type Failure, type FailureCode, type Json } from '../failure/index.ts'
import { textOf, type ToolCall } from '../prompt/index.ts'
import { formatIssues, parseJson, type Issue, type Schema, type Validated } from '../schema/index.ts'
import { checkCalls, type CheckedCall } from './check-calls.ts'
import type { ModelReply } from './provider.ts'
import { isPlainRefusal, type RefusalDetector } from './refusal.ts'

/** What the state expects of a reply. */
export interface ReplyExpectation {
  /** Without it a reply is text. */
  readonly output?: {
    /** Undoes the strict transform of the schema. Must not throw. */
    readonly unwrap?: (value: Json) => Json
    readonly validate: (value: Json) => Validated<unknown>
  }
  /** Tools the model may call, by name. Without any, a reply with calls is malformed. */
  readonly tools?: { readonly [name: string]: { readonly input: Schema } }
  /** The tools are known to somebody else: calls are given as they are. */
  readonly anyCalls?: boolean
  /** A reply that stopped at its output limit is given as it is, instead of failing as `truncated`. */
  readonly cutAllowed?: boolean
  /** Finds refusals written as plain text; `false` turns it off. Default: `isPlainRefusal`. */
  readonly refusalDetector?: RefusalDetector | false
}

/**
 * A judged reply. `message` is what belongs into the thread: the reply's own, with duplicate call ids replaced. A failed
 * reply keeps it for a repair turn.
 */
export type CheckedReply =
  | { readonly kind: 'text'; readonly text: string; readonly message: ModelReply['message'] }
  | { readonly kind: 'output'; readonly value: unknown; readonly message: ModelReply['message'] }
  | { readonly kind: 'calls'; readonly calls: readonly CheckedCall[]; readonly message: ModelReply['message'] }
  | { readonly kind: 'failed'; readonly failure: Failure; readonly message: ModelReply['message'] }

const FENCED = /^```(?:json|JSON)?[^\S\n]*\n([^]*?)\n?```$/

/** Models that were not held to a schema often put their JSON into one code fence; only a fence around all of it is removed. */
const withoutFence = (text: string): string => FENCED.exec(text)?.[1] ?? text

const failed = (reply: ModelReply, code: FailureCode, seen: string, details?: { readonly [key: string]: Json }): CheckedReply => {
  const provider = { model: reply.model, ...(reply.requestId === undefined ? {} : { requestId: reply.requestId }) }
  return { kind: 'failed', failure: failure(code, seen, { provider, ...(details === undefined ? {} : { details }) }), message: reply.message }
}

const invalidOutput = (reply: ModelReply, issues: readonly Issue[]): CheckedReply =>
  failed(reply, 'invalid_output', `The output of ${reply.model} does not match the schema: ${formatIssues(issues)}. Simplify the schema, or route to another model.`, {
    issues: issues.slice(0, 20).map(({ path, message }) => ({ path, message })),
  })

const refused = (reply: ModelReply, words: string, by: 'provider' | 'text'): CheckedReply =>
  failed(reply, 'refused', `${reply.model} declined to answer: "${words.slice(0, 200)}". Route to a refusal answer or a person.`, {
    refusal: words.slice(0, 2000),
    by,
  })

const checkOutput = (reply: ModelReply, text: string, { unwrap, validate }: NonNullable<ReplyExpectation['output']>, isRefusal: RefusalDetector): CheckedReply => {
  const parsed = parseJson(withoutFence(text))
  if (!parsed.ok) return isRefusal(text) ? refused(reply, text, 'text') : invalidOutput(reply, parsed.issues)
  const valid = validate(unwrap === undefined ? parsed.value : unwrap(parsed.value))
  return valid.ok ? { kind: 'output', value: valid.value, message: reply.message } : invalidOutput(reply, valid.issues)
}

/** A turn with calls, each judged by itself; where none was offered there is nobody to answer them. */
const checkTurn = (reply: ModelReply, calls: readonly ToolCall[], { tools = {}, anyCalls = false }: ReplyExpectation): CheckedReply => {
  const { message } = reply
  if (!anyCalls && Object.keys(tools).length === 0) {
    const names = calls.map(({ name }) => name).join(', ')
    return failed(reply, 'malformed_response', `The reply of ${reply.model} calls ${names}, but it was offered no tools. Say in the prompt that the answer is text, or offer the tool.`)
  }
  const checked = checkCalls(calls, tools)
  const renamed = checked.some(({ call }, at) => call !== calls[at])
  return { kind: 'calls', calls: checked, message: renamed ? { ...message, calls: checked.map(({ call }) => call) } : message }
}

/**
 * Judges a complete reply.
 * Order: content filter, refusal, output limit, tool calls, empty, text or output. A reply with both text and calls is a
 * turn with calls. Problems of single calls are not failures of the reply: they are answered to the model.
 */
export const checkReply = (reply: ModelReply, expected: ReplyExpectation = {}): CheckedReply => {
  const { message, finish } = reply
  const detector = expected.refusalDetector ?? isPlainRefusal
  const isRefusal: RefusalDetector = detector === false ? () => false : detector
  if (finish === 'content_filter') return failed(reply, 'content_filtered', `A content filter stopped the reply of ${reply.model}. Route to a safe answer or rephrase the prompt.`)
  if (reply.refusal !== undefined) return refused(reply, reply.refusal, 'provider')
  const cut = finish === 'length'
  if (cut && expected.cutAllowed !== true) return failed(reply, 'truncated', `The reply of ${reply.model} stopped at the output token limit. Raise maxOutputTokens or ask for a shorter answer.`)
  if (message.calls !== undefined && message.calls.length > 0) return checkTurn(reply, message.calls, expected)
  const text = textOf(message.content)
  // Half an output is no output, and a caller who takes replies as they are knows what a cut one means.
  if (cut) return { kind: 'text', text, message }
  if (text.trim() === '') return failed(reply, 'empty_response', `The reply of ${reply.model} held neither text nor tool calls. Retry once; if it stays, check the prompt and the output token limit.`)
  if (expected.output !== undefined) return checkOutput(reply, text.trim(), expected.output, isRefusal)
  return isRefusal(text) ? refused(reply, text.trim(), 'text') : { kind: 'text', text, message }
}
