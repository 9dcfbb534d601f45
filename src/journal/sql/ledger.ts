// The ledger in SQL: a row for each key and hour, kept by key so that a report reads ranges and sorts nothing.
// Invariant: a charge is added in the transaction of the entry that settled it, or not at all.
import {
  addCharge,
  addHistogramText,
  AMOUNTS,
  emptyTotal,
  histogramText,
  hourOf,
  hoursOf,
  HOUR_MS,
  KEY_FIELDS,
  keyText,
  RUN_GROUPINGS,
  type Charge,
  type ChargeKey,
  type DearRun,
  type DearRunQuery,
  type Histogram,
  type LedgerQuery,
  type LedgerRow,
  type Total,
} from '../../cost/index.ts'
import { sha256 } from '../../schema/index.ts'
import { numberIn, textIn, type Columns, type Value } from '../sqlite/connection.ts'
import { query, type Script } from './script.ts'

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
const KEY_COLUMNS = KEY_FIELDS.map((field) => (field === 'user' ? 'user_id' : snake(field)))
const AMOUNT_COLUMNS = AMOUNTS.map(snake)
const RUN_COLUMNS = Array.from({ length: RUN_GROUPINGS }, (_, grouping) => `runs_${grouping}`)
const SUMMED = [...AMOUNT_COLUMNS, ...RUN_COLUMNS]
const COLUMNS = [...SUMMED, 'first_at', 'last_at', 'costs', 'latencies']

const FIND_KEY = 'SELECT no FROM ledger_keys WHERE id = ?'
const ADD_KEY = `INSERT INTO ledger_keys (id, ${KEY_COLUMNS.join(', ')}) VALUES (?, ${KEY_COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING no`
// Histograms grow by what is appended to their text, and are added up once they are long: most charges then write one row
// without reading it.
const ADD_HOUR = `INSERT INTO ledger (key, hour, ${COLUMNS.join(', ')}) VALUES (?, ?, ${COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (key, hour) DO UPDATE SET ${SUMMED.map((column) => `${column} = ledger.${column} + excluded.${column}`).join(', ')},
  first_at = CASE WHEN excluded.first_at < ledger.first_at THEN excluded.first_at ELSE ledger.first_at END,
  last_at = CASE WHEN excluded.last_at > ledger.last_at THEN excluded.last_at ELSE ledger.last_at END,
  costs = ledger.costs || excluded.costs, latencies = ledger.latencies || excluded.latencies
  RETURNING CAST(length(costs) + length(latencies) AS BIGINT) AS size`
const GET_HISTOGRAMS = 'SELECT costs, latencies FROM ledger WHERE key = ? AND hour = ?'
const SET_HISTOGRAMS = 'UPDATE ledger SET costs = ?, latencies = ? WHERE key = ? AND hour = ?'
/** Length of the texts of both histograms at which they are added up, characters. A histogram that is full has some 400. */
const LONG_TEXT = 1_500

const WHAT = 'the ledger'

const totalIn = (found: Columns): Total => {
  const total = emptyTotal()
  for (const [index, name] of AMOUNTS.entries()) total[name] = numberIn(found[AMOUNT_COLUMNS[index] ?? ''], WHAT)
  for (const [grouping, column] of RUN_COLUMNS.entries()) total.runs[grouping] = numberIn(found[column], WHAT)
  total.firstAt = numberIn(found['first_at'], WHAT)
  total.lastAt = numberIn(found['last_at'], WHAT)
  addHistogramText(total.costs, textIn(found['costs'], WHAT))
  addHistogramText(total.latencies, textIn(found['latencies'], WHAT))
  return total
}

const columnsOf = (total: Total): readonly Value[] => [...AMOUNTS.map((name) => total[name]), ...total.runs, total.firstAt, total.lastAt, textOf(total.costs), textOf(total.latencies)]

/** The text that is appended: nothing for an empty histogram, else with a space behind it. */
const textOf = (histogram: Histogram): string => (histogram.size === 0 ? '' : `${histogramText(histogram)} `)

function* keyIn(charge: Charge): Script<number> {
  const id = sha256(keyText(charge)).slice(0, 32)
  const [found] = yield* query(FIND_KEY, id)
  if (found !== undefined) return numberIn(found['no'], WHAT)
  const [added] = yield* query(ADD_KEY, id, ...KEY_FIELDS.map((field) => charge[field] ?? null))
  return numberIn(added?.['no'], WHAT)
}

const histogramIn = (text: unknown): Histogram => {
  const histogram: Histogram = new Map()
  addHistogramText(histogram, textIn(text, WHAT))
  return histogram
}

