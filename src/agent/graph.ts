// A machine as a plain graph: a node per state, an edge per transition, targets resolved. The walk is our own because
// XState's leaves out transitions without an event and runs guards; this one looks and never executes.
import type { AnyStateMachine } from 'xstate'
import { effectOf } from './source.ts'

/** A state of a machine. */
export interface GraphNode {
  /** State path with dots; empty for the machine itself. */
  readonly path: string
  /** Path of the state around it; undefined for the machine. */
  readonly parent: string | undefined
  readonly type: 'atomic' | 'compound' | 'parallel' | 'final' | 'history'
  /** Kind of state: `model`, `tools`, `group` …; the type where nothing says. */
  readonly kind: string
  /** Path of the first child that is entered. */
  readonly initial: string | undefined
  /** Paths of the children, in the author's order. */
  readonly children: readonly string[]
  /** Actors that run while the state is active. */
  readonly invokes: readonly { readonly id: string; readonly source: string }[]
  readonly description: string | undefined
  /** For a final state: how the run ends there, where the author said so. */
  readonly outcome: string | undefined
}

/** Why an edge is taken: an effect completed or failed, an event arrived, nothing more was needed, time passed, or the states inside ended. */
export type EdgeCause = 'done' | 'failure' | 'event' | 'always' | 'timer' | 'complete'

/** A transition of a machine. */
export interface GraphEdge {
  /** Stable within the machine: source, event, and position among the transitions for it. */
  readonly id: string
  readonly source: string
  /** Paths of the states entered; empty when the transition stays. */
  readonly targets: readonly string[]
  readonly cause: EdgeCause
  /** Type of the event; empty for `always`. */
  readonly event: string
  /** Name of the guard; `(function)` for one without a name. */
  readonly guard: string | undefined
  readonly params: { readonly [name: string]: unknown } | undefined
  /** What the author called it. */
  readonly label: string | undefined
}

/** A machine as nodes and edges, in the author's order. */
export interface Graph {
  readonly id: string
  readonly nodes: readonly GraphNode[]
  readonly edges: readonly GraphEdge[]
}

type StateNode = AnyStateMachine['root']
type Transition = NonNullable<StateNode['always']>[number]

const pathOf = (node: StateNode): string => node.path.join('.')

const causeOf = (event: string): EdgeCause => {
  if (event.startsWith('xstate.done.actor.')) return 'done'
  if (event.startsWith('xstate.error.actor.')) return 'failure'
  if (event.startsWith('xstate.done.state.')) return 'complete'
  return event.startsWith('xstate.after.') ? 'timer' : 'event'
}

const initialOf = (node: StateNode): string | undefined => {
  const { initial } = node.config as { readonly initial?: string | { readonly target?: string | readonly string[] } }
  const key = typeof initial === 'object' ? [initial.target].flat()[0] : initial
  return key !== undefined && Object.hasOwn(node.states, key) ? [...node.path, key].join('.') : undefined
}

const kindOf = (machine: AnyStateMachine, node: StateNode): string => {
  const meta: unknown = node.meta
  if (typeof meta === 'object' && meta !== null && 'kind' in meta && typeof meta.kind === 'string') return meta.kind
  const [first] = node.invoke
  const logic: unknown = first === undefined ? undefined : logicOf(machine, first.src)
  return effectOf(logic)?.kind ?? node.type
}

/** The logic behind an invocation's source name. */
export const logicOf = (machine: AnyStateMachine, source: unknown): unknown => {
  if (typeof source !== 'string') return source
  const inline = /^xstate\.invoke\.(\d+)\.(.*)$/.exec(source)
  if (inline === null) return (machine.implementations.actors as { readonly [name: string]: unknown })[source]
  const invoke: unknown = machine.getStateNodeById(inline[2] ?? '').config.invoke
  return ([invoke].flat()[Number(inline[1])] as { readonly src?: unknown } | undefined)?.src
}

const outcomeOf = ({ meta }: StateNode): string | undefined => (typeof meta === 'object' && meta !== null && 'outcome' in meta && typeof meta.outcome === 'string' ? meta.outcome : undefined)

const nodeOf = (machine: AnyStateMachine, node: StateNode): GraphNode => ({
  path: pathOf(node),
  parent: node.parent === undefined ? undefined : pathOf(node.parent as StateNode),
  type: node.type,
  kind: kindOf(machine, node),
  initial: initialOf(node),
  children: Object.values(node.states).map((child) => pathOf(child as StateNode)),
  invokes: node.invoke.map(({ id, src }) => ({ id, source: String(src) })),
  description: node.description,
  outcome: outcomeOf(node),
})

const guardOf = ({ guard }: Transition): Pick<GraphEdge, 'guard' | 'params'> => {
  if (typeof guard === 'string') return { guard, params: undefined }
  if (typeof guard === 'object' && guard !== null && 'type' in guard) return { guard: guard.type, params: guard.params as GraphEdge['params'] }
  return { guard: guard === undefined ? undefined : '(function)', params: undefined }
}

const ids = new WeakMap<object, string>()

/** The id of a transition in its machine's graph. Found once per transition. */
export const edgeId = (transition: Transition): string => {
  const known = ids.get(transition)
  if (known !== undefined) return known
  const { source, eventType: event } = transition
  const all: readonly unknown[] = (event === '' ? source.always : source.transitions.get(event)) ?? []
  const id = idOf(source as StateNode, event, all.indexOf(transition))
  ids.set(transition, id)
  return id
}

const idOf = (node: StateNode, event: string, index: number): string => `${pathOf(node)}/${event === '' ? 'always' : event}/${index}`

const edgeOf = (node: StateNode, event: string, cause: EdgeCause, transition: Transition, index: number): GraphEdge => ({
  id: idOf(node, event, index),
  source: pathOf(node),
  targets: (transition.target ?? []).map((target) => pathOf(target as StateNode)),
  cause,
  event,
  ...guardOf(transition),
  label: transition.description,
})

const edgesOf = (node: StateNode): readonly GraphEdge[] => [
  ...(node.always ?? []).map((transition, index) => edgeOf(node, '', 'always', transition, index)),
  ...[...node.transitions].flatMap(([event, transitions]) => transitions.map((transition, index) => edgeOf(node, event, causeOf(event), transition as Transition, index))),
]

const walk = (node: StateNode): readonly StateNode[] => [node, ...Object.values(node.states).flatMap((child) => walk(child as StateNode))]

/** The graph of any XState machine. */
export const graphOf = (machine: AnyStateMachine): Graph => {
  const all = walk(machine.root)
  return { id: machine.id, nodes: all.map((node) => nodeOf(machine, node)), edges: all.flatMap(edgesOf) }
}
