// Looks for patterns in text. Invariant: a pattern with the flag `g` or `y` gives the same answer each time.
import { failedBecause, passed, showValue, type Scored, type Scorer } from '../score.ts'
import { textOfValue } from './pick.ts'

/** Options of `matches`. */
export interface MatchOptions<O = unknown, X = unknown> {
  /** Default: the output, as text or JSON. */
  readonly actual?: (trial: Scored<O, X>) => unknown
  /** True to fail on a match. Default false. */
  readonly not?: boolean
}

/**
 * Passes when the text matches the pattern; a function gives the pattern of a case, or undefined to leave the case out.
 * @example matches(/\border \d+\b/i)
 */
export const matches =
  <O, X>(pattern: RegExp | ((trial: Scored<O, X>) => RegExp | undefined), { actual, not = false }: MatchOptions<O, X> = {}): Scorer<O, X> =>
  (trial) => {
    const wanted = pattern instanceof RegExp ? pattern : pattern(trial)
    if (wanted === undefined) return undefined
    const text = textOfValue(actual === undefined ? trial.output : actual(trial))
    const found = new RegExp(wanted.source, wanted.flags.replaceAll(/[gy]/g, '')).test(text)
    return found !== not ? passed : failedBecause(`${not ? 'must not match' : 'must match'} ${String(wanted)}, seen ${showValue(text)}`)
  }
