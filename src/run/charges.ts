// What an attempt was billed, as charges for the ledger. Invariant: a pure function of the run's entries, so that a run that
// is taken up again goes on counting where it stopped.
import { RUN_DIMENSIONS, type Charge, type Settlement } from '../cost/index.ts'
import type { CallRecord, Cause, Outcome, UnbilledCall } from '../journal/index.ts'
import { defined } from '../schema/index.ts'
import type { RunInfo, StepRequest } from './effect.ts'
import type { Fold } from './fold.ts'
import type { Arrival } from './port.ts'

/** What decides which groupings a charge falls into, beside its run. */
export type ChargedUnder = Pick<Charge, (typeof RUN_DIMENSIONS)[number]>

/** What each run was charged under before; beside the fold, which has no part in money. */
const seenBy = new WeakMap<Fold, ChargedUnder[]>()

const ALL = 2 ** RUN_DIMENSIONS.length - 1

/** What a run was charged under so far, to be noted for a fold that goes on from a snapshot. */
export const chargedOf = (fold: Fold): readonly ChargedUnder[] => seenBy.get(fold) ?? []

/** Notes what a run was charged under before. */
export const noteCharged = (fold: Fold, charged: readonly ChargedUnder[]): void => void seenBy.set(fold, [...charged])

/** The groupings in which this is the run's first charge, as bits; notes it for the next. */
const firstOf = (seen: ChargedUnder[], under: ChargedUnder): number => {
  const alike = seen.map((earlier) => alikeIn(earlier, under))
  // Seen with everything alike, it was seen in every grouping.
  if (alike.includes(ALL)) return 0
  seen.push(under)
  let bits = 0
  for (let grouping = 0; grouping <= ALL; grouping++) if (!alike.some((same) => (grouping & same) === grouping)) bits |= 1 << grouping
  return bits
}

/** The dimensions in which two charges are alike, as bits. */
const alikeIn = (one: ChargedUnder, other: ChargedUnder): number => RUN_DIMENSIONS.reduce((bits, dimension, bit) => (one[dimension] === other[dimension] ? bits | (1 << bit) : bits), 0)

/** `/researching#1:0` and `asking` as `researching/asking`: the counts of entries would make every run a group of its own. */
const stateOf = ({ state }: StepRequest): string => {
  if (!state.includes('/')) return state
  return state
    .split('/')
    .filter((part) => part !== '')
    .map((part) => part.replace(/#\d+(?::.*)?$/, ''))
    .join('/')
}

type Attempted = Extract<Cause, { readonly type: 'attempt' }>
type Billed = Pick<Charge, 'model' | 'prompt' | 'promptHash' | 'usage' | 'costNano' | 'latencyMs' | 'isCall' | 'failed' | 'isUnbilled' | 'estimatedTokens' | 'savedNano'>

const ofCall = ({ provider, model, prompt, promptHash, usage, costNano, latencyMs, failed, estimatedTokens, cached, savedNano }: CallRecord): Billed => ({
  model: `${provider}/${model}`,
  ...(prompt === undefined ? {} : { prompt }),
  ...(promptHash === undefined ? {} : { promptHash }),
  usage,
  costNano,
  latencyMs,
  isCall: true,
  failed: failed !== undefined,
  ...(estimatedTokens === undefined ? {} : { estimatedTokens }),
  ...(cached === true ? { savedNano: savedNano ?? null } : {}),
})

const ofUnbilled = ({ provider, model, prompt, promptHash, latencyMs }: UnbilledCall): Billed => ({
  model: `${provider}/${model}`,
  ...defined({ prompt, promptHash }),
  usage: null,
  costNano: 0,
  latencyMs,
  isCall: true,
  failed: true,
  isUnbilled: true,
})

const ofTool = (name: string, costNano: number, { durationMs }: Outcome): Billed => ({ model: `tool/${name}`, usage: null, costNano, latencyMs: durationMs, isCall: false, failed: false })

const keyOf = ({ agent, user, route, tenant }: RunInfo, step: StepRequest): Pick<Charge, 'user' | 'route' | 'tenant' | 'agent' | 'state'> => ({ ...defined({ user, route, tenant }), agent, state: stateOf(step) })

const billedIn = (step: StepRequest, outcome: Outcome): readonly Billed[] => [...(outcome.calls ?? []).map(ofCall), ...(outcome.addedNano === undefined ? [] : [ofTool(step.name, outcome.addedNano, outcome)])]

const chargesOf = (fold: Fold, { key: stepKey, attempt, outcome }: Attempted, at: number): readonly Charge[] => {
  const step = fold.steps.get(`${stepKey}.${attempt}`)
  const billed = step === undefined ? [] : [...billedIn(step, outcome), ...(outcome.unbilled ?? []).map(ofUnbilled)]
  if (step === undefined || billed.length === 0) return []
  const seen = seenBy.get(fold) ?? []
  seenBy.set(fold, seen)
  const key = keyOf(fold.info, step)
  // A run is counted by what it was charged for.
  return billed.map((one) => ({
    ...key,
    ...one,
    at,
    firstOf: one.isUnbilled === true ? 0 : firstOf(seen, { state: key.state, model: one.model, ...(one.promptHash === undefined ? {} : { promptHash: one.promptHash }) }),
  }))
}

/** Names an attempt among those of all runs. */
export const attemptId = (run: string, key: string, attempt: number): string => `${run}${key}.${attempt}`

/** What an arrival settles; undefined when nobody was billed and nothing was held. To be called before the fold takes the arrival, once for each. */
export const settlementOf = (fold: Fold, { cause, at }: Arrival): Settlement | undefined => {
  if (cause.type !== 'attempt') return undefined
  const charges = chargesOf(fold, cause, at)
  if (charges.length === 0 && cause.outcome.held !== true) return undefined
  return { charges, ...(cause.outcome.held === true ? { attempt: attemptId(fold.info.id, cause.key, cause.attempt) } : {}) }
}

/**
 * What an attempt settles that the run has left, so that no entry will: calls that had answered, and calls that were broken
 * off and may have been billed. To be left is no failure of a prompt.
 */
export const abandonedOf = (info: RunInfo, step: StepRequest, outcome: Outcome, at: number): Settlement | undefined => {
  const calls = outcome.calls?.map(({ failed, ...call }) => ({ ...call, ...(failed === undefined || failed === 'cancelled' ? {} : { failed }) }))
  const charges = billedIn(step, { ...outcome, ...defined({ calls }) }).map((one) => ({ ...keyOf(info, step), ...one, at, firstOf: 0 }))
  if (charges.length === 0 && outcome.held !== true) return undefined
  return { charges, ...(outcome.held === true ? { attempt: attemptId(info.id, step.key, step.attempt) } : {}) }
}
