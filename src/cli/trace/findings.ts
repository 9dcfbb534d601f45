// What stands out in a run: calls made twice, tools that were offered for nothing or chosen and left, and calls that other
// runs made too. Invariant: each finding says what was seen and what to do, and is found from the first repetition on.
import { effectOf, type Agent } from '../../agent/index.ts'
import { count, showDuration, showUsd } from '../amounts.ts'
import { oneLine } from '../io.ts'
import type { RunCall } from './calls.ts'

/** Something worth looking at. */
export interface Finding {
  readonly kind: 'repeated' | 'abandoned' | 'unused' | 'across_runs'
  /** State it was found in. */
  readonly state: string
  /** What is called. */
  readonly name: string
  readonly message: string
  readonly durationMs?: number
  /** null when a price is unknown. */
  readonly costUsd?: number | null
}

const SHOWN_ARGS = 60

const shownArgs = ({ args }: RunCall): string => {
  if (args === undefined) return ''
  const text = oneLine(JSON.stringify(args))
  return ` ${text.length > SHOWN_ARGS ? `${text.slice(0, SHOWN_ARGS)}…` : text}`
}

const place = ({ actor, state }: RunCall): string => (actor === '' ? state : `${actor} ${state}`)

const sum = (calls: readonly RunCall[]): { readonly durationMs: number; readonly costUsd: number | null } => ({
  durationMs: calls.reduce((total, call) => total + call.durationMs, 0),
  costUsd: calls.reduce<number | null>((total, call) => (total === null || call.costUsd === null ? null : total + call.costUsd), 0),
})

/** Calls by what they asked, those without an identity left out. */
export const byIdentity = (calls: readonly RunCall[]): ReadonlyMap<string, readonly RunCall[]> => {
  const groups = new Map<string, RunCall[]>()
  for (const call of calls) {
    if (call.identity === undefined) continue
    const group = groups.get(call.identity)
    if (group === undefined) groups.set(call.identity, [call])
    else group.push(call)
  }
  return groups
}

const spent = (calls: readonly RunCall[]): string => {
  const { durationMs, costUsd } = sum(calls)
  return costUsd === 0 ? showDuration(durationMs) : `${showDuration(durationMs)} and ${showUsd(costUsd)}`
}

const repeated = (calls: readonly RunCall[]): readonly Finding[] =>
  [...byIdentity(calls).values()].flatMap((group) => {
    const [first, ...again] = group
    const paid = again.filter((call) => !call.cached)
    if (first === undefined || paid.length === 0) return []
    const same = new Set(group.map(({ result }) => result)).size === 1 && first.result !== undefined
    const advice = same ? 'with the same result. Cache it, or keep the answer in the context.' : 'with another result. Check that the model saw the first answer.'
    return [{ kind: 'repeated' as const, state: place(first), name: first.name, message: `${first.name}${shownArgs(first)} was called ${group.length} times, ${advice} The repetition took ${spent(paid)}.`, ...sum(paid) }]
  })

interface NodeLike {
  readonly path: readonly string[]
  readonly invoke: readonly { readonly src: unknown }[]
  readonly states: { readonly [name: string]: NodeLike }
}

/** Names of the tools that each model state offers, by state path. */
const offeredBy = ({ machine }: Agent): ReadonlyMap<string, readonly string[]> => {
  const found = new Map<string, readonly string[]>()
  const sources = machine.implementations.actors as { readonly [name: string]: unknown }
  const walk = (node: NodeLike): void => {
    for (const { src } of node.invoke) {
      const effect = effectOf(typeof src === 'string' ? sources[src] : src)
      if (effect?.kind === 'model' && Object.keys(effect.tools).length > 0) found.set(node.path.join('.'), Object.keys(effect.tools))
    }
    for (const child of Object.values(node.states)) walk(child)
  }
  walk(machine.root as unknown as NodeLike)
  return found
}

const isToolCall = ({ kind }: RunCall): boolean => kind === 'tools'

/** Tool calls that failed, after which the model took another tool and never got an answer from this one. */
const abandoned = (calls: readonly RunCall[]): readonly Finding[] => {
  const tools = calls.filter(isToolCall)
  return [...new Set(tools.map(({ actor, name }) => `${actor} ${name}`))].flatMap((which) => {
    const own = tools.filter(({ actor, name }) => `${actor} ${name}` === which)
    const last = own.at(-1)
    if (last?.failed === undefined || own.some(({ failed }) => failed === undefined)) return []
    const next = tools.slice(tools.indexOf(last) + 1).find(({ actor, name }) => actor === last.actor && name !== last.name)
    const then = next === undefined ? 'and then left' : `and then left for ${next.name}`
    return [
      {
        kind: 'abandoned' as const,
        state: place(last),
        name: last.name,
        message: `${last.name} was chosen ${own.length === 1 ? 'once' : `${own.length} times`}, failed (${[...new Set(own.map(({ failed }) => failed))].join(', ')}) ${then}. Say in its description when to use it and what it takes.`,
        ...sum(own),
      },
    ]
  })
}

const unused = (agent: Agent | undefined, calls: readonly RunCall[]): readonly Finding[] =>
  [...(agent === undefined ? [] : offeredBy(agent))].flatMap(([state, offered]) => {
    const asked = calls.filter((call) => call.actor === '' && call.state === state && call.kind === 'model').length
    const never = offered.filter((name) => !calls.some((call) => isToolCall(call) && call.name === name))
    if (asked === 0 || never.length === 0) return []
    return [{ kind: 'unused' as const, state, name: never.join(', '), message: `${state} offered ${never.join(', ')} in ${count(asked, 'call')} and the model never chose ${never.length === 1 ? 'it' : 'them'}.` }]
  })

const acrossRuns = (calls: readonly RunCall[], others: readonly RunCall[]): readonly Finding[] => {
  const elsewhere = byIdentity(others)
  const shared = [...byIdentity(calls)].flatMap(([identity, [first]]) => (first === undefined || first.failed !== undefined || first.cached || !elsewhere.has(identity) ? [] : [first]))
  return [...Map.groupBy(shared, (call) => `${place(call)} ${call.name}`).values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    const runs = new Set(group.flatMap(({ identity = '' }) => elsewhere.get(identity) ?? []).map(({ run }) => run)).size
    const which = group.length === 1 ? `${first.name}${shownArgs(first)} was` : `${group.length} calls of ${first.name} were`
    const saved = isToolCall(first) ? 'Remembering its answers' : `A cache on ${first.state}`
    return [{ kind: 'across_runs' as const, state: place(first), name: first.name, message: `${which} also made by ${count(runs, 'other run')}. ${saved} would have saved ${spent(group)} here.`, ...sum(group) }]
  })
}

/**
 * Findings of a run, in the order in which they cost.
 * @param agent undefined when it is not at hand: what it offers is not known then.
 * @param others calls of earlier runs of the same agent.
 */
export const findingsOf = (agent: Agent | undefined, calls: readonly RunCall[], others: readonly RunCall[]): readonly Finding[] =>
  [...repeated(calls), ...abandoned(calls), ...unused(agent, calls), ...acrossRuns(calls, others)].toSorted((a, b) => ('durationMs' in b ? (b.durationMs ?? 0) : 0) - ('durationMs' in a ? (a.durationMs ?? 0) : 0))
