// The interval of a share by Wilson's score method. Invariant: it stays within 0 and 1, also when nothing or everything passed.
// @see Wilson (1927), Probable inference, the law of succession, and statistical inference; Newcombe (1998), table I
import { normalQuantile } from './distributions.ts'

/** Two ends, the lower one first. */
export type Interval = readonly [low: number, high: number]

/**
 * The interval of a share.
 * @param level how often such an interval holds the true share. Default 0.95.
 * @example wilson(81, 263) // [0.2553, 0.3662]
 */
export const wilson = (passes: number, trials: number, level = 0.95): Interval => {
  if (trials === 0) return [0, 1]
  const z = normalQuantile(1 - (1 - level) / 2)
  const share = passes / trials
  const middle = share + (z * z) / (2 * trials)
  const spread = z * Math.sqrt((share * (1 - share)) / trials + (z * z) / (4 * trials * trials))
  const whole = 1 + (z * z) / trials
  return [passes === 0 ? 0 : (middle - spread) / whole, passes === trials ? 1 : (middle + spread) / whole]
}
