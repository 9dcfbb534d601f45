// Where a run stands, read off its fold: what it waits for, which events it takes, and the row that lists show.
import type { Json } from '../failure/index.ts'
import type { RowUpdate, Waiting } from '../journal/index.ts'
import type { Fold } from './fold.ts'

interface NodeLike {
  readonly ownEvents: readonly string[]
}

/** Event types that some machine of the run would take now. */
const acceptedEvents = (fold: Fold): readonly string[] => {
  const types = new Set<string>()
  for (const actor of fold.actors.values()) {
    for (const node of actor.snapshot._nodes as unknown as readonly NodeLike[]) for (const type of node.ownEvents) if (!type.startsWith('xstate.') && type !== '*') types.add(type)
  }
  return [...types]
}

const doubts = (fold: Fold): readonly Waiting[] => {
  if (fold.doubted.size === 0) return []
  const keys = [...fold.doubted]
  return [{ for: 'in_doubt', state: keys.map((key) => fold.steps.get(key)?.state ?? '').join(', '), accepts: ['RESOLVE'], keys }]
}

const isAtWork = (fold: Fold): boolean => {
  if (fold.steps.size > fold.doubted.size) return true
  for (const key of fold.timers.keys()) if (key.endsWith('~retry')) return true
  return false
}

/** What a run waits for; empty while something of its own is under way. */
export const waitingOf = (fold: Fold): readonly Waiting[] => {
  if (fold.end !== undefined || isAtWork(fold)) return []
  const waits: Waiting[] = [...doubts(fold)]
  for (const actor of fold.actors.values()) {
    const prefix = actor.path === '' ? '' : `${actor.path}/`
    for (const effect of actor.effects.values()) {
      const waiting = effect.logic.waiting?.()
      if (waiting !== undefined) waits.push({ state: `${prefix}${effect.state}`, ...waiting })
    }
    for (const { key } of actor.delays.values()) waits.push({ for: 'timer', state: `${prefix}${JSON.stringify(actor.snapshot.value)}`, accepts: [], dueAt: fold.timers.get(key)?.dueAt ?? fold.now })
  }
  const accepts = acceptedEvents(fold)
  const asked = waits.some((waiting) => waiting.for !== 'timer')
  if (!asked && accepts.length > 0) waits.push({ for: 'event', state: JSON.stringify(fold.root.snapshot.value), accepts })
  return waits
}

const earliest = (fold: Fold): number | undefined => {
  let due: number | undefined
  for (const timer of fold.timers.values()) if (due === undefined || timer.dueAt < due) due = timer.dueAt
  return due
}

/** The row a list shows. */
export const rowUpdate = (fold: Fold, at: number): RowUpdate => {
  const { used } = fold.root
  const waiting = fold.waiting()
  const dueAt = fold.end === undefined ? earliest(fold) : undefined
  return {
    agentHash: fold.agent.hash,
    ...(fold.agent.version === undefined ? {} : { agentVersion: fold.agent.version }),
    status: fold.end?.outcome ?? (fold.queued !== undefined ? 'queued' : waiting.length > 0 ? 'waiting' : 'running'),
    updatedAt: at,
    // A queued run stands nowhere yet.
    state: ((fold.root.snapshot as typeof fold.root.snapshot | undefined)?.value ?? null) as Json,
    taken: fold.inbox,
    modelCalls: used.modelCalls,
    toolCalls: used.toolCalls,
    inputTokens: used.inputTokens,
    outputTokens: used.outputTokens,
    costNano: used.costNano,
    costUnknown: used.costUnknown,
    ...(waiting.length === 0 ? {} : { waiting }),
    ...(dueAt === undefined ? {} : { dueAt }),
    ...(fold.end?.output === undefined ? {} : { output: fold.end.output }),
    ...(fold.end?.failure === undefined ? {} : { failureCode: fold.end.failure.code }),
    ...(fold.end?.defect === undefined ? {} : { defect: true }),
  }
}
