// A stale answer as a state: what the cache still holds of an answer to the same request, even past its time to live.
// Invariant: nobody is asked and nothing is billed; without such an answer the failure before it stands.
import type { ModelSpec, RunView } from '../../agent/index.ts'
import { failure, type Failure } from '../../failure/index.ts'
import type { Outcome } from '../../journal/index.ts'
import { cacheParts } from '../call/ask-model.ts'
import { staleAnswer } from '../call/cached.ts'
import type { EffectContext, RunningEffect, StepIo } from '../effect.ts'
import type { Thread } from '../thread.ts'
import { attempts } from './attempts.ts'
import { resolveAsk, type Asked } from './model-call.ts'

/** The failure that led here, with what was seen since. */
const nothingStale = (context: EffectContext): Failure => {
  const { $run } = context.args().context as { readonly $run?: RunView }
  return $run?.lastFailure ?? failure('empty_response', `State ${context.state} found no earlier answer to this request in the cache. Put another alternative behind it.`)
}

/** Opens it; see `openModelCall`. */
export const openStale = (spec: ModelSpec, context: EffectContext, thread: Thread, ask: () => Asked, done: (outcome: Outcome) => void): RunningEffect => {
  const missing = nothingStale(context)
  const look = async (io: StepIo): Promise<Outcome> => {
    const started = io.acting.clock.monotonic()
    for (const model of spec.staleOf ?? []) {
      const asked = resolveAsk({ ...spec, model }, context, thread, ask())
      const found = asked.cache === undefined ? undefined : await staleAnswer({ policy: asked.cache, parts: cacheParts(asked, io.acting.provider(model.provider)), run: context.run }, io)
      if (found !== undefined) return found
    }
    return { ok: false, failure: missing, durationMs: Math.round(io.acting.clock.monotonic() - started) }
  }
  const call = attempts({ context, suffix: '', about: 'other', name: 'stale answer', safety: 'repeat', retry: {}, defaultAttempts: 1, timeout: spec.timeout, perform: look, done })
  call.begin()
  return { attempt: (_suffix, attempt, outcome) => call.settle(attempt, outcome), timer: () => call.wake() }
}
