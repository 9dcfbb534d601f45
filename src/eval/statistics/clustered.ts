// A mean whose errors come in clusters: cases that stand or fall together count as the one observation that they are.
// Invariant: when every case is a cluster of its own, this is the ordinary standard error of a mean.
// @see Liang and Zeger (1986); Miller (2024), Adding error bars to evals, section 2.2
import { studentQuantile } from './distributions.ts'
import type { Interval } from './wilson.ts'

/** One value with the cluster it belongs to. */
export interface ClusteredValue {
  readonly value: number
  readonly cluster: string
}

/** A mean with how sure it is. */
export interface Estimate {
  readonly mean: number
  /** NaN with fewer than two clusters. */
  readonly standardError: number
  /** Clusters less one. */
  readonly degrees: number
}

/** The mean of values and its standard error, with the correction for few clusters. */
export const clusteredMean = (values: readonly ClusteredValue[]): Estimate => {
  const mean = values.reduce((sum, { value }) => sum + value, 0) / values.length
  const sums = new Map<string, number>()
  for (const { value, cluster } of values) sums.set(cluster, (sums.get(cluster) ?? 0) + value - mean)
  const clusters = sums.size
  const squares = [...sums.values()].reduce((sum, residual) => sum + residual * residual, 0)
  const standardError = clusters < 2 ? Number.NaN : Math.sqrt((clusters / (clusters - 1)) * squares) / values.length
  return { mean, standardError, degrees: Math.max(0, clusters - 1) }
}

/** The interval of an estimate. @param level default 0.95. */
export const intervalOf = ({ mean, standardError, degrees }: Estimate, level = 0.95): Interval => {
  const spread = studentQuantile(1 - (1 - level) / 2, Math.max(1, degrees)) * standardError
  return [mean - spread, mean + spread]
}
