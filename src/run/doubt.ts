// Effects that may or may not have happened: the failure a machine may route, and what a person's word turns into.
import { failure, type Failure, type Json } from '../failure/index.ts'
import type { Outcome } from '../journal/index.ts'
import type { Fold } from './fold.ts'

/** The failure of an effect whose process died between intent and result. */
const inDoubt = (stepKey: string, name: string): Failure =>
  failure('in_doubt', `${name} was under way when the process died, so it may or may not have happened. Find out, then send RESOLVE with action retry, done or fail.`, { details: { key: stepKey } })

/** Puts a step in doubt: its machine takes that as a failure where it can, else the run waits for a person. */
export const putInDoubt = (fold: Fold, stepKey: string): void => {
  const step = fold.steps.get(stepKey)
  const owner = step === undefined ? undefined : fold.owners.get(step.key)
  if (step === undefined || owner === undefined) return
  const { actor, effect } = owner
  const error = { type: `xstate.error.actor.${effect.id}`, error: inDoubt(stepKey, step.name), actorId: effect.id }
  if (actor.snapshot.can(error)) fold.endEffect(actor, effect, error)
  else fold.doubted.add(stepKey)
}

/** What a RESOLVE event with action `done` or `fail` says about the effect. */
export const resolvedOutcome = (event: { readonly [field: string]: Json }): Outcome => {
  if (event['action'] === 'done') return { ok: true, value: event['value'] ?? null, durationMs: 0 }
  const message = event['message']
  return { ok: false, failure: failure('tool_failed', typeof message === 'string' ? message : 'A person said that the call did not happen.'), durationMs: 0 }
}
