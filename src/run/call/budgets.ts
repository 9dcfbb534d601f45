// Limits on spending as a call meets them: which ones apply, whether there is room, and who is told. Invariant: where no
// limit applies nothing is written and nothing is waited for.
import type { Clock } from '../../clock/index.ts'
import { accountsOf, limitsOf, showLimit, type Account, type AccountStanding, type BudgetStore, type LimitDefinition, type SpendLimit, type Spender } from '../../cost/index.ts'
import { fail, failure, type Failure } from '../../failure/index.ts'
import type { RunEventBody } from '../run-event.ts'
import { noticeOf, type BudgetNotice } from './budget-notice.ts'

/** What a call can use at most. */
export interface Worst {
  /** Nano-dollars; null when the price is unknown. */
  readonly nano: number | null
  readonly tokens: number
}

/** A call that wants to be sent. */
export interface Spending {
  readonly spender: Spender
  readonly attempt: string
  /** The call within its attempt. */
  readonly call: string
  /** When the call has ended at the latest, milliseconds UTC. */
  readonly endsByMs: number
  /** Asked for only where a limit applies. */
  readonly worst: () => Worst
  /** The model, for the message. */
  readonly model: string
  readonly emit: (event: RunEventBody) => void
}

/** The limits of a runtime. */
export interface Budgets {
  /** Holds the worst case of a call. @returns true when something is held, false where no limit applies, or why the call may not be sent. */
  reserve(spending: Spending): Promise<boolean | Failure>
  /** Ends what a call held that was never sent. Never rejects: what is not ended lapses. */
  end(attempt: string, call: string): Promise<void>
  /** Takes a place among the runs at work. @returns what to call once the run is in the journal. @throws FailureError `throttled`. */
  admit(spender: Spender): Promise<() => void>
}

/** Told when spending comes near a limit or reaches it. */
export type BudgetHook = (event: { readonly type: 'budget.warned' | 'budget.reached' } & BudgetNotice) => void | Promise<void>

/** Calls the hook. A webhook that is down or slow must not hurt the run that met the limit. */
const callHook = (hook: BudgetHook, event: Parameters<BudgetHook>[0]): void => {
  const warn = (thrown: unknown): void =>
    process.emitWarning(`The onBudget hook failed for ${event.scope} (${event.type}): ${thrown instanceof Error ? thrown.message : String(thrown)}. The run went on; repair the hook.`, { code: 'STATELOOP_BUDGET_HOOK' })
  try {
    Promise.resolve(hook(event)).catch(warn)
  } catch (thrown) {
    warn(thrown)
  }
}

/** What limits are made of. */
export interface BudgetOptions {
  readonly clock: Clock
  readonly store: BudgetStore | undefined
  /** Limits of the code; those in the store win over them. */
  readonly limits: readonly LimitDefinition[]
  /** Told once for each limit and window, by whichever process met it. Nobody waits for it, and what goes wrong in it is a process warning. */
  readonly onBudget?: BudgetHook | undefined
}

/** How old the limits of other processes may be, milliseconds. */
const POLL_MS = 1_000
/** How long after its latest end a reservation lapses, milliseconds: its entry has still to be written. */
const GRACE_MS = 30_000
/** How long a run may take from its leave to its first entry, milliseconds. */
const START_MS = 10_000
/** When to come back where nobody can say, milliseconds. */
const AGAIN_MS = 1_000

const isRate = ({ window, unit }: SpendLimit): boolean => window === 'minute' || unit === 'runs'

/** The failure that a limit means. */
const refusal = ({ standing, asked, model, nowMs }: { readonly standing: AccountStanding; readonly asked: number; readonly model: string; readonly nowMs: number }): Failure => {
  const { limit, endMs } = standing
  const notice = noticeOf(standing)
  const shown = limit.unit === 'usd' ? asked / 1e9 : asked
  const details = {
    budget: limit.scope,
    unit: limit.unit,
    window: limit.window,
    limit: notice.limit,
    spent: notice.spent,
    reserved: notice.reserved,
    asked: shown,
    ...(notice.endsAtMs === undefined ? {} : { endsAtMs: notice.endsAtMs }),
  }
  const seen = `${limit.scope} may use ${showLimit(limit)}; ${notice.spent} are used and ${notice.reserved} held by calls under way, and ${model} asks for up to ${shown}`
  if (!isRate(limit)) return failure('budget_exceeded', `${seen}, so it was not sent. Raise the limit with \`stateloop limit\`, lower maxOutputTokens, or route budget_exceeded.`, { details })
  const retryAtMs = limit.window === 'minute' ? endMs : nowMs + AGAIN_MS
  return failure('throttled', `${seen}, so it was not begun. Come back at ${new Date(retryAtMs).toISOString()}, or raise the limit with \`stateloop limit\`.`, { details: { ...details, retryAtMs } })
}

