// An agent of one call: a single model state, or a fallback chain, and the two ways it can end. Invariant: equal shapes
// give equal structures, so that runs of one call share an agent however often it is made.
import type { BreakerPolicy, CachePolicy, LimiterPolicy, RetryPolicy, TimeoutPolicy } from '../policy/index.ts'
import { textOf, type Message, type Prompt } from '../prompt/index.ts'
import { defined, type Schema } from '../schema/index.ts'
import type { Agent, Limits } from './agent.ts'
import { finishAgent, type ErasedSetup } from './builder.ts'
import type { Models } from './model-ref.ts'
import type { PassThrough } from './spec.ts'
import { stateOf } from './state.ts'

/** Policies of one call; see the options of `t.model`. */
export interface CallAgentPolicies {
  /** When and how often a failed attempt is tried again. Default: 3 attempts of retryable failures. */
  readonly retry?: RetryPolicy
  /** Time limits of an attempt and of the whole call, milliseconds. Default: see {@link TimeoutPolicy}. */
  readonly timeout?: TimeoutPolicy
  /** How long an equal request gets the same answer. Default: each is performed. */
  readonly cache?: CachePolicy
  /** When calls to the model are refused for a while. Default: the runtime's; `false` for never. */
  readonly breaker?: BreakerPolicy | false
  /** How many calls to the model at once and how fast. Default: the runtime's; `false` for no limit. */
  readonly limiter?: LimiterPolicy | false
  /** Turns in which the model sees what was wrong with its output. Default 1. */
  readonly repairs?: number
}

/** What a call is made of, apart from what it is about. */
export interface CallShape extends CallAgentPolicies {
  /** Names the call in traces and costs. */
  readonly id: string
  readonly models: Models
  /** Alternatives in order: models by alias, `{ stale: true }`, `{ value }`. */
  readonly alternatives: readonly (string | { readonly stale: true } | { readonly value: unknown })[]
  /** Rendered with the run's `vars`; without it the run's `messages` are sent as they are. */
  readonly prompt?: Prompt
  readonly output?: Schema
  readonly limits?: Limits
  /** The run's `request` is sent as it is, and the reply, calls included, is the output. */
  readonly passThrough?: boolean
}

/** Input of such an agent. */
export interface CallInput {
  readonly vars?: unknown
  readonly messages?: readonly Message[]
  /** Said before the messages, without being part of the conversation. */
  readonly instructions?: string
  /** What a caller's own request says beside its messages. */
  readonly request?: PassThrough
}

interface CallContext {
  readonly context: CallInput & { readonly answer: unknown }
}

const described = { type: 'object', properties: { vars: {}, messages: {}, instructions: {}, request: {} } }

/** What was rendered is checked by the prompt, so any object passes here. */
const inputSchema: Schema<CallInput> = {
  '~standard': {
    version: 1,
    vendor: 'stateloop',
    validate: (value: unknown) => (typeof value === 'object' && value !== null ? { value } : { issues: [{ message: 'expected { vars } or { messages }' }] }),
    jsonSchema: { input: () => described, output: () => described },
  } as never,
}

/** The messages with the instructions before them: one message of instructions, since providers take no more. */
const messagesOf = ({ context: { messages = [], instructions } }: CallContext): readonly Message[] => {
  if (instructions === undefined) return messages
  const [first, ...rest] = messages
  if (first?.role !== 'system') return [{ role: 'system', content: instructions }, ...messages]
  return [{ ...first, content: `${instructions}\n\n${textOf(first.content)}` }, ...rest]
}

const isValue = (alternative: CallShape['alternatives'][number] | undefined): boolean => typeof alternative === 'object' && 'value' in alternative

/**
 * Makes the agent of a call.
 * @throws FailureError `agent_invalid`, listing every problem.
 */
export const callAgent = ({ id, models, alternatives, prompt, output, limits, passThrough = false, ...policies }: CallShape): Agent<CallInput> => {
  const canFail = !isValue(alternatives.at(-1))
  const setup: ErasedSetup = { id, models, input: inputSchema, ...(canFail ? { onFailure: 'failed' } : {}), ...defined({ limits }) }
  const asked = prompt === undefined ? { prompt: messagesOf } : { prompt, vars: ({ context }: CallContext) => context.vars ?? {} }
  const through = passThrough ? { passThrough: ({ context }: CallContext) => context.request ?? {} } : {}
  const options = { ...asked, ...through, ...defined({ output, ...policies }), save: ({ output: answer }: { readonly output: unknown }) => ({ answer }), onDone: 'done' }
  const [first, ...others] = alternatives
  const asking = others.length === 0 && typeof first === 'string' ? stateOf('model', { ...options, model: first }) : stateOf('fallback', { ...options, alternatives })
  const states = { asking, done: stateOf('final', { output: ({ context }: CallContext) => context.answer }), ...(canFail ? { failed: stateOf('final', { outcome: 'failed' }) } : {}) }
  return finishAgent(setup, { initial: 'asking', states }, { fields: ['answer'], problems: [] }) as unknown as Agent<CallInput>
}