/** Adds charges. */
export function* addCharges(charges: readonly Charge[]): Script<void> {
  for (const charge of charges) {
    const where = [yield* keyIn(charge), hourOf(charge.at)]
    const total = emptyTotal()
    addCharge(total, charge)
    const [added] = yield* query(ADD_HOUR, ...where, ...columnsOf(total))
    if (numberIn(added?.['size'], WHAT) <= LONG_TEXT) continue
    const [found] = yield* query(GET_HISTOGRAMS, ...where)
    yield* query(SET_HISTOGRAMS, textOf(histogramIn(found?.['costs'])), textOf(histogramIn(found?.['latencies'])), ...where)
  }
}

const keyOfRow = (found: Columns): ChargeKey =>
  Object.fromEntries(
    KEY_FIELDS.flatMap((field, index) => {
      const value = found[KEY_COLUMNS[index] ?? '']
      return value === null ? [] : [[field, textIn(value, WHAT)]]
    }),
  ) as unknown as ChargeKey

const conditionsOf = (where: Partial<ChargeKey> = {}): { readonly sql: string; readonly parameters: readonly string[] } => {
  const given = KEY_FIELDS.flatMap((field, index) => (where[field] === undefined ? [] : [{ column: KEY_COLUMNS[index], value: where[field] }]))
  return { sql: given.map(({ column }) => ` AND ${column} = ?`).join(''), parameters: given.map(({ value }) => value) }
}

/** Rows as `LedgerStore.read` gives them. */
export function* readLedger(asked: LedgerQuery): Script<readonly LedgerRow[]> {
  const { first, end, width } = hoursOf(asked)
  const condition = conditionsOf(asked.where)
  const windowed = width < end - first
  const sums = SUMMED.map((column) => `CAST(sum(${column}) AS BIGINT) AS ${column}`).join(', ')
  const histograms = asked.sumsOnly === true ? `'' AS costs, '' AS latencies` : `string_agg(costs, '') AS costs, string_agg(latencies, '') AS latencies`
  // CROSS JOIN holds SQLite to this order: keys by their number, then the hours of each, so that groups come as they lie.
  const found = yield* query(
    `SELECT ledger_keys.no AS no, ${windowed ? '(hour - CAST(? AS BIGINT)) / CAST(? AS BIGINT)' : '0'} AS place, ${sums}, min(first_at) AS first_at, max(last_at) AS last_at, ${histograms}
      FROM ledger_keys CROSS JOIN ledger WHERE ledger.key = ledger_keys.no AND hour >= ? AND hour < ?${condition.sql} GROUP BY ledger_keys.no${windowed ? ', place' : ''}`,
    ...(windowed ? [first, width] : []),
    first,
    end,
    ...condition.parameters,
  )
  const named = yield* query(`SELECT no, ${KEY_COLUMNS.join(', ')} FROM ledger_keys WHERE 1 = 1${condition.sql}`, ...condition.parameters)
  const keys = new Map(named.map((row) => [row['no'], keyOfRow(row)]))
  return found.flatMap((row) => {
    const key = keys.get(row['no'])
    return key === undefined ? [] : [{ key, windowMs: (first + numberIn(row['place'], WHAT) * width) * HOUR_MS, total: totalIn(row) }]
  })
}

const RUN_FILTERS = ['user', 'route', 'tenant', 'agent'] as const

// Runs at work are few and found by their status; ended ones come by cost, from an index that is written once a run.
const STATUSES = [`status IN ('queued', 'running', 'waiting')`, `status IN ('done', 'failed', 'limited', 'cancelled')`]

const dearRunIn = (row: Columns): DearRun => {
  const optional = (name: string, value: unknown): object => (value === null ? {} : { [name]: textIn(value, WHAT) })
  return {
    run: textIn(row['id'], WHAT),
    agent: textIn(row['agent'], WHAT),
    ...optional('user', row['user_id']),
    ...optional('route', row['route']),
    ...optional('tenant', row['tenant']),
    startedAt: numberIn(row['started_at'], WHAT),
    costNano: numberIn(row['cost_nano'], WHAT),
    modelCalls: numberIn(row['model_calls'], WHAT),
  }
}

/** Runs as `LedgerStore.dearest` gives them. */
export function* dearestRuns({ sinceMs, untilMs, where = {}, limit }: DearRunQuery): Script<readonly DearRun[]> {
  const given = RUN_FILTERS.flatMap((field) => (where[field] === undefined ? [] : [{ column: field === 'user' ? 'user_id' : field, value: where[field] }]))
  const filter = given.map(({ column }) => ` AND ${column} = ?`).join('')
  const runs: DearRun[] = []
  for (const status of STATUSES) {
    const rows = yield* query(
      `SELECT id, agent, user_id, route, tenant, started_at, cost_nano, model_calls FROM runs WHERE ${status} AND started_at >= ? AND started_at < ? AND cost_nano > 0${filter} ORDER BY cost_nano DESC LIMIT ?`,
      sinceMs,
      untilMs,
      ...given.map(({ value }) => value),
      limit,
    )
    runs.push(...rows.map(dearRunIn))
  }
  return runs.toSorted((a, b) => b.costNano - a.costNano).slice(0, limit)
}
