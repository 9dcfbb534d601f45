// Makes actors of a run and keeps their view of it, `context.$run`, up to date.
import type { Agent, RunView, ThreadView } from '../agent/index.ts'
import type { Message } from '../prompt/index.ts'
import type { Actor } from './actor.ts'
import { Decider } from './decide.ts'
import type { RunInfo } from './effect.ts'
import { RepeatWatch } from './repeat.ts'
import { Thread } from './thread.ts'
import { fullLimits, nothingUsed, type Used } from './usage.ts'

/** An actor that has not started. */
export const createActor = (path: string, agent: Agent, parent: Actor['parent'], threads: ReadonlyMap<string, readonly Message[]>): Actor => {
  const limits = fullLimits(agent.limits)
  const own = new Map([...threads].map(([name, messages]) => [name, new Thread(name, messages)]))
  return {
    path,
    agent,
    decider: new Decider(agent.machine, path, (name) => own.get(name)?.messages.slice() ?? []),
    limits,
    used: nothingUsed(),
    repeat: new RepeatWatch(limits.repeat),
    parent,
    // Written by the first transition, before anything reads it.
    snapshot: undefined as never,
    effects: new Map(),
    machines: new Map(),
    delays: new Map(),
    visits: {},
    entries: new Map(),
    threads: own,
    pending: [],
    approved: new Set(),
    lastFailure: undefined,
  }
}

const threadsOf = ({ threads }: Actor): RunView['threads'] => {
  const views: [string, ThreadView][] = []
  for (const [name, { id, messages }] of threads) views.push([name, { id, length: messages.length }])
  return Object.fromEntries(views)
}

const viewOf = (actor: Actor, run: RunInfo, used: Used): RunView => ({
  id: run.id,
  ...(run.user === undefined ? {} : { user: run.user }),
  ...(run.route === undefined ? {} : { route: run.route }),
  ...(run.tenant === undefined ? {} : { tenant: run.tenant }),
  visits: actor.visits,
  transitions: used.transitions,
  modelCalls: used.modelCalls,
  toolCalls: used.toolCalls,
  inputTokens: used.inputTokens,
  outputTokens: used.outputTokens,
  costUsd: used.costNano / 1e9,
  ...(actor.lastFailure === undefined ? {} : { lastFailure: actor.lastFailure }),
  threads: threadsOf(actor),
})

/** Writes the view into the actor's context. The context object itself is replaced, so whoever holds the old one keeps it. */
export const refreshView = (actor: Actor, run: RunInfo, used: Used): RunView => {
  const view = viewOf(actor, run, used)
  actor.snapshot.context = { ...(actor.snapshot.context as object), $run: view }
  return view
}

/** Whether the actor's context still holds this view, which machines may not replace. */
export const hasView = (actor: Actor, view: RunView | undefined): boolean => view !== undefined && (actor.snapshot.context as { readonly $run?: RunView }).$run === view
