// One attempt performed outside of a run at work, as a replay does. Invariant: it always resolves; what is thrown becomes
// the outcome that a run would have journaled.
import { failure, failureOf } from '../failure/index.ts'
import type { Outcome } from '../journal/index.ts'
import { attemptId } from './charges.ts'
import type { Acting, StepRequest } from './effect.ts'

/** The outcome of an attempt that threw. */
export const outcomeOfThrown = (thrown: unknown, durationMs: number): Outcome => {
  const known = failureOf(thrown)
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return { ok: false, failure: known ?? failure('defect', `An effect threw what is not an expected failure: ${message}`, { cause: thrown }), durationMs }
}

/** Performs an attempt once, without retries or a deadline. */
export const performAttempt = async (acting: Acting, request: StepRequest): Promise<Outcome> => {
  const started = acting.clock.monotonic()
  try {
    return acting.secrets.scrub.data(await request.perform({ acting, attempt: attemptId(acting.clock.id(), request.key, request.attempt), signal: new AbortController().signal, watched: false, emit: () => {} }))
  } catch (thrown) {
    return outcomeOfThrown(thrown, Math.round(acting.clock.monotonic() - started))
  }
}
