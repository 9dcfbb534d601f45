// What people are told of a limit on spending: which one, how much of it is used, and when its window ends.
import type { AccountStanding } from '../../cost/index.ts'

/** Where a limit stands. Amounts are USD for `usd`, else whole numbers. */
export interface BudgetNotice {
  /** Whom it limits: `user:ada`. */
  readonly scope: string
  /** What it counts. */
  readonly unit: 'usd' | 'tokens' | 'calls' | 'runs'
  /** What it counts over: `call`, `minute`, `hour`, `day`, `month`, `total`, or `now` for runs at work. */
  readonly window: string
  /** The most that may be spent in a window. */
  readonly limit: number
  /** What is spent of it in this window. */
  readonly spent: number
  /** Held by calls under way. */
  readonly reserved: number
  /** When the window ends, milliseconds UTC; absent for windows without an end. */
  readonly endsAtMs?: number
}

/** The notice of where an account stands. */
export const noticeOf = ({ limit, spent, reserved, endMs }: AccountStanding): BudgetNotice => {
  const shown = (amount: number): number => (limit.unit === 'usd' ? amount / 1e9 : amount)
  const { scope, unit, window } = limit
  return { scope, unit, window, limit: shown(limit.amount), spent: shown(spent), reserved: shown(reserved), ...(endMs === Number.MAX_SAFE_INTEGER ? {} : { endsAtMs: endMs }) }
}
