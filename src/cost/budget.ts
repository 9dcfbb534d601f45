// Budgets: what is held before a call is sent and counted once it is settled. The store is the journal's; the rules are here.
// Invariant: what is spent and held under a limit together never passes it, whoever reserves at the same time.
import type { Charge } from './charge.ts'
import { addTotal, emptyTotal, type LedgerRow } from './ledger.ts'
import type { Account, LimitUnit, SpendLimit } from './limit.ts'

/** Amounts by unit, integers. */
type Spent = { readonly [unit in LimitUnit]: number }

/** What one call asks for before it is sent. */
export interface Reservation {
  /** The attempt whose entry settles it, unique among all runs. A run that is taken up again asks under the same name. */
  readonly attempt: string
  /** The call within the attempt. Asking again for the same call replaces what was held. */
  readonly call: string
  /** When it lapses if nobody settles it, milliseconds UTC: a process that died holds nothing for ever. */
  readonly expiresAtMs: number
  /** What is asked of each account. */
  readonly asks: readonly { readonly account: Account; readonly amount: number }[]
}

/** Where an account stands. */
export interface AccountStanding {
  readonly limit: SpendLimit
  readonly spent: number
  /** Held by calls under way. */
  readonly reserved: number
  /** When the window ends, milliseconds UTC. */
  readonly endMs: number
}

/** How a reservation went. */
export type Reserved =
  | { readonly ok: true; /** Accounts that passed their share for a warning, each told once in its window. */ readonly warned: readonly AccountStanding[] }
  | { readonly ok: false; readonly standing: AccountStanding; readonly asked: number; /** True for the first refusal in the window. */ readonly first: boolean }

/** What an entry settles. */
export interface Settlement {
  readonly charges: readonly Charge[]
  /** The attempt whose reservations end; absent when it held none. */
  readonly attempt?: string
}

/** What budgets need of a store. All methods reject with FailureError `journal_unavailable`. Settling is part of `Journal.append`. */
export interface BudgetStore {
  /** Limits that were put, by any process. */
  limits(): Promise<readonly SpendLimit[]>
  /** Keeps limits; one of the same scope, unit and window is replaced. */
  putLimits(limits: readonly SpendLimit[]): Promise<void>
  /** Forgets the limits of a scope. @returns how many there were. */
  removeLimits(scope: string): Promise<number>
  /** Holds all of it or nothing. */
  reserve(reservation: Reservation): Promise<Reserved>
  /** Ends what a call holds that was never sent. */
  end(attempt: string, call: string): Promise<void>
  /** Where accounts stand; nothing is held. */
  standing(accounts: readonly Account[]): Promise<readonly AccountStanding[]>
}

/** An account with what it holds for an attempt. */
export interface Held {
  readonly account: string
  readonly holder: string
  readonly unit: LimitUnit
  readonly window: string
  readonly amount: number
}

/** What charges come to. */
const spentOf = (charges: readonly Charge[]): Spent => {
  const billed = charges.filter(({ savedNano, isUnbilled }) => savedNano === undefined && isUnbilled === undefined)
  const sum = (of: (charge: Charge) => number): number => billed.reduce((total, charge) => total + of(charge), 0)
  return {
    usd: sum(({ costNano }) => costNano ?? 0),
    tokens: sum(({ usage, estimatedTokens = 0 }) => (usage === null ? estimatedTokens : usage.inputTokens + usage.outputTokens)),
    calls: sum(({ isCall }) => (isCall ? 1 : 0)),
    runs: 0,
  }
}

/**
 * What to add to which account. An account that held something gets what the calls came to, whenever that is; a call that
 * was sent counts even if nobody billed it. Accounts that held nothing, because the limit is newer than the call or
 * nothing could be foreseen, get the same, unless an earlier window of theirs does.
 * @param current accounts of the spender whose window holds the time of the entry.
 */
export const settledOf = (charges: readonly Charge[], held: readonly Held[], current: readonly Omit<Held, 'amount'>[]): readonly { readonly account: string; readonly amount: number }[] => {
  const spent = spentOf(charges)
  const kindOf = ({ holder, unit, window }: Omit<Held, 'amount'>): string => `${holder} ${unit} ${window}`
  const kinds = new Set(held.map(kindOf))
  const amounts = new Map<string, number>()
  for (const { account, unit, amount } of held) amounts.set(account, unit === 'calls' ? (amounts.get(account) ?? 0) + amount : spent[unit])
  for (const one of current) if (!kinds.has(kindOf(one))) amounts.set(one.account, spent[one.unit])
  return [...amounts].flatMap(([account, amount]) => (amount === 0 ? [] : [{ account, amount }]))
}

/** Counting begins with what the ledger has, where its hours can tell. */
export const countsFromLedger = ({ limit }: Account): boolean =>
  limit.unit !== 'runs' && (limit.window === 'hour' || limit.window === 'day' || limit.window === 'month' || (limit.window === 'total' && !limit.scope.startsWith('run:')))

/** A limit on runs at work has no window that ends: people are told of it anew once nobody was at work. */
export const isIdle = ({ limit, spent, reserved }: AccountStanding): boolean => limit.unit === 'runs' && spent + reserved === 0

/** The fields of a charge that an account is about. */
export const whereOf = ({ holder }: Pick<Account, 'holder'>): Partial<Pick<Charge, 'user' | 'route' | 'tenant' | 'agent'>> => {
  const [name, value, tenant] = JSON.parse(holder) as readonly [string, string?, string?]
  return { ...(value === undefined || name === 'run' ? {} : { [name]: value }), ...(tenant === undefined ? {} : { tenant }) }
}

/** What rows of the ledger come to in a unit. */
export const spentIn = (rows: readonly LedgerRow[], unit: LimitUnit): number => {
  const total = emptyTotal()
  for (const row of rows) addTotal(total, row.total)
  const { costNano, inputTokens, outputTokens, calls } = total
  return { usd: costNano, tokens: inputTokens + outputTokens, calls, runs: 0 }[unit]
}
