// A machine as people draw it: transitions between the same two states are one edge, and a catch-all that ends the run is
// a mark on the state. Invariant: every transition of the graph is in exactly one edge, mark or `inside`.
import { effectOf, graphOf, logicOf, type EdgeCause, type EffectSpec, type Graph, type GraphEdge, type GraphNode } from '../../agent/index.ts'

type Machine = Parameters<typeof graphOf>[0]

/** A state to be drawn. */
export interface ChartState {
  readonly node: GraphNode
  readonly name: string
  readonly detail: string
  readonly caught?: { readonly target: string; readonly codes: string; readonly edges: readonly string[] }
  readonly inside: readonly string[]
}

/** Transitions between two states. */
export interface ChartEdge {
  readonly ids: readonly string[]
  readonly source: string
  readonly target: string
  readonly cause: EdgeCause
  readonly text: string
}

/** A machine to be drawn. */
export interface Chart {
  readonly id: string
  readonly states: readonly ChartState[]
  readonly edges: readonly ChartEdge[]
}

/** What a state calls, in a few words. */
const callOf = (effect: EffectSpec): string => {
  switch (effect.kind) {
    case 'model':
    case 'decide':
    case 'compact':
      return effect.model.model
    case 'tools':
    case 'approve':
      return Object.keys(effect.tools).join(', ')
    case 'tool':
    case 'retrieve':
    case 'rerank':
      return effect.name
    case 'agent':
    case 'each':
      return effect.agent.id
    case 'human':
      return effect.accepts.join(', ')
    case 'code':
    case 'wait':
      return ''
  }
}

/** Characters of a second line. */
const LONGEST_DETAIL = 34

const shorten = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`)

const detailOf = (machine: Machine, node: GraphNode): string => {
  if (node.path === '') return ''
  if (node.kind === 'final') return node.outcome === undefined || node.outcome === 'done' || node.path.endsWith(node.outcome) ? '' : node.outcome
  const called = node.invokes.map(({ source }) => {
    const effect = effectOf(logicOf(machine, source))
    // Of an agent that is known by its structure alone, a source says no more than the state does.
    return effect !== undefined ? callOf(effect) : source === `${node.kind}:${node.path}` ? '' : source
  })
  const plain = node.kind === 'atomic' || node.kind === 'compound' || node.kind === 'group' || node.kind === 'region'
  return shorten([plain ? '' : node.kind, ...called].filter((part) => part !== '').join(' · '), LONGEST_DETAIL)
}

/** What a transition says: the author's words, or what our own guards mean. */
const labelOf = ({ label, guard, params = {} }: GraphEdge): string | undefined => {
  if (label !== undefined) return label
  switch (guard) {
    case 'stateloop.anyFailure':
      return '*'
    case 'stateloop.failureIs':
      return String(params['code'])
    case 'stateloop.outputIs':
      return `${String(params['field'])} = ${String(params['value'])}`
    case 'stateloop.outputEquals':
      return String(params['value'])
    case 'stateloop.calls':
      return String(params['tool'] ?? 'tools')
    default:
      return undefined
  }
}

const eventText = (edge: GraphEdge): string => {
  const { cause, event, guard, params } = edge
  if (cause === 'timer') return `after ${/^xstate\.after\.([^.]+)\./.exec(event)?.[1] ?? ''}${/^xstate\.after\.\d+\./.test(event) ? ' ms' : ''}`
  const name = cause === 'event' ? event : ''
  const label = labelOf(edge)
  const when = label ?? (guard === undefined || guard.startsWith('stateloop.') ? undefined : `${guard}${params === undefined ? '' : ` ${JSON.stringify(params)}`}`)
  if (name === '') return label ?? (when === undefined ? '' : `[${when}]`)
  return when === undefined || when === name ? name : `${name} [${when}]`
}

/** Texts of merged transitions: `intent = howto` and `intent = ticket` become `intent = howto | ticket`. */
const joinTexts = (texts: readonly string[]): string => {
  const parts = [...new Set(texts.filter((text) => text !== ''))]
  const split = parts.map((text) => /^(.+ = )(.+)$/.exec(text))
  const [prefix] = split.map((match) => match?.[1])
  if (parts.length > 1 && prefix !== undefined && split.every((match) => match?.[1] === prefix)) return `${prefix}${split.map((match) => match?.[2]).join(' | ')}`
  return parts.join(', ')
}

/** Characters of an edge's text. */
const LONGEST_TEXT = 60

/** Causes that may share a line: what is plain success, what is failure, and everything else by itself. */
const groupOf = ({ cause }: GraphEdge): string => (cause === 'complete' || cause === 'always' ? 'done' : cause)

const mergeEdges = (edges: readonly GraphEdge[]): readonly ChartEdge[] => {
  const groups = new Map<string, { readonly source: string; readonly target: string; readonly edges: GraphEdge[] }>()
  for (const edge of edges) {
    for (const target of edge.targets) {
      const key = JSON.stringify([edge.source, target, groupOf(edge)])
      const group = groups.get(key) ?? { source: edge.source, target, edges: [] }
      groups.set(key, group)
      group.edges.push(edge)
    }
  }
  return [...groups.values()].map(({ source, target, edges: merged }) => ({
    ids: merged.map(({ id }) => id),
    source,
    target,
    cause: merged[0]?.cause ?? 'done',
    text: shorten(joinTexts(merged.map(eventText)), LONGEST_TEXT),
  }))
}

/** Failure transitions of a state whose `*` ends the run: they become a mark. */
const caughtBy = (graph: Graph, node: GraphNode): readonly GraphEdge[] => {
  const failures = graph.edges.filter((edge) => edge.source === node.path && edge.cause === 'failure')
  const all = failures.find((edge) => labelOf(edge) === '*')
  const target = graph.nodes.find(({ path }) => path === all?.targets[0])
  return target?.type === 'final' && target.parent === '' ? failures.filter((edge) => edge.targets[0] === target.path) : []
}

/** The chart of a machine. */
export const chartOf = (machine: Machine): Chart => {
  const graph = graphOf(machine)
  const hidden = new Set<GraphEdge>()
  const states = graph.nodes.map((node): ChartState => {
    const caught = caughtBy(graph, node)
    const stays = graph.edges.filter((edge) => edge.source === node.path && edge.targets.length === 0)
    for (const edge of [...caught, ...stays]) hidden.add(edge)
    return {
      node,
      name: node.path === '' ? graph.id : node.path.slice(node.path.lastIndexOf('.') + 1),
      detail: detailOf(machine, node),
      inside: [...new Set(stays.map(eventText))],
      ...(caught[0] === undefined ? {} : { caught: { target: caught[0].targets[0] ?? '', codes: joinTexts(caught.map(eventText)), edges: caught.map(({ id }) => id) } }),
    }
  })
  return { id: graph.id, states, edges: mergeEdges(graph.edges.filter((edge) => !hidden.has(edge))) }
}
