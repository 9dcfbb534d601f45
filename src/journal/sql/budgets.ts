// Budgets in SQL: limits that were put, an account for each limit and window that somebody met, and what calls under way
// hold. Invariant: an account's row is locked before it is looked at, so no two reservations see the same room.
import {
  countsFromLedger,
  holdersOf,
  isIdle,
  settledOf,
  spentIn,
  whereOf,
  type Account,
  type AccountStanding,
  type Held,
  type LimitScope,
  type LimitUnit,
  type LimitWindow,
  type Reservation,
  type Reserved,
  type Settlement,
  type SpendLimit,
} from '../../cost/index.ts'
import { numberIn, textIn, type Columns, type Value } from '../sqlite/connection.ts'
import { readLedger } from './ledger.ts'
import { query, type Script } from './script.ts'

const WHAT = 'a budget'

const LIMITS = 'SELECT scope, unit, span, amount, warn_at, timezone FROM limits ORDER BY no'
const PUT_LIMIT = `INSERT INTO limits (scope, unit, span, amount, warn_at, timezone, at) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (scope, unit, span) DO UPDATE SET amount = excluded.amount, warn_at = excluded.warn_at, timezone = excluded.timezone, at = excluded.at`
const ADD_ACCOUNT = 'INSERT INTO accounts (id, holder, unit, span, starts_at, ends_at, spent, told) VALUES (?, ?, ?, ?, ?, ?, ?, 0) ON CONFLICT (id) DO NOTHING'
/** Changes nothing, but takes the lock of the row where rows have locks. */
const LOCK_ACCOUNT = 'UPDATE accounts SET told = told WHERE id = ? RETURNING spent, told'
const HELD = 'SELECT CAST(coalesce(sum(amount), 0) AS BIGINT) AS held FROM holds WHERE account = ? AND expires_at > ?'
const HOLD = 'INSERT INTO holds (attempt, call, account, amount, expires_at) VALUES (?, ?, ?, ?, ?)'
const END_CALL = 'DELETE FROM holds WHERE attempt = ? AND call = ? RETURNING account, amount'
const END_ATTEMPT = 'DELETE FROM holds WHERE attempt = ? RETURNING account, amount'
const SPEND = 'UPDATE accounts SET spent = spent + ? WHERE id = ?'
/** What has lapsed goes a little at a time, with each that comes. */
const SWEEP_HOLDS = 'DELETE FROM holds WHERE expires_at <= ?'
const SWEEP_ACCOUNTS = 'DELETE FROM accounts WHERE id IN (SELECT id FROM accounts WHERE ends_at <= ? AND NOT EXISTS (SELECT 1 FROM holds WHERE holds.account = accounts.id) LIMIT 4)'

const limitIn = (row: Columns): SpendLimit => ({
  scope: textIn(row['scope'], WHAT) as LimitScope,
  unit: textIn(row['unit'], WHAT) as LimitUnit,
  window: textIn(row['span'], WHAT) as LimitWindow,
  amount: numberIn(row['amount'], WHAT),
  ...(row['warn_at'] === null ? {} : { warnAt: numberIn(row['warn_at'], WHAT) / 1_000 }),
  ...(row['timezone'] === null ? {} : { timezone: textIn(row['timezone'], WHAT) }),
})

/** Limits in the order they were put first. */
export function* readLimits(): Script<readonly SpendLimit[]> {
  return (yield* query(LIMITS)).map(limitIn)
}

/** Keeps limits. */
export function* putLimits(limits: readonly SpendLimit[], nowMs: number): Script<void> {
  for (const { scope, unit, window, amount, warnAt, timezone } of limits) yield* query(PUT_LIMIT, scope, unit, window, amount, warnAt === undefined ? null : Math.round(warnAt * 1_000), timezone ?? null, nowMs)
}

/** Forgets the limits of a scope. */
export function* removeLimits(scope: string): Script<number> {
  return (yield* query('DELETE FROM limits WHERE scope = ? RETURNING unit', scope)).length
}

/** What was spent before anybody counted. */
function* spentBefore(account: Account, nowMs: number): Script<number> {
  if (!countsFromLedger(account)) return 0
  const rows = yield* readLedger({ sinceMs: account.startMs, untilMs: nowMs + 1, by: [], where: whereOf(account), only: ['costNano', 'inputTokens', 'outputTokens', 'calls'] })
  return spentIn(rows, account.limit.unit)
}

/** The account's row, made where there is none, and locked. */
function* openAccount(account: Account, nowMs: number): Script<{ readonly spent: number; readonly told: number }> {
  const found = (yield* query(LOCK_ACCOUNT, account.id))[0]
  if (found !== undefined) return { spent: numberIn(found['spent'], WHAT), told: numberIn(found['told'], WHAT) }
  const { id, holder, limit, startMs, endMs } = account
  yield* query(ADD_ACCOUNT, id, holder, limit.unit, limit.window, startMs, endMs, yield* spentBefore(account, nowMs))
  return yield* openAccount(account, nowMs)
}

