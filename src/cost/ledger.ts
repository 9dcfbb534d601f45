// The ledger: charges added up by hour and by everything they can be grouped under. Stores write it in the transaction that
// settles the charges; reading it never touches single charges. Invariant: all amounts are integers, so sums are exact.
import { RUN_DIMENSIONS, type Charge, type ChargeKey } from './charge.ts'
import { addHistogram, countIn, type Histogram } from './histogram.ts'

/** Sums that a ledger keeps, each an integer. */
export const AMOUNTS = [
  'calls',
  'failed',
  /** Sent and failed without being billed: no part of any other sum. */
  'unbilled',
  /** Without reported usage: counted at what was reserved. */
  'estimated',
  /** Without a known price: not part of `costNano`. */
  'unpriced',
  'cacheHits',
  'savedNano',
  'inputTokens',
  'outputTokens',
  'cachedTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'costNano',
  'latencyMs',
] as const

/** Sums by name. */
export type Amounts = { [name in (typeof AMOUNTS)[number]]: number }

/** How many groupings of RUN_DIMENSIONS there are. */
export const RUN_GROUPINGS = 2 ** RUN_DIMENSIONS.length

/** Charges added up. */
export interface Total extends Amounts {
  /** Runs that were charged for the first time, by grouping; see `Charge.firstOf`. */
  readonly runs: number[]
  /** Costs of single calls, nano-dollars. */
  readonly costs: Histogram
  /** Durations of single calls, milliseconds. */
  readonly latencies: Histogram
  /** Times of the first and the last charge, milliseconds UTC. */
  firstAt: number
  lastAt: number
}

/** Charges of one key within one window. */
export interface LedgerRow {
  /** The fields that were asked for, where the charges have them. */
  readonly key: Partial<ChargeKey>
  /** Start of the window, milliseconds UTC. */
  readonly windowMs: number
  readonly total: Total
}

/** Which charges to read. */
export interface LedgerQuery {
  /** From the hour that holds this time, milliseconds UTC. */
  readonly sinceMs: number
  /** Up to the end of the hour before this time, or of the hour that holds it when it is not its start, milliseconds UTC. */
  readonly untilMs: number
  /** Splits what is read into windows of this width, counted from the first hour. Default: one window. */
  readonly widthMs?: number
  /** Reads only these sums, which is faster: the others stay 0, and the histograms empty. Default: everything. */
  readonly only?: readonly (keyof Amounts)[]
  /** Adds charges up that have these fields alike. Default: all fields. */
  readonly by?: readonly (keyof ChargeKey)[]
  /** Only charges with these fields. */
  readonly where?: Partial<ChargeKey>
}

/** A run by what it cost. */
export interface DearRun {
  readonly run: string
  readonly agent: string
  readonly user?: string
  readonly route?: string
  readonly tenant?: string
  readonly startedAt: number
  readonly costNano: number
  readonly modelCalls: number
}

/** Which runs to rank. */
export interface DearRunQuery {
  /** Started at or after, and before, milliseconds UTC. */
  readonly sinceMs: number
  readonly untilMs: number
  readonly where?: Pick<Partial<ChargeKey>, 'user' | 'route' | 'tenant' | 'agent'>
  readonly limit: number
}

/** What can be asked of a ledger. All methods reject with FailureError `journal_unavailable`, `journal_corrupt`. */
export interface LedgerStore {
  /** One row for each key and window that has charges, in no order. */
  read(query: LedgerQuery): Promise<readonly LedgerRow[]>
  /** Runs by cost, dearest first. */
  dearest(query: DearRunQuery): Promise<readonly DearRun[]>
}

/** An hour, milliseconds: the grain of the ledger. */
export const HOUR_MS = 3_600_000

/** Number of the hour that holds a time. */
export const hourOf = (atMs: number): number => Math.floor(atMs / HOUR_MS)

/** Hours that a query covers: from the first, before the last, in windows of so many. */
export const hoursOf = ({ sinceMs, untilMs, widthMs }: LedgerQuery): { readonly first: number; readonly end: number; readonly width: number } => {
  const first = hourOf(sinceMs)
  const end = Math.ceil(untilMs / HOUR_MS)
  return { first, end, width: widthMs === undefined ? Math.max(1, end - first) : Math.max(1, Math.round(widthMs / HOUR_MS)) }
}

const NOTHING = Object.fromEntries(AMOUNTS.map((name) => [name, 0])) as Amounts

/** A total of nothing. */
export const emptyTotal = (): Total => ({ ...NOTHING, runs: Array.from({ length: RUN_GROUPINGS }, () => 0), costs: new Map(), latencies: new Map(), firstAt: Infinity, lastAt: 0 })

/** Adds a charge. */
export const addCharge = (total: Total, charge: Charge): void => {
  total.firstAt = Math.min(total.firstAt, charge.at)
  total.lastAt = Math.max(total.lastAt, charge.at)
  if (charge.isUnbilled === true) {
    total.unbilled += 1
    return
  }
  for (let grouping = 0; charge.firstOf >> grouping > 0; grouping++) total.runs[grouping] = (total.runs[grouping] ?? 0) + ((charge.firstOf >> grouping) & 1)
  if (charge.savedNano !== undefined) {
    total.cacheHits += 1
    total.savedNano += charge.savedNano ?? 0
    return
  }
  const { usage, costNano, latencyMs } = charge
  total.calls += charge.isCall ? 1 : 0
  total.failed += charge.failed ? 1 : 0
  total.estimated += charge.estimatedTokens === undefined ? 0 : 1
  total.unpriced += costNano === null ? 1 : 0
  total.inputTokens += usage?.inputTokens ?? 0
  total.outputTokens += usage?.outputTokens ?? 0
  total.cachedTokens += usage?.cachedTokens ?? 0
  total.cacheWriteTokens += usage?.cacheWriteTokens ?? 0
  total.reasoningTokens += usage?.reasoningTokens ?? 0
  total.costNano += costNano ?? 0
  total.latencyMs += latencyMs
  if (costNano !== null) countIn(total.costs, costNano)
  if (charge.isCall) countIn(total.latencies, latencyMs)
}

/** Adds one total to another. */
export const addTotal = (into: Total, from: Total): void => {
  for (const name of AMOUNTS) into[name] += from[name]
  for (const [grouping, count] of from.runs.entries()) into.runs[grouping] = (into.runs[grouping] ?? 0) + count
  addHistogram(into.costs, from.costs)
  addHistogram(into.latencies, from.latencies)
  into.firstAt = Math.min(into.firstAt, from.firstAt)
  into.lastAt = Math.max(into.lastAt, from.lastAt)
}

/** The fields that charges are added up under, in a fixed order. */
export const KEY_FIELDS = ['user', 'route', 'tenant', 'agent', 'state', 'model', 'prompt', 'promptHash'] as const satisfies readonly (keyof ChargeKey)[]

/** A key's identity as text. */
export const keyText = (key: Partial<ChargeKey>): string => JSON.stringify(KEY_FIELDS.map((field) => key[field] ?? null))

/** Only the key of a charge. */
export const keyOf = (charge: ChargeKey): ChargeKey => Object.fromEntries(KEY_FIELDS.flatMap((field) => (charge[field] === undefined ? [] : [[field, charge[field]]]))) as unknown as ChargeKey

/** Tells whether a key has all the fields asked for. */
export const isWhere = (key: ChargeKey, where: Partial<ChargeKey> = {}): boolean => KEY_FIELDS.every((field) => where[field] === undefined || where[field] === key[field])
