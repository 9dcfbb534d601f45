// The gate's test: base and head paired by case, looked at after 1, 2, 3 … trials. Invariant: over all looks together, a
// change that changes nothing is blocked with a chance of at most alpha, because the blocking bound is corrected for looks.
// @see docs/why/eval-gate.md
import { clusteredMean, type Estimate } from './clustered.ts'
import { normalQuantile, studentQuantile } from './distributions.ts'
import type { Interval } from './wilson.ts'

/** One case with its results before and after a change, each from 0 to 1. */
export interface Pair {
  readonly id: string
  readonly cluster: string
  readonly base: readonly number[]
  readonly head: readonly number[]
}

/** What a gate says of a change. */
export type Verdict = 'regressed' | 'non_inferior' | 'inconclusive'

/** Settings of the test. */
export interface SequentialOptions {
  /** Largest loss that counts as none. */
  readonly margin: number
  /** Chance of blocking a change that changes nothing. */
  readonly alpha: number
  /** How many times the test may look. */
  readonly looks: number
  /** Cases that cannot have changed: they count as a difference of exactly nothing. Default 0. */
  readonly unchanged?: number
}

/** What the test says at one look. */
export interface Look {
  readonly verdict: Verdict
  /** Change over all cases. */
  readonly change: number
  /** The two-sided interval of the change that an error rate of 2 alpha gives; its lower end decides `non_inferior`. */
  readonly interval: Interval
  /** The upper bound that is corrected for looks; below 0 it blocks. */
  readonly blockBound: number
  /** Smallest loss that would be blocked at this look with a chance of 80 %. */
  readonly detectable: number
  /** Cases that may have changed. */
  readonly pairs: number
}

/** Clusters from which their spread alone says enough about the error. */
const ENOUGH_CLUSTERS = 20
const POWER = 0.8

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Variance of a mean of trials of one case, with one pass and one failure added so that few trials never look certain. */
const trialVariance = (values: readonly number[]): number => {
  const share = (values.reduce((sum, value) => sum + value, 0) + 1) / (values.length + 2)
  return (share * (1 - share)) / values.length
}

/** With few clusters, the spread between cases may be small by luck; the trials within them set a floor. */
const withFloor = (pairs: readonly Pair[], estimate: Estimate): Estimate => {
  if (estimate.degrees + 1 >= ENOUGH_CLUSTERS) return estimate
  const floor = Math.sqrt(pairs.reduce((sum, { base, head }) => sum + trialVariance(base) + trialVariance(head), 0)) / pairs.length
  return { ...estimate, standardError: Math.max(floor, Number.isNaN(estimate.standardError) ? 0 : estimate.standardError) }
}

/** Degrees of freedom: those of the clusters, or of the trials where their floor decides. */
const degreesOf = (pairs: readonly Pair[], { degrees }: Estimate): number =>
  degrees + 1 >= ENOUGH_CLUSTERS ? degrees : Math.max(degrees, pairs.reduce((sum, { base, head }) => sum + base.length + head.length, 0) - 2, 1)

/** Looks once. @param pairs cases that may have changed; each has a trial on both sides. */
export const look = (pairs: readonly Pair[], { margin, alpha, looks, unchanged = 0 }: SequentialOptions): Look => {
  if (pairs.length === 0) return { verdict: 'non_inferior', change: 0, interval: [0, 0], blockBound: 0, detectable: 0, pairs: 0 }
  const estimate = withFloor(pairs, clusteredMean(pairs.map(({ base, head, cluster }) => ({ value: meanOf(head) - meanOf(base), cluster }))))
  const share = pairs.length / (pairs.length + unchanged)
  const degrees = degreesOf(pairs, estimate)
  const change = estimate.mean * share
  const error = estimate.standardError * share
  const plain = studentQuantile(1 - alpha, degrees)
  const corrected = studentQuantile(1 - alpha / looks, degrees)
  const interval: Interval = [Math.max(-1, change - plain * error), Math.min(1, change + plain * error)]
  const blockBound = change + corrected * error
  const verdict = blockBound < 0 ? 'regressed' : interval[0] > -margin ? 'non_inferior' : 'inconclusive'
  return { verdict, change, interval, blockBound, detectable: Math.min(1, (corrected + normalQuantile(POWER)) * error), pairs: pairs.length }
}
