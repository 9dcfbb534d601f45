// Compares a whole value. Invariant: equality is that of canonical JSON, so the order of fields never matters.
import { canonical } from '../../schema/index.ts'
import { failedBecause, passed, showValue, type Scorer } from '../score.ts'
import { pick, type Picks } from './pick.ts'

/**
 * Passes when the output equals what the case expects.
 * @example exact<{ readonly intent: string }, string>({ actual: ({ output }) => output?.intent })
 */
export const exact =
  <O, X>(picks: Picks<O, X> = {}): Scorer<O, X> =>
  (trial) => {
    const { actual, expected } = pick(trial, picks)
    if (expected === undefined) return undefined
    return actual !== undefined && canonical(actual) === canonical(expected) ? passed : failedBecause(`expected ${showValue(expected)}, seen ${showValue(actual)}`)
  }
