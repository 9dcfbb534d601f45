// The ledger in SQL: a row for each key and hour, and one for each key and day, so that a long period is read by its days.
// Invariant: a charge is added to both in the transaction of the entry that settled it, or not at all.
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
  type Amounts,
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
const columnOf = (field: keyof ChargeKey): string => (field === 'user' ? 'user_id' : snake(field))
const KEY_COLUMNS = KEY_FIELDS.map(columnOf)
const AMOUNT_COLUMNS = AMOUNTS.map(snake)
const RUN_COLUMNS = Array.from({ length: RUN_GROUPINGS }, (_, grouping) => `runs_${grouping}`)
const SUMMED = [...AMOUNT_COLUMNS, ...RUN_COLUMNS]
const COLUMNS = [...SUMMED, 'first_at', 'last_at', 'costs', 'latencies']

const FIND_KEY = 'SELECT no FROM ledger_keys WHERE id = ?'
const ADD_KEY = `INSERT INTO ledger_keys (id, ${KEY_COLUMNS.join(', ')}) VALUES (?, ${KEY_COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (id) DO UPDATE SET id = excluded.id RETURNING no`
// Histograms grow by what is appended to their text, and are added up once they are long: most charges then write one row
// without reading it.
const ADD = `INSERT INTO ledger (grain, period, key, ${COLUMNS.join(', ')}) VALUES (?, ?, ?, ${COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT (grain, period, key) DO UPDATE SET ${SUMMED.map((column) => `${column} = ledger.${column} + excluded.${column}`).join(', ')},
  first_at = CASE WHEN excluded.first_at < ledger.first_at THEN excluded.first_at ELSE ledger.first_at END,
  last_at = CASE WHEN excluded.last_at > ledger.last_at THEN excluded.last_at ELSE ledger.last_at END,
  costs = ledger.costs || excluded.costs, latencies = ledger.latencies || excluded.latencies
  RETURNING CAST(length(costs) + length(latencies) AS BIGINT) AS size`
const GET_HISTOGRAMS = 'SELECT costs, latencies FROM ledger WHERE grain = ? AND period = ? AND key = ?'
const SET_HISTOGRAMS = 'UPDATE ledger SET costs = ?, latencies = ? WHERE grain = ? AND period = ? AND key = ?'

/** Length of a row's period, hours. */
const GRAINS = [1, 24] as const
const [HOUR, DAY] = GRAINS

/** Length of the texts of both histograms at which they are added up, characters. A histogram that is full has some 400. */
const LONG_TEXT = 1_500

const WHAT = 'the ledger'

/** Columns that a query reads of each key and window. */
const SUMS = SUMMED.map((column) => `CAST(sum(${column}) AS BIGINT) AS ${column}`).join(', ')
const SPAN = 'min(first_at) AS first_at, max(last_at) AS last_at'

const amountsIn = (found: Columns, names: readonly (keyof Amounts)[]): Total => {
  const total = emptyTotal()
  for (const name of names) total[name] = numberIn(found[snake(name)], WHAT)
  total.firstAt = numberIn(found['first_at'], WHAT)
  total.lastAt = numberIn(found['last_at'], WHAT)
  return total
}

const totalIn = (found: Columns): Total => {
  const total = amountsIn(found, AMOUNTS)
  for (const [grouping, column] of RUN_COLUMNS.entries()) total.runs[grouping] = numberIn(found[column], WHAT)
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
    const key = yield* keyIn(charge)
    const total = emptyTotal()
    addCharge(total, charge)
    const columns = columnsOf(total)
    for (const grain of GRAINS) {
      const where = [grain, Math.floor(hourOf(charge.at) / grain), key]
      const [added] = yield* query(ADD, ...where, ...columns)
      if (numberIn(added?.['size'], WHAT) <= LONG_TEXT) continue
      const [found] = yield* query(GET_HISTOGRAMS, ...where)
      yield* query(SET_HISTOGRAMS, textOf(histogramIn(found?.['costs'])), textOf(histogramIn(found?.['latencies'])), ...where)
    }
  }
}

const keyOfRow = (found: Columns, fields: readonly (keyof ChargeKey)[]): Partial<ChargeKey> =>
  Object.fromEntries(
    fields.flatMap((field) => {
      const value = found[columnOf(field)]
      return value === null ? [] : [[field, textIn(value, WHAT)]]
    }),
  )

const conditionsOf = (where: Partial<ChargeKey> = {}): { readonly sql: string; readonly parameters: readonly string[] } => {
  const given = KEY_FIELDS.flatMap((field, index) => (where[field] === undefined ? [] : [{ column: KEY_COLUMNS[index], value: where[field] }]))
  return { sql: given.map(({ column }) => ` AND ${column} = ?`).join(''), parameters: given.map(({ value }) => value) }
}

/** Hours as few periods as cover them: the days that lie in them, and the hours before and after. */
const periodsOf = (first: number, end: number): readonly (readonly [grain: number, from: number, to: number])[] => {
  const [fromDay, toDay] = [Math.ceil(first / DAY), Math.floor(end / DAY)]
  if (fromDay >= toDay) return [[HOUR, first, end]]
  const all = [[HOUR, first, fromDay * DAY] as const, [DAY, fromDay, toDay] as const, [HOUR, toDay * DAY, end] as const]
  return all.filter(([, from, to]) => from < to)
}

/** Rows as `LedgerStore.read` gives them. */
export function* readLedger({ only, by = KEY_FIELDS, where, ...asked }: LedgerQuery): Script<readonly LedgerRow[]> {
  const { first, end, width } = hoursOf(asked)
  const condition = conditionsOf(where)
  const columns = only === undefined ? [...SUMMED, 'costs', 'latencies'] : only.map(snake)
  const sums = only === undefined ? `${SUMS}, string_agg(costs, '') AS costs, string_agg(latencies, '') AS latencies` : columns.map((column) => `CAST(sum(${column}) AS BIGINT) AS ${column}`).join(', ')
  // Few keys are looked up by their numbers, all of them by their periods. CROSS JOIN holds SQLite to that.
  const from = condition.sql === '' ? 'ledger WHERE' : `ledger_keys CROSS JOIN ledger WHERE ledger.key = ledger_keys.no${condition.sql} AND`
  const part = `SELECT key, first_at, last_at, ${columns.join(', ')} FROM ${from} grain = ? AND period >= ? AND period < ?`
  const names = by.map(columnOf)
  const group = by.length === 0 ? '' : ` GROUP BY ${names.join(', ')}`
  const rows: LedgerRow[] = []
  for (let start = first; start < end; start += width) {
    const periods = periodsOf(start, Math.min(end, start + width))
    const statement = `SELECT ${[...names, SPAN, sums].join(', ')} FROM (${periods.map(() => part).join(' UNION ALL ')}) AS parts CROSS JOIN ledger_keys WHERE ledger_keys.no = parts.key${group}`
    for (const found of yield* query(statement, ...periods.flatMap((period) => [...condition.parameters, ...period]))) {
      // Without anything to group by there is a row even for no charges.
      if (found['first_at'] !== null) rows.push({ key: keyOfRow(found, by), windowMs: start * HOUR_MS, total: only === undefined ? totalIn(found) : amountsIn(found, only) })
    }
  }
  return rows
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
