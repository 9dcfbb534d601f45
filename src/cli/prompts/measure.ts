// What a version did, with how sure one can be. Invariant: all runs of one user count as one observation of that user, so a
// few who run a lot do not make a difference look sure.
import { bootstrap, clusteredMean, intervalOf, percentile, wilson, type ClusteredValue, type Interval } from '../../eval/index.ts'
import type { PromptCall, PromptRun } from './calls.ts'

/** A figure with its 95 % interval; null where nothing can be said. */
export interface Measured {
  readonly value: number | null
  readonly interval: Interval | null
}

/** What the runs of one version say. */
export interface Measures {
  readonly units: number
  readonly runs: number
  /** Billed ones. */
  readonly calls: number
  /** USD; runs with a call of unknown price are left out. */
  readonly costUsdPerRun: Measured
  readonly latencyMsP50: Measured
  /** Share of the calls sent that failed, billed or not. */
  readonly failedCalls: Measured
  /** Share of ended runs that did not end as done. */
  readonly failedRuns: Measured
}

const NOTHING: Measured = { value: null, interval: null }

/** Fewer clusters than this say nothing of how far an estimate may be off. */
const FEWEST = 2

const meanOf = (values: readonly ClusteredValue[]): Measured => {
  if (values.length === 0) return NOTHING
  const estimate = clusteredMean(values)
  return { value: estimate.mean, interval: estimate.degrees + 1 < FEWEST ? null : intervalOf(estimate) }
}

const clustersOf = (values: readonly ClusteredValue[]): number => new Set(values.map(({ cluster }) => cluster)).size

/** A share; where nothing or everything failed, errors in clusters say nothing, and each cluster counts once. */
const shareOf = (values: readonly ClusteredValue[]): Measured => {
  const { value, interval } = meanOf(values)
  if (value === null) return NOTHING
  const clusters = clustersOf(values)
  if (value === 0 || value === 1) return { value, interval: wilson(value * clusters, clusters) }
  return { value, interval: interval === null ? null : [Math.max(0, interval[0]), Math.min(1, interval[1])] }
}

/** How fast a call was turned away says nothing of how long answers take. */
const billedOf = (calls: readonly PromptCall[]): readonly PromptCall[] => calls.filter(({ billed }) => billed)

const medianOf = (runs: readonly PromptRun[]): number =>
  percentile(
    runs.flatMap(({ calls }) => billedOf(calls).map(({ latencyMs }) => latencyMs)).toSorted((a, b) => a - b),
    0.5,
  )

const medianLatency = (runs: readonly PromptRun[]): Measured => {
  const answered = runs.filter(({ calls }) => billedOf(calls).length > 0)
  const clusters = [...Map.groupBy(answered, ({ unit }) => unit).values()]
  if (clusters.length === 0) return NOTHING
  return { value: medianOf(answered), interval: clusters.length < FEWEST ? null : bootstrap(clusters, (sample) => medianOf(sample.flat()), { resamples: 1_000 }) }
}

const costOf = ({ calls }: PromptRun): number | null => calls.reduce<number | null>((sum, { costNano }) => (sum === null || costNano === null ? null : sum + costNano / 1e9), 0)

const costs = (runs: readonly PromptRun[]): readonly ClusteredValue[] =>
  runs.flatMap((run) => {
    const value = costOf(run)
    return value === null ? [] : [{ value, cluster: run.unit }]
  })

const failures = (runs: readonly PromptRun[]): readonly ClusteredValue[] => runs.flatMap(({ unit, ok }) => (ok === undefined ? [] : [{ value: ok ? 0 : 1, cluster: unit }]))

/** Measures the runs of one version. */
export const measure = (runs: readonly PromptRun[]): Measures => ({
  units: new Set(runs.map(({ unit }) => unit)).size,
  runs: runs.length,
  calls: runs.reduce((sum, { calls }) => sum + billedOf(calls).length, 0),
  costUsdPerRun: meanOf(costs(runs)),
  latencyMsP50: medianLatency(runs),
  failedCalls: shareOf(runs.flatMap(({ unit, calls }) => calls.map(({ failed }) => ({ value: failed ? 1 : 0, cluster: unit })))),
  failedRuns: shareOf(failures(runs)),
})

/** The difference of two figures from their own intervals. @see Newcombe (1998), Interval estimation for the difference between independent proportions, method 10 */
const differenceOf = (control: Measured, variant: Measured): Measured => {
  if (control.value === null || variant.value === null) return NOTHING
  const value = variant.value - control.value
  if (control.interval === null || variant.interval === null) return { value, interval: null }
  const down = Math.hypot(variant.value - variant.interval[0], control.interval[1] - control.value)
  const up = Math.hypot(variant.interval[1] - variant.value, control.value - control.interval[0])
  return { value, interval: [value - down, value + up] }
}

/** How a variant differs from control: variant less control. */
export interface Difference {
  readonly costUsdPerRun: Measured
  readonly latencyMsP50: Measured
  readonly failedRuns: Measured
}

/** Compares a variant with control. */
export const differenceFrom = (control: Measures, variant: Measures): Difference => ({
  costUsdPerRun: differenceOf(control.costUsdPerRun, variant.costUsdPerRun),
  latencyMsP50: differenceOf(control.latencyMsP50, variant.latencyMsP50),
  failedRuns: differenceOf(control.failedRuns, variant.failedRuns),
})
