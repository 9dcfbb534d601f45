// Which transition of a machine was probably taken, for machines that say only where they went. Invariant: nothing is named
// that does not fit what was seen.
import type { Graph } from '../../agent/index.ts'

/** Ids of the transitions that fit: from an active state, for that event, to states that are active now; innermost first wins. */
export const guessEdges = ({ edges }: Graph, before: readonly string[], event: string, after: readonly string[]): readonly string[] => {
  const fits = edges.filter((edge) => edge.event === event && edge.targets.length > 0 && before.includes(edge.source) && edge.targets.every((target) => after.includes(target)))
  const [deepest] = fits.toSorted((one, other) => other.source.split('.').length - one.source.split('.').length)
  return deepest === undefined ? [] : [deepest.id]
}
