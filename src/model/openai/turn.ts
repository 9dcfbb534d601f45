// What both wires and both forms of reply end in: one turn of the model in pieces, made into a reply. Invariant: calls
// are only made from a turn whose end was seen.
import type { Usage } from '../../cost/index.ts'
import type { ModelReply } from '../provider.ts'
import { toToolCall } from '../tool-args.ts'
import type { Verdict } from './classify.ts'
import type { Reporter } from './report.ts'

/** A tool call in pieces. */
export interface CallPieces {
  id: string
  name: string
  args: string
}

/** One turn of the model. */
export interface Turn {
  readonly text: string
  readonly refusal: string
  readonly calls: readonly CallPieces[]
  readonly finish: ModelReply['finish']
  readonly usage: Usage | null
  readonly model: string
}

const FINISH: Readonly<Record<string, ModelReply['finish']>> = {
  stop: 'stop', stop_sequence: 'stop', end_turn: 'stop', eos: 'stop', eos_token: 'stop', end: 'stop', complete: 'stop', completed: 'stop',
  tool_calls: 'tool_calls', tool_call: 'tool_calls', tool_use: 'tool_calls', function_call: 'tool_calls',
  length: 'length', max_tokens: 'length', max_output_tokens: 'length', model_length: 'length', max_length: 'length',
  content_filter: 'content_filter', content_filtered: 'content_filter', safety: 'content_filter', recitation: 'content_filter',
  blocklist: 'content_filter', prohibited_content: 'content_filter', spii: 'content_filter', sensitive: 'content_filter',
} // prettier-ignore

const BROKEN: Readonly<Record<string, Verdict>> = {
  error: { code: 'provider_error' },
  network_error: { code: 'provider_error' },
  insufficient_system_resource: { code: 'overloaded' },
  abort: { code: 'stream_truncated' },
  aborted: { code: 'stream_truncated' },
  cancelled: { code: 'stream_truncated' },
}

/** Why the model stopped, in our words; a verdict when it did not stop but broke off. */
export const readFinish = (reason: string): ModelReply['finish'] | Verdict => {
  const key = reason.toLowerCase()
  if (Object.hasOwn(FINISH, key)) return FINISH[key] ?? 'stop'
  return Object.hasOwn(BROKEN, key) ? (BROKEN[key] ?? { code: 'provider_error' }) : { code: 'malformed_response' }
}

/** Makes the reply. @throws ModelCallError `malformed_response` when a call has no name. */
export const toReply = ({ text, refusal, calls, finish, usage, model }: Turn, report: Reporter): ModelReply => {
  const nameless = calls.find((call) => call.name === '')
  if (nameless !== undefined) throw report.malformed('it asked for a tool call without a name.', { usage, model })
  const made = calls.map((call, index) => toToolCall(call.id === '' ? `call_${index}` : call.id, call.name, call.args))
  return {
    message: { role: 'assistant', content: text.toWellFormed(), ...(made.length === 0 ? {} : { calls: made }) },
    finish,
    ...(refusal === '' ? {} : { refusal: refusal.toWellFormed() }),
    usage,
    model,
    ...(report.requestId === undefined ? {} : { requestId: report.requestId }),
  }
}
