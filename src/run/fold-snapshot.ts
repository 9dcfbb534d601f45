// A fold as text, so that a long run can go on without folding all of its entries again. It is taken at a transition of the
// run's own machine that leaves nothing under way from before, just before the transition's commands are carried out.
// Invariant: putting it back and carrying them out gives the fold that all entries give, or it is refused.
import type { EventObject } from 'xstate'
import type { Failure, Json } from '../failure/index.ts'
import type { Message, ToolCall } from '../prompt/index.ts'
import { canonical } from '../schema/index.ts'
import type { Actor } from './actor.ts'
import { chargedOf, noteCharged, type ChargedUnder } from './charges.ts'
import { machineStanding, type Command, type MachineStanding } from './decide.ts'
import { regionsOf } from './effect-context.ts'
import type { Fold } from './fold.ts'
import type { GraceStanding } from './grace.ts'
import { Thread, type CallDecision, type PendingCalls, type ThreadSums } from './thread.ts'
import type { Used } from './usage.ts'

/** Changes whenever the fold keeps more or other things than before: older snapshots are then left alone. */
const VERSION = 1

interface PendingText {
  readonly state: string
  readonly calls: readonly ToolCall[]
  readonly problems: readonly (readonly [string, Failure])[]
  readonly decisions: readonly (readonly [string, CallDecision])[]
}

interface ThreadText {
  readonly name: string
  readonly id: string
  readonly messages: readonly Message[]
  readonly inherited: number
  readonly continues: boolean
  readonly sums: ThreadSums
  readonly pending?: PendingText
}

interface FoldText {
  readonly v: typeof VERSION
  readonly agent: string
  readonly now: number
  readonly inbox: number
  readonly namedThreads: readonly string[]
  readonly grace: GraceStanding
  readonly charged: readonly ChargedUnder[]
  readonly machine: MachineStanding
  readonly used: Used
  readonly repeat: readonly string[]
  readonly delays: readonly { readonly id: string; readonly key: string; readonly event: EventObject; readonly dueAt: number }[]
  readonly visits: Actor['visits']
  readonly entries: readonly (readonly [string, number])[]
  readonly threads: readonly ThreadText[]
  /** Names of the threads whose calls can be taken, in order. */
  readonly pending: readonly string[]
  readonly regions: readonly (readonly [string, string])[]
  readonly approved: readonly string[]
  readonly lastFailure?: Actor['lastFailure']
}

/** What a snapshot must lead to. */
interface Result {
  readonly steps: readonly string[]
  readonly timers: readonly (readonly [string, number])[]
  readonly row: Json
}

const pendingText = ({ state, calls, problems, decisions }: PendingCalls): PendingText => ({ state, calls, problems: [...problems], decisions: [...decisions] })

const threadText = ([name, thread]: readonly [string, Thread]): ThreadText => {
  const { id, messages, inherited, continues, pending } = thread
  return { name, id, messages, inherited, continues, sums: thread.sums, ...(pending === undefined ? {} : { pending: pendingText(pending) }) }
}

/** Calls that some state may still take, by the name of their thread; undefined when a thread is not among the actor's. */
const pendingNames = ({ pending, threads }: Actor): readonly string[] | undefined => {
  const live = pending.filter((calls) => calls.thread.pending === calls)
  const names = live.map(({ thread }) => [...threads].find(([, one]) => one === thread)?.[0])
  return names.every((name) => name !== undefined) ? names : undefined
}

/** Whether nothing that is under way outlives these commands. */
const isBoundary = ({ actors, root, doubted }: Fold, commands: readonly Command[]): boolean => {
  if (actors.size !== 1 || root.machines.size > 0 || doubted.size > 0 || root.snapshot.status !== 'active') return false
  const stopped = new Set(commands.flatMap((command) => (command.type === 'stop' ? [command.id] : [])))
  return [...root.effects.keys()].every((id) => stopped.has(id))
}

