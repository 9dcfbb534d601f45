// What was spent, grouped as asked, next to the period before. Pure but for reading the ledger. Invariant: an unknown price is
// counted and shown as unknown, never as nothing, and shares are of what is known.
import { RUN_DIMENSIONS, type ChargeKey } from './charge.ts'
import { quantile } from './histogram.ts'
import { addTotal, emptyTotal, HOUR_MS, type LedgerRow, type LedgerStore, type Total } from './ledger.ts'
import { surprisesIn, type Surprise } from './surprises.ts'
import { toUsd } from './usage.ts'

/** All of them, in the order that reports show. */
export const COST_DIMENSIONS = ['user', 'route', 'tenant', 'agent', 'state', 'model', 'prompt', 'promptHash'] as const
/** What costs can be grouped by. */
export type CostDimension = (typeof COST_DIMENSIONS)[number]

/** What to report. */
export interface CostOptions {
  /** Groups by all of these together; default: one group. */
  readonly by?: readonly CostDimension[]
  /** Milliseconds UTC; whole hours are read. */
  readonly sinceMs: number
  /** End of the period, milliseconds UTC; not included. */
  readonly untilMs: number
  /** Only charges with these fields. Default: all. */
  readonly where?: Partial<ChargeKey>
  /** How many of the dearest runs to list; default 5. */
  readonly topRuns?: number
}

/** What a group of calls used and cost. */
export interface CostSums {
  /** USD of all calls whose price is known; null when there are calls and no price of any of them is known. */
  readonly costUsd: number | null
  /** Calls without a known price: they are not part of `costUsd`. */
  readonly unpricedCalls: number
  /** Billed model calls, failed ones included. */
  readonly calls: number
  /** Billed calls that failed; part of `calls`. */
  readonly failedCalls: number
  /** Calls without reported usage, counted at what was reserved for them. */
  readonly estimatedCalls: number
  /** Input tokens of the calls. */
  readonly inputTokens: number
  /** Output tokens of the calls. */
  readonly outputTokens: number
  /** Part of `inputTokens`. */
  readonly cachedTokens: number
  /** Part of `inputTokens`: those that the provider wrote to its cache. */
  readonly cacheWriteTokens: number
  /** Part of `outputTokens`. */
  readonly reasoningTokens: number
  /** Calls that the response cache answered. */
  readonly cacheHits: number
  /** USD that answers from the cache did not cost. */
  readonly savedUsd: number
  /** Runs that were charged for the first time in this group. */
  readonly runs: number
  /** `costUsd` by `runs`, USD; null when no run began. */
  readonly costPerRunUsd: number | null
  /** Half of the calls cost no more, USD, within 5 %; null when no price is known. */
  readonly p50Usd: number | null
  /** 95 % of calls cost no more, USD, within 5 %; null when no price is known. */
  readonly p95Usd: number | null
  /** Half of the calls took no longer, milliseconds, within 5 %; null when there are none. */
  readonly p50LatencyMs: number | null
  /** 95 % of calls took no longer, milliseconds, within 5 %; null when there are none. */
  readonly p95LatencyMs: number | null
}

/** What a group of calls used and cost, beside the period before. */
export interface CostGroup extends CostSums {
  /** What the group has in common; null where a call had no such field. */
  readonly key: { readonly [name in CostDimension]?: string | null }
  /** Of all known cost, 0 to 1; null where the cost is unknown. */
  readonly share: number | null
  /** Cost of the same group in the period of the same length before, USD. */
  readonly previousUsd: number
  /** Growth against it: 0.5 for half as much again; null when it cost nothing, or costs what is not known. */
  readonly change: number | null
}

/** What was spent. */
export interface CostReport {
  /** Beginning of the period, milliseconds UTC, on a whole hour. */
  readonly sinceMs: number
  /** End of the period, milliseconds UTC; not included. */
  readonly untilMs: number
  /** What the groups have in common. */
  readonly by: readonly CostDimension[]
  /** Sums of all groups, beside the period before. */
  readonly total: CostSums & Pick<CostGroup, 'previousUsd' | 'change'>
  /** Dearest first. */
  readonly groups: readonly CostGroup[]
  /** Runs that were started in the period and cost most so far. */
  readonly topRuns: readonly {
    readonly run: string
    readonly agent: string
    readonly user?: string
    readonly route?: string
    readonly tenant?: string
    readonly startedAt: number
    readonly costUsd: number
    readonly modelCalls: number
  }[]
  /** Users and routes far above their own history. */
  readonly surprises: readonly Surprise[]
}

/** The grouping of RUN_DIMENSIONS that counts runs of groups like these. A prompt's name goes with its hash. */
const runGroupingOf = (by: readonly CostDimension[]): number => {
  const has = (dimension: (typeof RUN_DIMENSIONS)[number]): boolean => by.includes(dimension) || (dimension === 'promptHash' && by.includes('prompt'))
  return RUN_DIMENSIONS.reduce((bits, dimension, bit) => (has(dimension) ? bits | (1 << bit) : bits), 0)
}

