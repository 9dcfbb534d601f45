// How an actor ended: the outcome its final state declares, and its output checked against the agent's schema.
import { fail, type Json } from '../failure/index.ts'
import type { RunEnd } from '../journal/index.ts'
import { findNonJson, formatIssues, toJson, validate } from '../schema/index.ts'
import type { Actor } from './actor.ts'

interface FinalNode {
  readonly type: string
  readonly path: readonly string[]
  readonly meta?: { readonly outcome?: 'done' | 'failed' | 'limited' }
}

const outcomeOf = (actor: Actor): 'done' | 'failed' | 'limited' => {
  const finals = (actor.snapshot._nodes as unknown as readonly FinalNode[]).filter((node) => node.type === 'final' && node.path.length === 1)
  return finals[0]?.meta?.outcome ?? 'done'
}

/** @throws FailureError `invalid_run_output` when the output is not what the agent promises. */
export const endOf = (actor: Actor): RunEnd => {
  const outcome = outcomeOf(actor)
  const raw: unknown = actor.snapshot.output
  const failed = outcome === 'done' || actor.lastFailure === undefined ? {} : { failure: withoutState(actor.lastFailure) }
  if (raw === undefined) return { outcome, ...failed }
  const bad = findNonJson(raw)
  if (bad !== undefined) fail('invalid_run_output', `The output of agent ${actor.agent.id} holds something that JSON cannot (at ${bad}).`)
  const checked = actor.agent.output === undefined || outcome !== 'done' ? { ok: true as const, value: raw } : validate(actor.agent.output, raw)
  if (!checked.ok) return fail('invalid_run_output', `The output of agent ${actor.agent.id} does not match its schema: ${formatIssues(checked.issues)}. Fix the final state.`)
  return { outcome, output: toJson(checked.value) as Json, ...failed }
}

const withoutState = ({ state: _state, ...failure }: NonNullable<Actor['lastFailure']>): NonNullable<RunEnd['failure']> => failure
