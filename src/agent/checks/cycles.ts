// Cycles that nobody stops: a machine that goes round by itself needs a state with a visit limit on every way round.
// Waiting for a person or for time is not going round by itself.
import type { GraphEdge } from '../graph.ts'
import type { Problem } from '../problem.ts'
import { completionEdges, edgesInForce, type Facts } from './facts.ts'

/** Kinds of state that wait for the world. */
const WAITS = new Set(['human', 'approve', 'wait'])

const limited = (facts: Facts, path: string): boolean => facts.effectsOf(path).some((effect) => effect.maxVisits !== undefined)
const waits = (facts: Facts, path: string): boolean => facts.effectsOf(path).some((effect) => WAITS.has(effect.kind))
const decides = (facts: Facts, path: string): boolean => facts.effectsOf(path).some((effect) => effect.kind === 'decide')

const isAutomatic = (facts: Facts, edge: GraphEdge): boolean => edge.cause !== 'timer' && (edge.cause !== 'event' || decides(facts, edge.source))

/** States that can follow a state without anything from outside. */
const followers = (facts: Facts, path: string): readonly string[] => {
  const completions = facts.node(path).type === 'final' ? completionEdges(facts, path) : []
  const automatic = edgesInForce(facts, path).filter((edge) => isAutomatic(facts, edge))
  return [...automatic, ...completions].flatMap((edge) => edge.targets).flatMap(facts.enteredLeaves)
}

/** Groups of states that lead to one another, by Tarjan's algorithm. @see https://doi.org/10.1137/0201010 */
const components = (vertices: readonly string[], next: (vertex: string) => readonly string[]): readonly (readonly string[])[] => {
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const onStack = new Set<string>()
  const found: string[][] = []
  const visit = (vertex: string): void => {
    order.set(vertex, order.size)
    low.set(vertex, order.get(vertex) as number)
    stack.push(vertex)
    onStack.add(vertex)
    for (const following of next(vertex)) {
      if (!order.has(following)) visit(following)
      if (onStack.has(following)) low.set(vertex, Math.min(low.get(vertex) as number, low.get(following) as number))
    }
    if (low.get(vertex) !== order.get(vertex)) return
    const component = stack.splice(stack.indexOf(vertex))
    for (const each of component) onStack.delete(each)
    found.push(component)
  }
  for (const vertex of vertices) if (!order.has(vertex)) visit(vertex)
  return found
}

/** Reports cycles that run by themselves and pass no state with a visit limit. */
export const checkCycles = (facts: Facts): readonly Problem[] => {
  const leaves = facts.graph.nodes.filter(({ path, children, type }) => children.length === 0 && type !== 'history' && !limited(facts, path) && !waits(facts, path)).map(({ path }) => path)
  const known = new Set(leaves)
  const next = new Map(leaves.map((path) => [path, followers(facts, path).filter((target) => known.has(target))]))
  const cycles = components(leaves, (path) => next.get(path) ?? []).filter((component) => component.length > 1 || next.get(component[0] ?? '')?.includes(component[0] ?? '') === true)
  return cycles.map((cycle) => {
    const ordered = leaves.filter((path) => cycle.includes(path))
    return { state: ordered[0] ?? '', problem: `${ordered.join(' → ')} → ${ordered[0]} can go round for ever by itself. Give one of these states maxVisits.` }
  })
}
