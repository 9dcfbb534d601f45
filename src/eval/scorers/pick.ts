// Which two values a scorer compares. Invariant: without a choice they are the run's output and the case's expectation.
import type { Scored } from '../score.ts'

/** Chooses what is compared. Each function is called once per trial and must not throw. */
export interface Picks<O = unknown, X = unknown> {
  /** Default: the output. */
  readonly actual?: (trial: Scored<O, X>) => unknown
  /** Default: what the case expects. Undefined leaves the case to other scorers. */
  readonly expected?: (trial: Scored<O, X>) => unknown
}

/** The two values. */
export const pick = <O, X>(trial: Scored<O, X>, { actual, expected }: Picks<O, X>): { readonly actual: unknown; readonly expected: unknown } => ({
  actual: actual === undefined ? trial.output : actual(trial),
  expected: expected === undefined ? trial.expected : expected(trial),
})

/** A value as text: text as it is, anything else as JSON. */
export const textOfValue = (value: unknown): string => (typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value))
