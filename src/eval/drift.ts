// Drift: pinned cases run anew and compared with what was seen before. Invariant: a difference under unchanged hashes is the
// provider's; one under changed hashes is at least in part our own, and the two are never mixed.
import { systemClock } from '../clock/index.ts'
import { readCases } from './case-file.ts'
import { clusterOf, type EvalCase } from './case.ts'
import type { Evaluation } from './evaluation.ts'
import type { Identity } from './identity.ts'
import type { Observation } from './observation.ts'
import { runEvaluation, type RunEvaluationOptions } from './run-evaluation.ts'
import { bootstrap } from './statistics/bootstrap.ts'
import { clusteredMean, intervalOf } from './statistics/clustered.ts'
import { divergenceByChance, jensenShannon } from './statistics/divergence.ts'
import type { Interval } from './statistics/wilson.ts'
import { ResultStore } from './store.ts'

/** One number before and after, with the interval of its change or ratio. */
export interface Moved {
  readonly before: number
  readonly after: number
  readonly interval: Interval
}

/** What was found for cases of one kind. */
export interface DriftGroup {
  /** `provider`: nothing that the cases touch has changed. `ours`: something has. */
  readonly kind: 'provider' | 'ours'
  /** How many cases there are. */
  readonly cases: number
  /** Stored trials that were compared with. */
  readonly trialsBefore: number
  /** Trials that were run now. */
  readonly trialsAfter: number
  /** Pass rate; the interval is of the change. */
  readonly passRate: Moved
  /** How far the ways through the states differ: divergence from 0 to 1, and how often chance gives as much. */
  readonly paths: { readonly divergence: number; readonly chance: number }
  /** Share of runs in which a model refused; the interval is of the change. */
  readonly refusals: Moved
  /** Characters of the output; the interval is of the ratio. */
  readonly length: Moved
  /** USD per trial; the interval is of the ratio. null when a price is unknown or nothing was paid. */
  readonly costUsd: Moved | null
  /** Models that answered only before, and only after. */
  readonly models: { readonly gone: readonly string[]; readonly new: readonly string[] }
  /** What is more than noise, as sentences. */
  readonly findings: readonly string[]
}

/** What a look for drift found. */
export interface DriftResult {
  /** Name of the evaluation. */
  readonly name: string
  /** Results from this time on were compared with, milliseconds UTC. */
  readonly since: number
  /** Cases that nothing of ours touches, and cases that something does. */
  readonly groups: readonly DriftGroup[]
  /** Cases of which nothing was stored since then. */
  readonly unknown: readonly string[]
  /** Cost of the trials that were run now, USD; null when a price is unknown. */
  readonly costUsd: number | null
}

/** Options of `findDrift`, beside those of running. */
export interface DriftOptions extends Omit<RunEvaluationOptions, 'base' | 'affected' | 'commit'> {
  readonly identity: Identity
  readonly store: ResultStore
  /** Results from this time on are compared with, milliseconds UTC. */
  readonly since: number
}

interface Side {
  readonly observation: Observation
  readonly passed: boolean
}

