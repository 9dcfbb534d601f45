// An irreversible tool may run only behind a person's approval, whatever way the machine takes: from the model state that
// offers it to the tools state that performs it, or from the start to a state that calls it itself.
import type { GraphEdge } from '../graph.ts'
import type { Problem } from '../problem.ts'
import type { ModelSpec } from '../spec.ts'
import { completionEdges, edgesInForce, type Facts } from './facts.ts'

/** Which transitions of a state a way may go on by. */
type Passable = (path: string, edge: GraphEdge) => boolean

/** States that can be reached from others by transitions that are passable. */
const reachBy = (facts: Facts, starts: readonly string[], passable: Passable): ReadonlySet<string> => {
  const seen = new Set<string>()
  const queue = [...starts]
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (seen.has(path)) continue
    seen.add(path)
    const completions = facts.node(path).type === 'final' ? completionEdges(facts, path) : []
    for (const edge of [...edgesInForce(facts, path), ...completions]) if (passable(path, edge)) queue.push(...edge.targets.flatMap(facts.enteredLeaves))
  }
  return seen
}

/** The routes a batch with a call of this tool can take: its own, and every named one before it. */
const routesWith = (edges: readonly GraphEdge[], tool: string): readonly GraphEdge[] => {
  const calls = edges.filter((edge) => edge.cause === 'done' && edge.guard === 'stateloop.calls')
  const own = calls.findIndex((edge) => edge.params?.['tool'] === tool || edge.params?.['tool'] === undefined)
  return own === -1 ? calls : calls.slice(0, own + 1)
}

const approves = (facts: Facts, path: string, tool: string): boolean => facts.effectsOf(path).some((effect) => effect.kind === 'approve' && effect.call === undefined && Object.hasOwn(effect.tools, tool))
const asksAgain = (facts: Facts, path: string): boolean => facts.effectsOf(path).some((effect) => effect.kind === 'model' || effect.kind === 'decide')
const performs = (facts: Facts, path: string, tool: string): boolean => facts.effectsOf(path).some((effect) => effect.kind === 'tools' && Object.hasOwn(effect.tools, tool))

const checkOffered = (facts: Facts, path: string, { tools }: ModelSpec): readonly Problem[] =>
  Object.entries(tools)
    .filter(([, tool]) => tool.effect === 'irreversible')
    .flatMap(([name]) => {
      const edges = facts.edgesFrom(path)
      const named = routesWith(edges, name)
      // A machine written by hand may route calls with guards of its own: then every completion counts.
      const routes = named.length > 0 ? named : edges.filter((edge) => edge.cause === 'done')
      return routes.flatMap((route) => {
        // Behind an approval only its failures are ways without one; the next model call starts a batch of its own.
        const reached = reachBy(facts, route.targets.flatMap(facts.enteredLeaves), (state, edge) => !asksAgain(facts, state) && (edge.cause !== 'done' || !approves(facts, state, name)))
        const acting = [...reached].find((state) => performs(facts, state, name))
        if (acting === undefined) return []
        const first = route.params?.['tool']
        const why =
          first === undefined || first === name ? `Its calls reach '${acting}' without an approval.` : `A batch that also calls '${String(first)}' takes that route first and reaches '${acting}' without an approval.`
        const remedy = first === undefined || first === name ? `Route it to an approve state that leads to '${acting}'.` : `Put '${name}' before '${String(first)}' in onTools.`
        return [{ state: path, problem: `The tool '${name}' is irreversible. ${why} ${remedy}` }]
      })
    })

const checkDecided = (facts: Facts, path: string, name: string): readonly Problem[] => {
  const approves = (state: string): boolean => facts.effectsOf(state).some((effect) => effect.kind === 'approve' && effect.call?.name === name)
  const passable: Passable = (state, edge) => edge.cause !== 'done' || edge.params?.['value'] === 'rejected' || !approves(state)
  if (!reachBy(facts, facts.enteredLeaves(''), passable).has(path)) return []
  return [
    {
      state: path,
      problem: `The tool '${name}' is irreversible and can be called here without an approval. Put a state before it on every way: t.approve({ call: { tool: '${name}', args }, … }).`,
    },
  ]
}

/** Reports ways to an irreversible tool that pass no approval. */
export const checkApprovals = (facts: Facts): readonly Problem[] =>
  facts.graph.nodes.flatMap(({ path }) =>
    facts.effectsOf(path).flatMap((effect) => {
      if (effect.kind === 'model') return checkOffered(facts, path, effect)
      return effect.kind === 'tool' && effect.tool.effect === 'irreversible' ? checkDecided(facts, path, effect.name) : []
    }),
  )
