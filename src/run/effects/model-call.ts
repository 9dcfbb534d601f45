// One model call with its retries and repair turns: what a model state and a decision have in common.
// Invariant: what is asked is decided purely, at each attempt; only performing it touches the world.
import type { CompactSpec, DecideSpec, ModelSpec } from '../../agent/index.ts'
import type { Outcome } from '../../journal/index.ts'
import type { EffectContext, RunningEffect } from '../effect.ts'
import type { Thread } from '../thread.ts'
import { askModel } from '../call/ask-model.ts'
import type { ModelAsk } from '../call/ask.ts'
import { attempts } from './attempts.ts'

/** The repair turn after an invalid output. */
const repairTurn = (thread: Thread, outcome: Outcome & { readonly ok: false }): void => {
  if (outcome.reply !== undefined) thread.push(outcome.reply)
  thread.push({ role: 'user', content: `Your reply did not match the required schema. ${outcome.failure.message} Reply again with only the corrected JSON.` })
}

/** The states that ask a model. */
type Asking = ModelSpec | DecideSpec | CompactSpec

/** What differs between the calls of one state: tools, schema, expectations and the prompt. */
export type Asked = Pick<ModelAsk, 'tools' | 'output' | 'expected' | 'hideOutput' | 'prompt' | 'toolChoice' | 'embeds'> & Partial<Pick<ModelAsk, 'model'>>

/** The whole of what a state asks now. */
export const resolveAsk = (spec: Asking, context: EffectContext, thread: Thread, asked: Asked): ModelAsk => ({
  model: spec.model,
  ...asked,
  run: context.run,
  key: context.key,
  state: context.state,
  thread,
  timeout: spec.timeout,
  cache: spec.kind === 'model' ? spec.cache : undefined,
  breaker: spec.breaker,
  limiter: spec.limiter,
})

/** Begins the call. @param ask gives what to ask beside the thread, once. @param done gets the final outcome, once. */
export const openModelCall = (spec: Asking, context: EffectContext, thread: Thread, ask: () => Asked, done: (outcome: Outcome) => void): RunningEffect => {
  // What is asked beside the thread is the same at each attempt.
  let whole: ModelAsk | undefined
  const resolved = (): ModelAsk => (whole ??= resolveAsk(spec, context, thread, ask()))
  let repairs = 0
  const call = attempts({
    context,
    suffix: '',
    about: 'model',
    name: `${spec.model.provider}/${spec.model.model}`,
    safety: 'repeat',
    retry: spec.retry ?? {},
    defaultAttempts: 3,
    timeout: spec.timeout,
    call: resolved,
    perform: (io) => askModel(resolved(), io),
    repair: (outcome) => {
      if (outcome.failure.code !== 'invalid_output' || repairs >= ('repairs' in spec ? spec.repairs : 0)) return false
      repairs += 1
      repairTurn(thread, outcome)
      call.again()
      return true
    },
    done,
  })
  call.begin()
  return { attempt: (_suffix, attempt, outcome) => call.settle(attempt, outcome), timer: () => call.wake() }
}