const usdOf = (nano: number | null): number | null => (nano === null ? null : toUsd(nano))

/** An unknown cost is not a cost of nothing. */
const isUnknown = ({ calls, unpriced }: Total): boolean => calls > 0 && unpriced === calls

const sumsOf = (total: Total, grouping: number): CostSums => {
  const runs = total.runs[grouping] ?? 0
  const { calls, inputTokens, outputTokens, cachedTokens, cacheWriteTokens, reasoningTokens, cacheHits } = total
  return {
    costUsd: isUnknown(total) ? null : toUsd(total.costNano),
    unpricedCalls: total.unpriced,
    calls,
    failedCalls: total.failed,
    estimatedCalls: total.estimated,
    inputTokens,
    outputTokens,
    cachedTokens,
    cacheWriteTokens,
    reasoningTokens,
    cacheHits,
    savedUsd: toUsd(total.savedNano),
    runs,
    costPerRunUsd: runs === 0 || isUnknown(total) ? null : toUsd(total.costNano / runs),
    p50Usd: usdOf(quantile(total.costs, 0.5)),
    p95Usd: usdOf(quantile(total.costs, 0.95)),
    p50LatencyMs: quantile(total.latencies, 0.5),
    p95LatencyMs: quantile(total.latencies, 0.95),
  }
}

const againstOf = (total: Total, beforeNano: number): Pick<CostGroup, 'previousUsd' | 'change'> => ({
  previousUsd: toUsd(beforeNano),
  change: beforeNano === 0 || isUnknown(total) ? null : (total.costNano - beforeNano) / beforeNano,
})

/** Rows added up by what a group has in common. */
const grouped = (rows: readonly LedgerRow[], by: readonly CostDimension[]): ReadonlyMap<string, { readonly key: CostGroup['key']; readonly total: Total }> => {
  const groups = new Map<string, { readonly key: CostGroup['key']; readonly total: Total }>()
  for (const row of rows) {
    const values = by.map((dimension) => row.key[dimension] ?? null)
    const id = JSON.stringify(values)
    const group = groups.get(id) ?? { key: Object.fromEntries(by.map((dimension, index) => [dimension, values[index] ?? null])), total: emptyTotal() }
    groups.set(id, group)
    addTotal(group.total, row.total)
  }
  return groups
}

/** Periods of the same length that surprises are judged against. */
const HISTORY = 8

/** Reports what was spent. Reads the ledger only, so that ten million calls are answered for in moments. @throws FailureError `journal_unavailable`. */
export const reportCosts = async (ledger: LedgerStore, options: CostOptions): Promise<CostReport> => {
  const { by = [], where = {}, topRuns = 5 } = options
  const sinceMs = Math.floor(options.sinceMs / HOUR_MS) * HOUR_MS
  const untilMs = Math.max(sinceMs + HOUR_MS, Math.ceil(options.untilMs / HOUR_MS) * HOUR_MS)
  const lengthMs = untilMs - sinceMs
  const costOnly = { where, only: ['costNano'] } as const
  const current = await ledger.read({ sinceMs, untilMs, by, where })
  const before = grouped(await ledger.read({ sinceMs: sinceMs - lengthMs, untilMs: sinceMs, by, ...costOnly }), by)
  const spending = await ledger.read({ sinceMs: sinceMs - HISTORY * lengthMs, untilMs, widthMs: lengthMs, by: ['user', 'route'], ...costOnly })
  const all = emptyTotal()
  for (const row of current) addTotal(all, row.total)
  const allBefore = [...before.values()].reduce((sum, { total }) => sum + total.costNano, 0)
  const grouping = runGroupingOf(by)
  const groups = [...grouped(current, by)].map(([id, { key, total }]): CostGroup => {
    const share = all.costNano === 0 ? 0 : total.costNano / all.costNano
    return { key, ...sumsOf(total, grouping), share: isUnknown(total) ? null : share, ...againstOf(total, before.get(id)?.total.costNano ?? 0) }
  })
  const dear = await ledger.dearest({ sinceMs, untilMs, where, limit: topRuns })
  return {
    sinceMs,
    untilMs,
    by,
    total: { ...sumsOf(all, 0), ...againstOf(all, allBefore) },
    // Calls that were only turned away are nobody's cost.
    groups: groups.filter(({ calls, cacheHits, costUsd }) => calls + cacheHits + (costUsd ?? 0) > 0).toSorted((a, b) => (b.costUsd ?? 0) - (a.costUsd ?? 0) || b.calls - a.calls),
    topRuns: dear.map(({ costNano, ...run }) => ({ ...run, costUsd: toUsd(costNano) })),
    surprises: surprisesIn(spending, { sinceMs, lengthMs, windows: HISTORY }),
  }
}
