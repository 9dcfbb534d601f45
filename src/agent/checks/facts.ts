// What the checks look at: a machine as an indexed graph, with the effect of each state.
import type { AnyStateMachine } from 'xstate'
import { graphOf, logicOf, type Graph, type GraphEdge, type GraphNode } from '../graph.ts'
import { effectOf } from '../source.ts'
import type { EffectSpec } from '../spec.ts'

/** An indexed machine. */
export interface Facts {
  readonly machine: AnyStateMachine
  readonly graph: Graph
  readonly node: (path: string) => GraphNode
  /** Transitions of a state itself. */
  readonly edgesFrom: (path: string) => readonly GraphEdge[]
  /** States around a state, innermost first, the machine last. */
  readonly around: (path: string) => readonly string[]
  /** Effects a state performs. */
  readonly effectsOf: (path: string) => readonly EffectSpec[]
  /** States without children that become active when a state is entered. */
  readonly enteredLeaves: (path: string) => readonly string[]
}

/** Indexes a machine. */
export const factsOf = (machine: AnyStateMachine): Facts => {
  const graph = graphOf(machine)
  const nodes = new Map(graph.nodes.map((node) => [node.path, node]))
  const edges = Map.groupBy(graph.edges, (edge) => edge.source)
  const node = (path: string): GraphNode => nodes.get(path) as GraphNode
  const effects = new Map(graph.nodes.map(({ path, invokes }) => [path, invokes.flatMap(({ source }) => effectOf(logicOf(machine, source)) ?? [])]))
  const around = (path: string): readonly string[] => {
    const { parent } = node(path)
    return parent === undefined ? [] : [parent, ...around(parent)]
  }
  const enteredLeaves = (path: string): readonly string[] => {
    const { type, children, initial, parent } = node(path)
    if (type === 'history') return enteredLeaves(parent ?? '')
    if (type === 'parallel') return children.flatMap(enteredLeaves)
    return initial === undefined ? [path] : enteredLeaves(initial)
  }
  return { machine, graph, node, edgesFrom: (path) => edges.get(path) ?? [], around, effectsOf: (path) => effects.get(path) ?? [], enteredLeaves }
}

/** Transitions that can be taken while a state is active: its own and those of the states around it. */
export const edgesInForce = (facts: Facts, path: string): readonly GraphEdge[] => [path, ...facts.around(path)].flatMap((each) => facts.edgesFrom(each).filter((edge) => edge.cause !== 'complete'))

/** Transitions that follow when a final state is entered. */
export const completionEdges = (facts: Facts, path: string): readonly GraphEdge[] => {
  const { parent } = facts.node(path)
  if (parent === undefined) return []
  const own = facts.edgesFrom(parent).filter((edge) => edge.cause === 'complete')
  const around = facts.node(parent).parent
  return around !== undefined && facts.node(around).type === 'parallel' ? [...own, ...completionEdges(facts, parent)] : own
}
