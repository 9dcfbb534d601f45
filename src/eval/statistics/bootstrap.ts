// Intervals by resampling pairs: what no formula gives, such as a ratio of percentiles. Invariant: whole clusters are drawn,
// base and head of a case together, and the same seed draws the same.
// @see Efron and Tibshirani (1993), An introduction to the bootstrap, chapter 13
import { seededRandom } from '../../clock/index.ts'
import type { Interval } from './wilson.ts'

/** Settings of a bootstrap. */
export interface BootstrapOptions {
  /** Default 0.95. */
  readonly level?: number
  /** How many samples are drawn. Default 2,000. */
  readonly resamples?: number
  readonly seed?: number
}

/** The value at a share of sorted values, between neighbours by their distance. */
export const percentile = (sorted: readonly number[], share: number): number => {
  const at = (sorted.length - 1) * share
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN]
  return low + (high - low) * (at - Math.floor(at))
}

/**
 * The percentile interval of a statistic of clusters. Samples for which the statistic is not a number are left out.
 * @param statistic called once for each sample; must not throw.
 */
export const bootstrap = <T>(clusters: readonly T[], statistic: (sample: readonly T[]) => number, { level = 0.95, resamples = 2_000, seed = 1 }: BootstrapOptions = {}): Interval => {
  const random = seededRandom(seed)
  const draw = (): readonly T[] => clusters.map(() => clusters[Math.floor(random() * clusters.length)] as T)
  const values = Array.from({ length: resamples }, () => statistic(draw()))
    .filter((value) => Number.isFinite(value))
    .toSorted((a, b) => a - b)
  return values.length === 0 ? [Number.NaN, Number.NaN] : [percentile(values, (1 - level) / 2), percentile(values, 1 - (1 - level) / 2)]
}
