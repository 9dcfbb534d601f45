// Budgets of a process that may forget, on maps. Invariant: nothing is awaited between looking and holding, so calls of one
// process cannot pass a limit together.
import { countsFromLedger, isIdle, settledOf, spentIn, whereOf, type AccountStanding, type BudgetStore, type Held, type Reservation, type Reserved, type Settlement } from './budget.ts'
import type { LedgerRow } from './ledger.ts'
import { holdersOf, userHolders, type Account, type SpendLimit } from './limit.ts'

interface Open {
  readonly account: Account
  spent: number
  told: 0 | 1 | 2
}

interface Hold {
  readonly attempt: string
  readonly call: string
  readonly account: Account
  readonly amount: number
  readonly expiresAtMs: number
}

/** What budgets in memory look at. */
export interface MemoryBudgetsWorld {
  readonly now: () => number
  /** Rows of the ledger since a time, for what was spent before anybody counted. */
  readonly ledger: (sinceMs: number, where: ReturnType<typeof whereOf>) => readonly LedgerRow[]
  /** Ids of the runs at work for a holder. */
  readonly runs: (where: ReturnType<typeof whereOf>) => readonly string[]
  /** @throws FailureError `journal_unavailable` once it is closed. */
  readonly check: () => void
}

/** Budgets in memory, and how an entry settles. */
export interface MemoryBudgets extends BudgetStore {
  settle(settlement: Settlement, run: string, atMs: number): void
  /** Forgets what was counted for a user. */
  forget(user: string, tenant?: string): void
}

/** Accounts that were opened, and what is held against them. */
class Books {
  readonly #world: MemoryBudgetsWorld
  readonly #accounts = new Map<string, Open>()
  /** By attempt, call and account. */
  readonly #holds = new Map<string, Hold>()

  constructor(world: MemoryBudgetsWorld) {
    this.#world = world
  }

  open(account: Account): Open {
    const known = this.#accounts.get(account.id)
    if (known !== undefined) return known
    const made: Open = { account, spent: countsFromLedger(account) ? spentIn(this.#world.ledger(account.startMs, whereOf(account)), account.limit.unit) : 0, told: 0 }
    this.#accounts.set(account.id, made)
    return made
  }

  get isEmpty(): boolean {
    return this.#accounts.size === 0
  }

  /** Accounts of these holders whose window holds a time. */
  current(holders: readonly string[], atMs: number): readonly Account[] {
    return [...this.#accounts.values()].flatMap(({ account }) => (holders.includes(account.holder) && account.startMs <= atMs && account.endMs > atMs ? [account] : []))
  }

  #heldBy({ id }: Account): readonly Hold[] {
    return [...this.#holds.values()].filter(({ account }) => account.id === id)
  }

  standing(account: Account): AccountStanding {
    const held = this.#heldBy(account)
    const { limit, endMs } = account
    const spent = limit.unit === 'runs' ? this.#world.runs(whereOf(account)).filter((run) => !held.some(({ attempt }) => attempt === run)).length : this.open(account).spent
    return { limit, spent, reserved: held.reduce((sum, { amount }) => sum + amount, 0), endMs }
  }

  hold(hold: Hold): void {
    this.#holds.set(`${hold.attempt} ${hold.call} ${hold.account.id}`, hold)
  }

  /** Ends what an attempt, or one call of it, holds. @returns what that was. */
  end(attempt: string, call?: string): readonly Hold[] {
    const ended = [...this.#holds].filter(([, hold]) => hold.attempt === attempt && (call === undefined || hold.call === call))
    for (const [id] of ended) this.#holds.delete(id)
    return ended.map(([, hold]) => hold)
  }

  spend(id: string, amount: number): void {
    const account = this.#accounts.get(id)
    if (account !== undefined) account.spent += amount
  }

  /** Forgets the accounts of holders that begin so, with what is held against them. */
  forget(beginnings: readonly string[]): void {
    const forgotten = ({ holder }: Account): boolean => beginnings.some((beginning) => holder.startsWith(beginning))
    for (const [id, { account }] of this.#holds) if (forgotten(account)) this.#holds.delete(id)
    for (const [id, { account }] of this.#accounts) if (forgotten(account)) this.#accounts.delete(id)
  }

  /** Forgets holds that have lapsed and accounts whose window is over. */
  lapse(): void {
    const now = this.#world.now()
    for (const [id, { expiresAtMs }] of this.#holds) if (expiresAtMs <= now) this.#holds.delete(id)
    for (const [id, { account }] of this.#accounts) if (account.endMs <= now && this.#heldBy(account).length === 0) this.#accounts.delete(id)
  }
}

const reserveIn = (books: Books, { attempt, call, expiresAtMs, asks }: Reservation): Reserved => {
  books.lapse()
  books.end(attempt, call)
  for (const { account, amount } of asks) {
    const standing = books.standing(account)
    if (isIdle(standing)) books.open(account).told = 0
    if (standing.spent + standing.reserved + amount <= account.limit.amount) continue
    const open = books.open(account)
    const first = open.told < 2
    open.told = 2
    return { ok: false, standing, asked: amount, first }
  }
  const warned = asks.flatMap(({ account }) => {
    const { warnAt, amount } = account.limit
    const open = books.open(account)
    const standing = books.standing(account)
    if (warnAt === undefined || open.told > 0 || standing.spent < warnAt * amount) return []
    open.told = 1
    return [standing]
  })
  for (const { account, amount } of asks) books.hold({ attempt, call, account, amount, expiresAtMs })
  return { ok: true, warned }
}

const heldOf = ({ id, holder, limit }: Account): Omit<Held, 'amount'> => ({ account: id, holder, unit: limit.unit, window: limit.window })

const settleIn = (books: Books, { charges, attempt }: Settlement, run: string, atMs: number): void => {
  const held = attempt === undefined ? [] : books.end(attempt).map(({ account, amount }) => ({ ...heldOf(account), amount }))
  const current = charges[0] === undefined || books.isEmpty ? [] : books.current(holdersOf({ ...charges[0], run }), atMs).map(heldOf)
  for (const { account, amount } of settledOf(charges, held, current)) books.spend(account, amount)
}

/** Makes them, without limits. */
export const memoryBudgets = (world: MemoryBudgetsWorld): MemoryBudgets => {
  const limits = new Map<string, SpendLimit>()
  const books = new Books(world)
  return {
    async limits() {
      return [...limits.values()]
    },
    async putLimits(all) {
      world.check()
      for (const limit of all) limits.set(`${limit.scope} ${limit.unit} ${limit.window}`, limit)
    },
    async removeLimits(scope) {
      const before = limits.size
      for (const [id, limit] of limits) if (limit.scope === scope) limits.delete(id)
      return before - limits.size
    },
    async reserve(reservation) {
      world.check()
      return reserveIn(books, reservation)
    },
    async end(attempt, call) {
      books.end(attempt, call)
    },
    async standing(all) {
      world.check()
      books.lapse()
      return all.map((account) => books.standing(account))
    },
    settle: (settlement, run, atMs) => settleIn(books, settlement, run, atMs),
    forget: (user, tenant) => books.forget(userHolders(user, tenant)),
  }
}