const askOf = ({ limit }: Account, { nano, tokens }: Worst): number | null => ({ usd: nano, tokens, calls: 1, runs: 0 })[limit.unit]

/** The limits that hold now: those of the code, and behind them those of the store, read again when they are old. */
const currentLimits = ({ clock, store, limits }: BudgetOptions): (() => readonly SpendLimit[] | Promise<readonly SpendLimit[]>) => {
  const own = limits.flatMap(limitsOf)
  if (own.length > 0 && store === undefined) fail('usage', 'Limits on spending need a journal that keeps budgets. Use memoryJournal, sqliteJournal or postgresJournal.')
  if (store === undefined) return () => own
  let known: readonly SpendLimit[] = own
  let readAt = -Infinity
  let reading: Promise<readonly SpendLimit[]> | undefined
  const read = async (): Promise<readonly SpendLimit[]> => {
    try {
      known = [...own, ...(await store.limits())]
      readAt = clock.monotonic()
      return known
    } finally {
      reading = undefined
    }
  }
  return () => (clock.monotonic() - readAt < POLL_MS ? known : (reading ??= read()))
}

/** Makes the limits of a runtime. @throws FailureError `usage` for a limit that is not well formed. */
export const budgets = (options: BudgetOptions): Budgets => {
  const { clock, store, onBudget } = options
  const limitsNow = currentLimits(options)
  const applying = async (spender: Spender, wanted: (limit: SpendLimit) => boolean): Promise<readonly Account[]> => {
    const limits = limitsNow()
    const all = limits instanceof Promise ? await limits : limits
    return all.length === 0 ? [] : accountsOf(all.filter(wanted), spender, clock.now())
  }
  const tell = (type: 'budget.warned' | 'budget.reached', standing: AccountStanding, emit: Spending['emit']): void => {
    const event = { type, ...noticeOf(standing) }
    emit(event)
    if (onBudget !== undefined) callHook(onBudget, event)
  }
  return {
    async reserve({ spender, attempt, call, endsByMs, worst, model, emit }) {
      const accounts = await applying(spender, ({ unit }) => unit !== 'runs')
      if (accounts.length === 0 || store === undefined) return false
      const most = worst()
      const asks = accounts.map((account) => ({ account, amount: askOf(account, most) }))
      const unpriced = asks.find(({ amount }) => amount === null)
      if (unpriced !== undefined) {
        const { scope, unit, window } = unpriced.account.limit
        return failure('budget_exceeded', `${scope} has a limit in USD, but the price of ${model} is unknown, so nothing was sent. Give the model a price, or limit tokens or calls instead.`, {
          details: { budget: scope, unit, window, reason: 'unknown_price' },
        })
      }
      const priced = asks.map(({ account, amount }) => ({ account, amount: amount ?? 0 }))
      const tooLarge = priced.find(({ account: { limit }, amount }) => limit.window === 'call' && amount > limit.amount)
      if (tooLarge !== undefined) return refusal({ standing: { limit: tooLarge.account.limit, spent: 0, reserved: 0, endMs: tooLarge.account.endMs }, asked: tooLarge.amount, model, nowMs: clock.now() })
      const counted = priced.filter(({ account }) => account.limit.window !== 'call')
      if (counted.length === 0) return false
      const reserved = await store.reserve({ attempt, call, expiresAtMs: endsByMs + GRACE_MS, asks: counted })
      if (!reserved.ok) {
        if (reserved.first) tell('budget.reached', reserved.standing, emit)
        return refusal({ standing: reserved.standing, asked: reserved.asked, model, nowMs: clock.now() })
      }
      for (const standing of reserved.warned) tell('budget.warned', standing, emit)
      return true
    },
    end: async (attempt, call) => {
      await store?.end(attempt, call).catch(() => {})
    },
    async admit(spender) {
      const accounts = await applying(spender, ({ unit }) => unit === 'runs')
      if (accounts.length === 0 || store === undefined) return () => {}
      const reserved = await store.reserve({ attempt: spender.run, call: '', expiresAtMs: clock.now() + START_MS, asks: accounts.map((account) => ({ account, amount: 1 })) })
      if (reserved.ok) return () => void store.end(spender.run, '').catch(() => {})
      if (reserved.first) tell('budget.reached', reserved.standing, () => {})
      const refused = refusal({ standing: reserved.standing, asked: reserved.asked, model: 'a run', nowMs: clock.now() })
      return fail(refused.code, refused.message, refused.details === undefined ? {} : { details: refused.details })
    },
  }
}
