// How far two sets of outcomes differ as distributions, and whether chance explains it. Invariant: 0 for equal
// distributions, 1 for disjoint ones, and the same seed gives the same chance.
// @see Lin (1991), Divergence measures based on the Shannon entropy
import { seededRandom } from '../../clock/index.ts'

const sharesOf = (outcomes: readonly string[]): ReadonlyMap<string, number> => {
  const shares = new Map<string, number>()
  for (const outcome of outcomes) shares.set(outcome, (shares.get(outcome) ?? 0) + 1 / outcomes.length)
  return shares
}

/** Jensen-Shannon divergence of two lists of outcomes, in bits: from 0 to 1. */
export const jensenShannon = (before: readonly string[], after: readonly string[]): number => {
  const [p, q] = [sharesOf(before), sharesOf(after)]
  let sum = 0
  for (const outcome of new Set([...p.keys(), ...q.keys()])) {
    const [a, b] = [p.get(outcome) ?? 0, q.get(outcome) ?? 0]
    const middle = (a + b) / 2
    if (a > 0) sum += (a / 2) * Math.log2(a / middle)
    if (b > 0) sum += (b / 2) * Math.log2(b / middle)
  }
  return Math.max(0, sum)
}

const shuffled = <T>(values: readonly T[], random: () => number): readonly T[] => {
  const mixed = [...values]
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const [a, b] = [mixed[at] as T, mixed[other] as T]
    mixed[at] = b
    mixed[other] = a
  }
  return mixed
}

/** Outcomes of one case before and after. */
export interface OutcomeGroup {
  readonly before: readonly string[]
  readonly after: readonly string[]
}

const pooled = (groups: readonly OutcomeGroup[]): number =>
  jensenShannon(
    groups.flatMap(({ before }) => before),
    groups.flatMap(({ after }) => after),
  )

/**
 * How often outcomes that are dealt anew within each case diverge as much: small means that chance does not explain it.
 * A difference between cases is none over time.
 */
export const divergenceByChance = (groups: readonly OutcomeGroup[], { permutations = 2_000, seed = 1 }: { readonly permutations?: number; readonly seed?: number } = {}): number => {
  const random = seededRandom(seed)
  const seen = pooled(groups)
  const dealt = ({ before, after }: OutcomeGroup): OutcomeGroup => {
    const mixed = shuffled([...before, ...after], random)
    return { before: mixed.slice(0, before.length), after: mixed.slice(before.length) }
  }
  let asFar = 0
  for (let round = 0; round < permutations; round++) if (pooled(groups.map(dealt)) >= seen - 1e-12) asFar += 1
  return (asFar + 1) / (permutations + 1)
}
