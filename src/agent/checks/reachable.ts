// Whether every state can be entered, and whether a run can end from each one that can.
import type { Problem } from '../problem.ts'
import { edgesInForce, type Facts } from './facts.ts'

/** States that some run can enter. */
export const reachableFrom = (facts: Facts): ReadonlySet<string> => {
  const reached = new Set<string>()
  const queue: string[] = []
  const enter = (path: string): void => {
    if (reached.has(path)) return
    reached.add(path)
    queue.push(path)
    const { type, children, initial, parent } = facts.node(path)
    if (type === 'parallel') for (const child of children) enter(child)
    else if (initial !== undefined) enter(initial)
    if (parent === undefined) return
    enterAround(parent)
  }
  // A target deep inside enters the states around it without their initial child, and the other regions with theirs.
  const enterAround = (path: string): void => {
    const { type, children, parent } = facts.node(path)
    if (!reached.has(path)) {
      reached.add(path)
      queue.push(path)
    }
    if (type === 'parallel') for (const child of children) if (!reached.has(child)) enter(child)
    if (parent !== undefined) enterAround(parent)
  }
  enter('')
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) for (const edge of facts.edgesFrom(path)) for (const target of edge.targets) enter(target)
  return reached
}

/** Reports states that no run can enter. */
export const checkUnreachable = (facts: Facts, reached: ReadonlySet<string>): readonly Problem[] =>
  facts.graph.nodes
    .filter(({ path, parent }) => !reached.has(path) && (parent === undefined || reached.has(parent)))
    .map(({ path }) => ({ state: path, problem: 'No transition leads here. Lead to it from another state, or remove it.' }))

/** Grows the set of states from which a run can end until nothing changes. */
const statesThatEnd = (facts: Facts): ReadonlySet<string> => {
  const ends = new Set(facts.graph.nodes.filter(({ type, parent }) => type === 'final' && parent === '').map(({ path }) => path))
  const leads = (targets: readonly string[]): boolean => targets.some((target) => ends.has(facts.node(target).type === 'history' ? (facts.node(target).parent ?? '') : target))
  const completes = (parent: string | undefined): boolean => {
    if (parent === undefined) return false
    if (facts.edgesFrom(parent).some((edge) => edge.cause === 'complete' && leads(edge.targets))) return true
    const around = facts.node(parent).parent
    return around !== undefined && facts.node(around).type === 'parallel' && completes(around)
  }
  // In a parallel state one region may wait for ever if another can leave for all of them.
  const leavesWithSibling = (path: string): boolean =>
    facts
      .around(path)
      .some((each) => facts.node(each).type === 'parallel' && facts.graph.edges.some((edge) => edge.source.startsWith(`${each}.`) && edge.targets.some((target) => !target.startsWith(`${each}.`) && ends.has(target))))
  const canEnd = (path: string): boolean => {
    const { type, initial, children, parent } = facts.node(path)
    if (edgesInForce(facts, path).some((edge) => leads(edge.targets)) || leavesWithSibling(path)) return true
    if (type === 'final') return completes(parent)
    if (type === 'parallel') return children.every((child) => ends.has(child))
    return initial !== undefined && ends.has(initial)
  }
  for (let grew = true; grew;) {
    grew = false
    for (const { path } of facts.graph.nodes) {
      if (ends.has(path) || !canEnd(path)) continue
      ends.add(path)
      grew = true
    }
  }
  return ends
}

/** Reports states from which no run can end. */
export const checkEndless = (facts: Facts, reached: ReadonlySet<string>): readonly Problem[] => {
  if (!facts.graph.nodes.some(({ type, parent }) => type === 'final' && parent === '')) return [{ state: '', problem: 'No state is final, so no run can end. Add one: done: t.final({ output: … }).' }]
  const ends = statesThatEnd(facts)
  return facts.graph.nodes
    .filter(({ path, type, children }) => path !== '' && reached.has(path) && !ends.has(path) && type !== 'history' && !children.some((child) => reached.has(child) && !ends.has(child)))
    .map(({ path }) => ({ state: path, problem: 'No way leads from here to a final state. Add a transition that can end the run.' }))
}
