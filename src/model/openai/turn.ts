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

/** The words of servers that speak this protocol, for each of ours. */
const FINISH_WORDS: { readonly [F in ModelReply['finish']]: string } = {
  stop: 'stop stop_sequence end_turn eos eos_token end complete completed',
  tool_calls: 'tool_calls tool_call tool_use function_call',
  length: 'length max_tokens max_output_tokens model_length max_length',
  content_filter: 'content_filter content_filtered safety recitation blocklist prohibited_content spii sensitive',
}

const FINISH = new Map(Object.entries(FINISH_WORDS).flatMap(([finish, words]) => words.split(' ').map((word) => [word, finish as ModelReply['finish']] as const)))

/** Words for a turn that did not end but broke off. */
const BROKEN: ReadonlyMap<string, Verdict> = new Map([
  ['error', { code: 'provider_error' }],
  ['network_error', { code: 'provider_error' }],
  ['insufficient_system_resource', { code: 'overloaded' }],
  ['abort', { code: 'stream_truncated' }],
  ['aborted', { code: 'stream_truncated' }],
  ['cancelled', { code: 'stream_truncated' }],
])

/** Why the model stopped, in our words; a verdict when it did not stop but broke off. */
export const readFinish = (reason: string): ModelReply['finish'] | Verdict => {
  const word = reason.toLowerCase()
  return FINISH.get(word) ?? BROKEN.get(word) ?? { code: 'malformed_response' }
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
