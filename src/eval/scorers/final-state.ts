// Judges the state of the world after a run, as `capture` read it. Invariant: what is compared is the content, by value or
// by its hash, never the way the run went.
import { canonical, hashOf } from '../../schema/index.ts'
import { failedBecause, passed, showValue, type Scored, type Scorer } from '../score.ts'

/** What the world must be like. */
export type FinalState =
  /** SHA-256 of the canonical JSON of what was captured, hexadecimal. */
  | { readonly hash: string }
  /** The world itself. */
  | { readonly equals: unknown }
  /** Must not throw; text says what is wrong. */
  | { readonly where: (world: unknown) => boolean | string }

const judge = (wanted: FinalState, world: unknown): string | undefined => {
  if ('where' in wanted) {
    const said = wanted.where(world)
    return said === true ? undefined : `the final state is wrong: ${said === false ? showValue(world) : said}`
  }
  if ('equals' in wanted) return canonical(wanted.equals) === canonical(world ?? null) ? undefined : `expected the final state ${showValue(wanted.equals)}, seen ${showValue(world)}`
  const hash = hashOf(world ?? null)
  return hash === wanted.hash ? undefined : `expected a final state with hash ${wanted.hash.slice(0, 12)}, seen ${hash.slice(0, 12)}`
}

/**
 * Passes when the world is as wanted; a function gives the wish of a case, or undefined to leave the case out.
 * The evaluation needs `capture`.
 */
export const finalState =
  <O, X>(wanted: FinalState | ((trial: Scored<O, X>) => FinalState | undefined)): Scorer<O, X> =>
  (trial) => {
    const wish = typeof wanted === 'function' ? wanted(trial) : wanted
    if (wish === undefined) return undefined
    const problem = judge(wish, trial.world)
    return problem === undefined ? passed : failedBecause(problem)
  }
