// Judges the way a run took through its states. Invariant: states are named by their paths as the author wrote them, those
// of child agents after their actor: `research/asking`.
import { passUnless, type Scored, type Scorer } from '../score.ts'

/** What a way must be like; every rule that is given must hold. */
export interface PathRules {
  /** Entered at least once, in any order. */
  readonly visited?: readonly string[]
  /** Entered in this order; others may come between. */
  readonly order?: readonly string[]
  /** Never entered. */
  readonly forbidden?: readonly string[]
  /** The whole way, state by state. */
  readonly exactly?: readonly string[]
  /** The last state. */
  readonly final?: string
}

const missingInOrder = (order: readonly string[], states: readonly string[]): string | undefined => {
  let from = 0
  for (const wanted of order) {
    const at = states.indexOf(wanted, from)
    if (at < 0) return wanted
    from = at + 1
  }
  return undefined
}

const problemsOf = ({ visited = [], order = [], forbidden = [], exactly, final }: PathRules, states: readonly string[]): readonly string[] => {
  const way = states.join(' → ') || 'no state'
  const missing = missingInOrder(order, states)
  return [
    ...visited.filter((state) => !states.includes(state)).map((state) => `expected to visit ${state}, seen ${way}`),
    ...(missing === undefined ? [] : [`expected the order ${order.join(' → ')}, ${missing} is missing there: seen ${way}`]),
    ...forbidden.filter((state) => states.includes(state)).map((state) => `must not visit ${state}, seen ${way}`),
    ...(exactly === undefined || exactly.join('\n') === states.join('\n') ? [] : [`expected exactly ${exactly.join(' → ')}, seen ${way}`]),
    ...(final === undefined || states.at(-1) === final ? [] : [`expected to end in ${final}, seen ${way}`]),
  ]
}

/**
 * Passes when the run's way keeps the rules; a function gives the rules of a case, or undefined to leave the case out.
 * @example statePath({ visited: ['approving'], forbidden: ['failed'] })
 */
export const statePath =
  <O, X>(rules: PathRules | ((trial: Scored<O, X>) => PathRules | undefined)): Scorer<O, X> =>
  (trial) => {
    const wanted = typeof rules === 'function' ? rules(trial) : rules
    return wanted === undefined
      ? undefined
      : passUnless(
          problemsOf(
            wanted,
            trial.states.map(({ state }) => state),
          ),
        )
  }
