// Users and routes that cost far more than they used to. Each is judged against its own past only, so that a heavy user who
// was always heavy is no surprise. Invariant: somebody without a past is never reported; there is nothing to compare with.
import type { LedgerRow } from './ledger.ts'
import { toUsd } from './usage.ts'

/** A user or a route far above its own history. */
export interface Surprise {
  /** Whether it is a user or a route. */
  readonly dimension: 'user' | 'route'
  /** Its name. */
  readonly value: string
  /** Cost of the period, USD. */
  readonly costUsd: number
  /** Median cost of the periods before, USD. */
  readonly usualUsd: number
  /** Most that would have been no surprise, USD. */
  readonly thresholdUsd: number
}

/** Periods before that must hold charges or come after the first that does. */
const LEAST_HISTORY = 3
/** Distance from the median, in robust standard deviations. */
const MOST_DEVIATIONS = 5
/** The usual spread is taken to be at least this share of the median, so that steady spending is not a surprise at once. */
const LEAST_SPREAD = 0.1
/** And at least twice the median. */
const LEAST_FACTOR = 2
/** Less than this share of everything that was spent surprises nobody. */
const LEAST_SHARE = 0.01
/** Turns a median absolute deviation into a standard deviation, for normal data. @see https://en.wikipedia.org/wiki/Median_absolute_deviation */
const TO_DEVIATION = 1.4826

const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2
}

/** The most that these periods let one expect. */
const thresholdOf = (past: readonly number[]): { readonly usual: number; readonly most: number } => {
  const usual = median(past)
  const spread = TO_DEVIATION * median(past.map((value) => Math.abs(value - usual)))
  return { usual, most: Math.max(usual + MOST_DEVIATIONS * Math.max(spread, LEAST_SPREAD * usual), LEAST_FACTOR * usual) }
}

const costBy = (rows: readonly LedgerRow[], dimension: Surprise['dimension'], place: (row: LedgerRow) => number): ReadonlyMap<string, number[]> => {
  const costs = new Map<string, number[]>()
  for (const row of rows) {
    const value = row.key[dimension]
    if (value === undefined) continue
    const series = costs.get(value) ?? []
    costs.set(value, series)
    series[place(row)] = (series[place(row)] ?? 0) + row.total.costNano
  }
  return costs
}

/** Finds them, furthest above what is usual first. @param rows costs by user and route in windows. @param periods the period that is looked at, and how many as long came before. */
export const surprisesIn = (rows: readonly LedgerRow[], periods: { readonly sinceMs: number; readonly lengthMs: number; readonly windows: number }): readonly Surprise[] => {
  const { sinceMs, lengthMs, windows } = periods
  const current = rows.filter(({ windowMs }) => windowMs === sinceMs)
  const history = rows.filter(({ windowMs }) => windowMs < sinceMs)
  const least = LEAST_SHARE * current.reduce((sum, row) => sum + row.total.costNano, 0)
  const found = (['user', 'route'] as const).flatMap((dimension) => {
    const past = costBy(history, dimension, ({ windowMs }) => windows - Math.round((sinceMs - windowMs) / lengthMs))
    return [...costBy(current, dimension, () => 0)].flatMap(([value, [cost = 0]]): readonly Surprise[] => {
      const series = past.get(value) ?? []
      const first = series.findIndex((spent) => spent !== undefined)
      const known = first < 0 ? [] : Array.from({ length: windows - first }, (_, index) => series[first + index] ?? 0)
      const { usual, most } = thresholdOf(known)
      if (known.length < LEAST_HISTORY || cost <= most || cost < least) return []
      return [{ dimension, value, costUsd: toUsd(cost), usualUsd: toUsd(usual), thresholdUsd: toUsd(most) }]
    })
  })
  return found.toSorted((a, b) => b.costUsd - b.thresholdUsd - (a.costUsd - a.thresholdUsd))
}