/** The fold as it is before it carries out commands, or undefined where it cannot be put back. */
export const beforeCommands = (fold: Fold, grace: GraceStanding, commands: readonly Command[]): string | undefined => {
  const { root } = fold
  const pending = isBoundary(fold, commands) ? pendingNames(root) : undefined
  if (pending === undefined) return undefined
  const text: FoldText = {
    v: VERSION,
    agent: fold.agent.hash,
    now: fold.now,
    inbox: fold.inbox,
    namedThreads: [...fold.namedThreads],
    grace,
    charged: chargedOf(fold),
    machine: machineStanding(root.snapshot, commands),
    used: root.used,
    repeat: root.repeat.recent,
    delays: [...root.delays].map(([id, { key, event }]) => ({ id, key, event, dueAt: fold.timers.get(key)?.dueAt ?? 0 })),
    visits: root.visits,
    entries: [...root.entries],
    threads: [...root.threads].map(threadText),
    pending,
    regions: [...regionsOf(root)],
    approved: [...root.approved],
    ...(root.lastFailure === undefined ? {} : { lastFailure: root.lastFailure }),
  }
  return JSON.stringify(text)
}

const resultOf = (fold: Fold): Result => ({
  steps: [...fold.steps.keys()],
  timers: [...fold.timers.values()].map(({ key, dueAt }) => [key, dueAt]),
  row: fold.row(fold.now) as unknown as Json,
})

/** Text of a snapshot: the fold before the commands, and what they led to. */
export const snapshotText = (before: string, fold: Fold): string => `{"before":${before},"result":${JSON.stringify(resultOf(fold))}}`

const putThread = (root: Actor, { name, id, messages, inherited, continues, sums, pending }: ThreadText): void => {
  const thread = new Thread(id, messages, inherited)
  thread.continues = continues
  thread.takeSums(sums)
  root.threads.set(name, thread)
  if (pending === undefined) return
  thread.pending = { state: pending.state, thread, calls: pending.calls, problems: new Map(pending.problems), decisions: new Map(pending.decisions) }
}

const putActor = (fold: Fold, text: FoldText): void => {
  const { root } = fold
  Object.assign(root.used, text.used)
  root.repeat.recent.push(...text.repeat)
  root.visits = text.visits
  for (const [id, count] of text.entries) root.entries.set(id, count)
  for (const { id, key, event, dueAt } of text.delays) {
    root.delays.set(id, { key, event })
    fold.timers.set(key, { key, dueAt })
  }
  root.threads.clear()
  for (const thread of text.threads) putThread(root, thread)
  for (const name of text.pending) {
    const pending = root.threads.get(name)?.pending
    if (pending !== undefined) root.pending.push(pending)
  }
  for (const hash of text.approved) root.approved.add(hash)
  root.lastFailure = text.lastFailure
}

/**
 * Puts a fresh fold where a snapshot stands. @param snapshot its text, parsed.
 * @returns why it cannot be used, in which case the fold is of no use either; undefined when it was.
 */
export const recallFold = (fold: Fold, snapshot: unknown): string | undefined => {
  try {
    const { before, result } = snapshot as { readonly before: FoldText; readonly result: Result }
    if (before.v !== VERSION) return 'another version of this library took it'
    if (before.agent !== fold.agent.hash) return 'it belongs to another version of the agent'
    fold.now = before.now
    fold.inbox = before.inbox
    for (const name of before.namedThreads) fold.namedThreads.add(name)
    noteCharged(fold, before.charged)
    putActor(fold, before)
    for (const [state, region] of before.regions) regionsOf(fold.root).set(state, region)
    fold.recall(before.machine, before.grace)
    return canonical(JSON.parse(JSON.stringify(resultOf(fold)))) === canonical(result) ? undefined : 'it does not lead where the run was'
  } catch (error) {
    return `it could not be read: ${error instanceof Error ? error.message : String(error)}`
  }
}