const RUN_COLUMNS = { user: 'user_id', route: 'route', tenant: 'tenant', agent: 'agent' } as const

/** Runs at work for the holder of an account, without those that hold a place for their start. @param live tells a lease that somebody holds; takes the time. */
function* runsAtWork(account: Account, nowMs: number, live: string): Script<number> {
  const where = Object.entries(whereOf(account)) as [keyof typeof RUN_COLUMNS, string][]
  const conditions = where.map(([field]) => ` AND ${RUN_COLUMNS[field]} = ?`).join('')
  const values: Value[] = where.map(([, value]) => value)
  const [found] = yield* query(
    `SELECT CAST(count(*) AS BIGINT) AS count FROM runs WHERE status = 'running' AND ${live}${conditions} AND NOT EXISTS (SELECT 1 FROM holds WHERE holds.attempt = runs.id AND holds.account = ? AND holds.expires_at > ?)`,
    nowMs,
    ...values,
    account.id,
    nowMs,
  )
  return numberIn(found?.['count'], WHAT)
}

function* standingOf(account: Account, spent: number, nowMs: number, live: string): Script<AccountStanding> {
  const [held] = yield* query(HELD, account.id, nowMs)
  const { limit, endMs } = account
  return { limit, spent: limit.unit === 'runs' ? yield* runsAtWork(account, nowMs, live) : spent, reserved: numberIn(held?.['held'], WHAT), endMs }
}

/** Holds all that is asked, or nothing; see `BudgetStore.reserve`. */
export function* reserve({ attempt, call, expiresAtMs, asks }: Reservation, nowMs: number, live: string): Script<Reserved> {
  yield* query(SWEEP_HOLDS, nowMs)
  yield* query(SWEEP_ACCOUNTS, nowMs)
  yield* query(END_CALL, attempt, call)
  const warned: AccountStanding[] = []
  const toWarn: string[] = []
  for (const { account, amount } of asks) {
    const { spent, told: toldBefore } = yield* openAccount(account, nowMs)
    const standing = yield* standingOf(account, spent, nowMs, live)
    const { limit } = account
    const told = isIdle(standing) ? 0 : toldBefore
    if (told < toldBefore) yield* query('UPDATE accounts SET told = 0 WHERE id = ?', account.id)
    if (standing.spent + standing.reserved + amount > limit.amount) {
      yield* query('UPDATE accounts SET told = 2 WHERE id = ?', account.id)
      return { ok: false, standing, asked: amount, first: told < 2 }
    }
    if (limit.warnAt === undefined || told > 0 || standing.spent < limit.warnAt * limit.amount) continue
    warned.push(standing)
    toWarn.push(account.id)
  }
  for (const id of toWarn) yield* query('UPDATE accounts SET told = 1 WHERE id = ?', id)
  for (const { account, amount } of asks) yield* query(HOLD, attempt, call, account.id, amount, expiresAtMs)
  return { ok: true, warned }
}

/** Ends what a call holds that was never sent. */
export function* endCall(attempt: string, call: string): Script<void> {
  yield* query(END_CALL, attempt, call)
}

/** Where accounts stand; writes nothing. */
export function* standings(accounts: readonly Account[], nowMs: number, live: string): Script<readonly AccountStanding[]> {
  const found: AccountStanding[] = []
  for (const account of accounts) {
    const [row] = yield* query('SELECT spent FROM accounts WHERE id = ?', account.id)
    found.push(yield* standingOf(account, row === undefined ? yield* spentBefore(account, nowMs) : numberIn(row['spent'], WHAT), nowMs, live))
  }
  return found
}

const accountIn = (row: Columns): Omit<Held, 'amount'> => ({
  account: textIn(row['id'], WHAT),
  holder: textIn(row['holder'], WHAT),
  unit: textIn(row['unit'], WHAT) as LimitUnit,
  window: textIn(row['span'], WHAT),
})

/** Counts what an entry settles and ends what its attempt held. */
export function* settle({ charges, attempt }: Settlement, run: string, atMs: number): Script<void> {
  const held: Held[] = []
  for (const hold of attempt === undefined ? [] : yield* query(END_ATTEMPT, attempt)) {
    const [row] = yield* query('SELECT id, holder, unit, span FROM accounts WHERE id = ?', textIn(hold['account'], WHAT))
    if (row !== undefined) held.push({ ...accountIn(row), amount: numberIn(hold['amount'], WHAT) })
  }
  const [first] = charges
  const holders = first === undefined ? [] : holdersOf({ ...first, run })
  const current = holders.length === 0 ? [] : yield* query(`SELECT id, holder, unit, span FROM accounts WHERE holder IN (${holders.map(() => '?').join(', ')}) AND starts_at <= ? AND ends_at > ?`, ...holders, atMs, atMs)
  const settled = settledOf(charges, held, current.map(accountIn))
  for (const { account, amount } of settled.toSorted((a, b) => (a.account < b.account ? -1 : 1))) yield* query(SPEND, amount, account)
}
