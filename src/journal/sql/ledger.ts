// The ledger in SQL: a row for each key and hour, and one for each key and day, so that a long period is read by its days.
// Invariant: a charge is added to both in the transaction of the entry that settled it, or not at all.
import {
  addCharge,
  addHistogramText,
  addTotal,
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
const SPAN = ['first_at', 'last_at']
const TEXTS = ['costs', 'latencies']
const COLUMNS = [...SUMMED, ...SPAN, ...TEXTS]

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

/** A column of rows added up. */
const sumOf = (column: string): string => {
  if (TEXTS.includes(column)) return `string_agg(${column}, '') AS ${column}`
  return SPAN.includes(column) ? `${column === 'first_at' ? 'min' : 'max'}(${column}) AS ${column}` : `CAST(sum(${column}) AS BIGINT) AS ${column}`
}

/** A sum as it is given: exact up to 2 ** 53, some nine million USD, and beyond that the nearest number that JavaScript has. */
const givenSum = (column: string): string => (SUMMED.includes(column) ? `CAST(CAST(sum(${column}) AS BIGINT) AS DOUBLE PRECISION) AS ${column}` : sumOf(column))

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

/** Most rows whose histograms are joined to one text: of the longest texts, that is less than the 512 MiB that a string may have. */
const MOST_JOINED = 300_000

type KeyTotal = Omit<LedgerRow, 'windowMs'>

const addedUp = (rows: readonly KeyTotal[]): readonly KeyTotal[] => {
  const sums = new Map<string, KeyTotal>()
  for (const row of rows) {
    const id = keyText(row.key)
    const sum = sums.get(id)
    if (sum === undefined) sums.set(id, row)
    else addTotal(sum.total, row.total)
  }
  return [...sums.values()]
}

/** What a query asks of the hours from `first` to `end`, in halves while there are too many rows. */
function* readHours(first: number, end: number, asked: LedgerQuery, mostJoined: number): Script<readonly KeyTotal[]> {
  const { only, by = KEY_FIELDS, where } = asked
  const condition = conditionsOf(where)
  // Few keys are looked up by their numbers, all of them by their periods. CROSS JOIN holds SQLite to that.
  const from = condition.sql === '' ? 'ledger WHERE' : `ledger_keys CROSS JOIN ledger WHERE ledger.key = ledger_keys.no${condition.sql} AND`
  const periods = periodsOf(first, end)
  const parameters = periods.flatMap((period) => [...condition.parameters, ...period])
  const parts = (columns: string): string => `(${periods.map(() => `SELECT ${columns} FROM ${from} grain = ? AND period >= ? AND period < ?`).join(' UNION ALL ')}) AS parts`
  if (only === undefined && end - first > DAY) {
    const [counted] = yield* query(`SELECT CAST(sum(size) AS BIGINT) AS size FROM ${parts('count(*) AS size')}`, ...parameters)
    if (numberIn(counted?.['size'], WHAT) > mostJoined) {
      const middle = Math.round((first + end) / 2 / DAY) * DAY
      return addedUp([...(yield* readHours(first, middle, asked, mostJoined)), ...(yield* readHours(middle, end, asked, mostJoined))])
    }
  }
  const read = only === undefined ? COLUMNS : [...SPAN, ...only.map(snake)]
  const names = by.map(columnOf)
  const group = by.length === 0 ? '' : ` GROUP BY ${names.join(', ')}`
  // By number first, so that names are looked up and compared once a key and not once a row.
  const byNumber = `SELECT key, ${read.map(sumOf).join(', ')} FROM ${parts(['key', ...read].join(', '))} GROUP BY key`
  const found = yield* query(`SELECT ${[...names, ...read.map(givenSum)].join(', ')} FROM (${byNumber}) AS numbers CROSS JOIN ledger_keys WHERE ledger_keys.no = numbers.key${group}`, ...parameters)
  // Without anything to group by there is a row even for no charges.
  return found.filter((row) => row['first_at'] !== null).map((row) => ({ key: keyOfRow(row, by), total: only === undefined ? totalIn(row) : amountsIn(row, only) }))
}

/** Rows as `LedgerStore.read` gives them. */
export function* readLedger(asked: LedgerQuery, mostJoined = MOST_JOINED): Script<readonly LedgerRow[]> {
  const { first, end, width } = hoursOf(asked)
  const rows: LedgerRow[] = []
  for (let start = first; start < end; start += width) for (const row of yield* readHours(start, Math.min(end, start + width), asked, mostJoined)) rows.push({ ...row, windowMs: start * HOUR_MS })
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
