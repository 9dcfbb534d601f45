// A run's own cap on what it may cost. Invariant: from the moment a call asks until its attempt is folded, what it holds and
// then what it cost is counted exactly once, so that calls at work at the same time cannot pass the cap together.
import { failure, type Failure } from '../failure/index.ts'
import type { Fold } from './fold.ts'

/** The cap as the calls of one attempt meet it. */
export interface AttemptCap {
  /** Holds the worst case of a call, nano-dollars. @returns how to replace it by what the call came to, or why it does not fit. */
  readonly reserve: (worstNano: number) => Failure | ((costNano: number) => void)
  /** Counts cost that was not held before. */
  readonly add: (costNano: number) => void
}

/** The cap of one run. */
class RunCap {
  readonly #capNano: number
  readonly #foldedNano: () => number
  /** What attempts hold that are not folded. One that the run has left stays: what it cost is in no entry. */
  readonly #open = new Map<string, number>()

  constructor(capNano: number, foldedNano: () => number) {
    this.#capNano = capNano
    this.#foldedNano = foldedNano
  }

  of(attempt: string): AttemptCap {
    const add = (nano: number): void => void this.#open.set(attempt, (this.#open.get(attempt) ?? 0) + nano)
    return {
      add,
      reserve: (worstNano) => {
        const refused = this.#refusal(worstNano)
        if (refused !== undefined) return refused
        add(worstNano)
        return (costNano) => add(costNano - worstNano)
      },
    }
  }

  folded(attempt: string): void {
    this.#open.delete(attempt)
  }

  #refusal(worstNano: number): Failure | undefined {
    const spent = this.#foldedNano()
    const held = [...this.#open.values()].reduce((sum, nano) => sum + nano, 0)
    if (spent + held + worstNano <= this.#capNano) return undefined
    const usd = (nano: number): string => (nano / 1e9).toFixed(6)
    return failure(
      'budget_exceeded',
      `The call could cost up to ${usd(worstNano)} USD, but of the run's ${usd(this.#capNano)} USD only ${usd(Math.max(0, this.#capNano - spent - held))} are left, so it was not sent. Raise limits.costUsd, lower maxOutputTokens, or route budget_exceeded.`,
      { details: { scope: 'run', limit: 'costUsd', value: this.#capNano / 1e9, spent: spent / 1e9, reserved: held / 1e9, worstCase: worstNano / 1e9 } },
    )
  }
}

/** Beside the fold, which has no part in money that is not in an entry. */
const caps = new WeakMap<Fold, RunCap>()

/** The cap of a run; undefined when it has none. */
export const capOf = (fold: Fold): RunCap | undefined => {
  const { costUsd } = fold.limits
  if (costUsd === undefined) return undefined
  const known = caps.get(fold) ?? new RunCap(Math.round(costUsd * 1e9), () => fold.root.used.costNano)
  caps.set(fold, known)
  return known
}