interface Compared {
  readonly cluster: string
  readonly before: readonly Side[]
  readonly after: readonly Side[]
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length
const pathOf = ({ observation: { states, outcome } }: Side): string => states.map(({ state }) => state).join(' → ') || outcome
const lengthOf = ({ observation: { output } }: Side): number => (output === undefined ? 0 : (typeof output === 'string' ? output : JSON.stringify(output)).length)

/** A mean that may change by an amount. */
const movedBy = (all: readonly Compared[], value: (side: Side) => number): Moved => {
  const changes = all.map(({ cluster, before, after }) => ({ cluster, value: mean(after.map(value)) - mean(before.map(value)) }))
  return { before: mean(all.map(({ before }) => mean(before.map(value)))), after: mean(all.map(({ after }) => mean(after.map(value)))), interval: intervalOf(clusteredMean(changes)) }
}

/** A mean that may change by a factor. */
const movedTimes = (all: readonly Compared[], value: (side: Side) => number): Moved => {
  const sideOf = (sample: readonly Compared[], side: 'before' | 'after'): number => mean(sample.map((one) => mean(one[side].map(value))))
  return { before: sideOf(all, 'before'), after: sideOf(all, 'after'), interval: bootstrap(all, (sample) => sideOf(sample, 'after') / sideOf(sample, 'before')) }
}

const costOf = (all: readonly Compared[]): Moved | null => {
  const sides = all.flatMap(({ before, after }) => [...before, ...after])
  if (sides.some(({ observation }) => observation.costUsd === null)) return null
  const moved = movedTimes(all, ({ observation }) => observation.costUsd ?? 0)
  return moved.before > 0 ? moved : null
}

const modelsOf = (all: readonly Compared[]): DriftGroup['models'] => {
  const names = (side: 'before' | 'after'): ReadonlySet<string> => new Set(all.flatMap((one) => one[side].flatMap(({ observation }) => observation.models)))
  const [before, after] = [names('before'), names('after')]
  return { gone: [...before].filter((name) => !after.has(name)), new: [...after].filter((name) => !before.has(name)) }
}

/** Chance below which ways are called different. */
const UNLIKELY = 0.01
/** Factors within which a length or a cost counts as the same. */
const SAME_FACTOR: Interval = [0.8, 1.25]

const outside = ([low, high]: Interval, [from, to]: Interval): boolean => low > to || high < from

const findingsOf = ({ passRate, paths, refusals, length, costUsd, models }: Omit<DriftGroup, 'findings'>): readonly string[] => [
  ...(outside(passRate.interval, [0, 0]) ? [`the pass rate went from ${(passRate.before * 100).toFixed(1)} % to ${(passRate.after * 100).toFixed(1)} %`] : []),
  ...(paths.chance < UNLIKELY ? [`runs take other ways through the states (divergence ${paths.divergence.toFixed(3)}, chance ${paths.chance.toFixed(4)})`] : []),
  ...(outside(refusals.interval, [0, 0]) ? [`refusals went from ${(refusals.before * 100).toFixed(1)} % to ${(refusals.after * 100).toFixed(1)} %`] : []),
  ...(outside(length.interval, SAME_FACTOR) ? [`outputs are ${(length.after / length.before).toFixed(2)} times as long`] : []),
  ...(costUsd !== null && outside(costUsd.interval, SAME_FACTOR) ? [`a trial costs ${(costUsd.after / costUsd.before).toFixed(2)} times as much`] : []),
  ...(models.new.length > 0 ? [`${models.new.join(', ')} answered, which did not before`] : []),
]

const groupOf = (kind: DriftGroup['kind'], all: readonly Compared[]): readonly DriftGroup[] => {
  if (all.length === 0) return []
  const paths = all.map(({ before, after }) => ({ before: before.map(pathOf), after: after.map(pathOf) }))
  const divergence = jensenShannon(
    paths.flatMap(({ before }) => before),
    paths.flatMap(({ after }) => after),
  )
  const found = {
    kind,
    cases: all.length,
    trialsBefore: all.reduce((sum, { before }) => sum + before.length, 0),
    trialsAfter: all.reduce((sum, { after }) => sum + after.length, 0),
    passRate: movedBy(all, ({ passed }) => Number(passed)),
    paths: { divergence, chance: divergenceByChance(paths) },
    refusals: movedBy(all, ({ observation }) => Number(observation.refusals > 0)),
    length: movedTimes(all, lengthOf),
    costUsd: costOf(all),
    models: modelsOf(all),
  }
  return [{ ...found, findings: findingsOf(found) }]
}

/** The pinned cases: those tagged `canary`, or all when none is. */
const canariesOf = async ({ cases }: Evaluation): Promise<readonly EvalCase[]> => {
  const all = 'kind' in cases ? await readCases(cases) : cases
  const pinned = all.filter(({ tags }) => tags?.includes('canary') === true)
  return pinned.length === 0 ? all : pinned
}

/**
 * Runs the pinned cases anew, those with the tag `canary` or else all, and compares them with what was stored since a time.
 * @throws FailureError `usage` when a case or a scorer is wrong.
 */
export const findDrift = async (evaluation: Evaluation, { since, identity, store, ...options }: DriftOptions): Promise<DriftResult> => {
  const clock = options.clock ?? systemClock
  const startedAt = clock.now()
  const cases = await canariesOf(evaluation)
  const groups = { provider: [] as Compared[], ours: [] as Compared[] }
  const unknown: string[] = []
  const before = new Map(cases.map((one) => [one.id, store.between(one, since, startedAt)]))
  const result = await runEvaluation({ ...evaluation, cases, recordings: [] }, { ...options, identity, store, clock, earlier: before })
  for (const { case: one, trials, base = [] } of result.cases) {
    const after = trials.filter(({ status }) => status !== 'error').map(({ observation, status }) => ({ observation, passed: status === 'passed' }))
    const held = new Set((before.get(one.id) ?? []).filter((stored) => ResultStore.holds(identity, one, stored)).map(({ id }) => id))
    const kind = held.size > 0 ? 'provider' : 'ours'
    const earlier = base.filter(({ stored, status }) => status !== 'error' && (kind === 'ours' || held.has(stored))).map(({ observation, status }) => ({ observation, passed: status === 'passed' }))
    if (earlier.length === 0 || after.length === 0) unknown.push(one.id)
    else groups[kind].push({ cluster: clusterOf(one), before: earlier, after })
  }
  return { name: evaluation.name, since, groups: [...groupOf('provider', groups.provider), ...groupOf('ours', groups.ours)], unknown, costUsd: result.costUsd }
}
