// What XState itself accepts and then fails on, or what the journal could not see: names without an implementation,
// ids that stand for two things, events that swallow errors, and actors that talk past the journal.
import type { AnyStateMachine } from 'xstate'
import { logicOf } from '../graph.ts'
import { suggest } from '../nearest.ts'
import type { Problem } from '../problem.ts'
import { effectOf } from '../source.ts'
import { isMachine } from '../xstate.ts'
import type { Facts } from './facts.ts'

type StateNode = AnyStateMachine['root']
interface Transitionish {
  readonly actions?: unknown
  readonly guard?: unknown
}

const pathOf = (node: StateNode): string => node.path.join('.')
const walk = (node: StateNode): readonly StateNode[] => [node, ...Object.values(node.states).flatMap((child) => walk(child as StateNode))]

const transitionsOf = (node: StateNode): readonly Transitionish[] => [...(node.always ?? []), ...[...node.transitions.values()].flat()]

const actionsOf = (node: StateNode): readonly unknown[] => [...node.entry, ...node.exit, ...transitionsOf(node).flatMap(({ actions }) => [actions].flat().filter((action) => action !== undefined))]

const nameOf = (reference: unknown): string | undefined => {
  if (typeof reference === 'string') return reference
  return typeof reference === 'object' && reference !== null && 'type' in reference ? String(reference.type) : undefined
}

/** Guards named by a guard, inside `and`, `or` and `not` too. */
const guardNames = (guard: unknown): readonly string[] => {
  const name = nameOf(guard)
  if (name !== undefined) return [name]
  const inner = typeof guard === 'function' && 'guards' in guard && Array.isArray(guard.guards) ? (guard.guards as readonly unknown[]) : []
  return inner.flatMap(guardNames)
}

/** What is wrong with an action, whether built in or written by hand. XState marks its own with a type. */
const wrongAction = (action: unknown): string | undefined => {
  if (typeof action !== 'function') return undefined
  const { type, to, assignment, collect } = action as {
    readonly type?: string
    readonly to?: unknown
    readonly assignment?: unknown
    readonly collect?: unknown
  }
  const source = [assignment, collect, ...Object.values(typeof assignment === 'object' && assignment !== null ? assignment : {})].filter((part) => typeof part === 'function').join('\n')
  if (type === 'xstate.spawnChild' || /\bspawn(Child)?\b/.test(source)) return 'An action spawns an actor, which the journal cannot see. Invoke it in a state instead.'
  if ((type === 'xstate.sendTo' && to === '#_parent') || /\bsendParent\b/.test(source)) return 'An action sends to the parent machine, which the journal cannot see. End with an output instead.'
  return undefined
}

const checkEvents = (node: StateNode): readonly Problem[] =>
  Object.keys((node.config.on ?? {}) as object).flatMap((event) => {
    if (event === '*') return [{ state: pathOf(node), problem: "A transition on '*' also swallows the failures of every effect. Name the events." }]
    if (event.startsWith('xstate.')) return [{ state: pathOf(node), problem: `'${event}' is an event of XState's own. Use onDone, onError, after or always, or name the event differently.` }]
    return []
  })

const checkNames = (machine: AnyStateMachine, node: StateNode): readonly Problem[] => {
  const { guards, actions } = machine.implementations as { readonly guards: object; readonly actions: object }
  const missing = (what: string, name: string, known: object): Problem => ({
    state: pathOf(node),
    problem: `There is no ${what} called '${name}'.${suggest(name, Object.keys(known))}`,
  })
  const guardProblems = transitionsOf(node).flatMap(({ guard }) =>
    guardNames(guard)
      .filter((name) => !Object.hasOwn(guards, name))
      .map((name) => missing('guard', name, guards)),
  )
  const actionProblems = actionsOf(node).flatMap((action) => {
    const name = nameOf(action)
    return name === undefined || Object.hasOwn(actions, name) ? [] : [missing('action', name, actions)]
  })
  return [...guardProblems, ...actionProblems]
}

const checkActors = (machine: AnyStateMachine, node: StateNode): readonly Problem[] =>
  node.invoke.flatMap(({ src, id }) => {
    const logic = logicOf(machine, src)
    if (logic === undefined)
      return [
        {
          state: pathOf(node),
          problem: `There is no actor called '${String(src)}'.${suggest(String(src), Object.keys(machine.implementations.actors as object))}`,
        },
      ]
    if (effectOf(logic) !== undefined || isMachine(logic)) return []
    return [
      {
        state: pathOf(node),
        problem: `The actor '${id}' is neither one of Stateloop's nor a machine, so its results would not be journaled. Use fromCode, fromTool or t.code.`,
      },
    ]
  })

const twice = (ids: readonly (readonly [id: string, path: string])[], what: string): readonly Problem[] => {
  const seen = new Map<string, string>()
  return ids.flatMap(([id, path]) => {
    const first = seen.get(id)
    if (first === undefined) seen.set(id, path)
    return first === undefined ? [] : [{ state: path, problem: `The ${what} id '${id}' is already used by '${first === '' ? '(agent)' : first}'. Give each its own.` }]
  })
}

/** Reports duplicate ids, missing implementations, wildcard events and actors that the journal cannot see. */
export const checkReferences = ({ machine }: Facts): readonly Problem[] => {
  const nodes = walk(machine.root)
  const actions = [
    ...new Set([...nodes.flatMap((node) => actionsOf(node).map((action) => [pathOf(node), action] as const)), ...Object.values(machine.implementations.actions as object).map((action: unknown) => ['', action] as const)]),
  ]
  return [
    ...twice(
      nodes.map((node) => [node.id, pathOf(node)]),
      'state',
    ),
    ...twice(
      nodes.flatMap((node) => node.invoke.map(({ id }) => [id, pathOf(node)] as const)),
      'invoke',
    ),
    ...nodes.flatMap((node) => [...checkEvents(node), ...checkNames(machine, node), ...checkActors(machine, node)]),
    ...actions.flatMap(([state, action]) => {
      const problem = wrongAction(action)
      return problem === undefined ? [] : [{ state, problem }]
    }),
  ]
}
