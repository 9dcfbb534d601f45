// Which transition of a machine was probably taken, for machines that say only where they went. Invariant: nothing is named
// that does not fit what was seen.
import type { Graph, GraphEdge } from '../../agent/index.ts'

const depthOf = ({ source }: GraphEdge): number => source.split('.').length

/**
 * Ids of the transitions that fit: from an active state, for that event, to states that are active now; innermost first
 * wins. A transition into a final state may have completed the state around it, which then led on; such a pair is named
 * only when no other fits.
 */
export const guessEdges = ({ edges }: Graph, before: readonly string[], event: string, after: readonly string[]): readonly string[] => {
  const leadsTo = ({ targets }: GraphEdge): boolean => targets.length > 0 && targets.every((target) => after.includes(target))
  const able = edges.filter((edge) => edge.event === event && edge.targets.length > 0 && before.includes(edge.source))
  const [deepest] = able.filter(leadsTo).toSorted((one, other) => depthOf(other) - depthOf(one))
  if (deepest !== undefined) return [deepest.id]
  const completes = (edge: GraphEdge, { cause, source }: GraphEdge): boolean => cause === 'complete' && edge.targets.some((target) => target.startsWith(`${source}.`))
  const [pair, ...others] = able.flatMap((edge) => edges.filter((next) => completes(edge, next) && leadsTo(next)).map((next) => [edge.id, next.id]))
  return pair === undefined || others.length > 0 ? [] : pair
}
