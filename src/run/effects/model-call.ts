// One model call with its retries and repair turns: what a model state and a decision have in common.
import type { DecideSpec, ModelSpec } from '../../agent/index.ts'
import type { Outcome } from '../../journal/index.ts'
import type { EffectContext, RunningEffect } from '../effect.ts'
import type { Thread } from '../thread.ts'
import type { ModelAsk } from '../call/ask.ts'
import { askModel } from './ask-model.ts'
import { attempts } from './attempts.ts'

/** The repair turn after an invalid output. */
const repairTurn = (thread: Thread, outcome: Outcome & { readonly ok: false }): void => {
  if (outcome.reply !== undefined) thread.push(outcome.reply)
  thread.push({ role: 'user', content: `Your reply did not match the required schema. ${outcome.failure.message} Reply again with only the corrected JSON.` })
}

/** Begins the call. @param ask gives what to ask, at each attempt. @param done gets the final outcome, once. */
export const openModelCall = (
  spec: ModelSpec | DecideSpec,
  context: EffectContext,
  thread: Thread,
  ask: () => Pick<ModelAsk, 'tools' | 'output' | 'expected' | 'prompt'>,
  done: (outcome: Outcome) => void,
): RunningEffect => {
  const resolved = (): ModelAsk => {
    const capUsd = context.limits.costUsd
    const budget = capUsd === undefined ? undefined : { capNano: Math.round(capUsd * 1e9), spentNano: context.spentNano() }
    return { ...ask(), run: context.run, key: context.key, state: context.state, model: spec.model, thread, timeout: spec.timeout, budget }
  }
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
      if (outcome.failure.code !== 'invalid_output' || repairs >= spec.repairs) return false
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
