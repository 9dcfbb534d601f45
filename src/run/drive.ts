// The driver: select what came first, fold it, make it durable, act. The only loop of the framework.
import { fail, failure, FailureError, type Failure } from '../failure/index.ts'
import type { EntryBody, StoredEntry, Waiting } from '../journal/index.ts'
import { canonical } from '../schema/index.ts'
import { settlementOf } from './charges.ts'
import type { FoldStep } from './fold-step.ts'
import type { Fold } from './fold.ts'
import type { Arrival, DurablePort } from './port.ts'
import { capOf } from './run-cap.ts'

/** Registers with the port what the fold has newly opened, and drops what it no longer wants. */
const reconcile = (fold: Fold, port: DurablePort, registered: Set<string>): void => {
  for (const key of registered) {
    if (fold.steps.has(key) || fold.timers.has(key)) continue
    registered.delete(key)
    port.drop(key)
  }
  for (const [key, request] of fold.steps) {
    if (registered.has(key) || fold.doubted.has(key)) continue
    registered.add(key)
    port.step(request)
  }
  for (const [key, timer] of fold.timers) {
    if (registered.has(key)) continue
    registered.add(key)
    port.timer(timer)
  }
}

/** Called after each durable step, in order. Must not throw. */
export type OnStep = (step: FoldStep, arrival: Arrival) => void

/** Decides whether a run that waits for this may leave the process when nothing has arrived. */
export type MayPark = (waits: readonly Waiting[]) => boolean

/** A run leaves when the world must move it, and stays for its own timers. */
const stayForTimers: MayPark = (waits) => waits.some((waiting) => waiting.for !== 'timer')
/** A run leaves whenever it waits; whoever drives it knows when its timers are due. */
export const leaveWhenWaiting: MayPark = (waits) => waits.length > 0

/**
 * Drives a run until it ends or only the world can move it.
 * @throws FailureError `lease_lost`, `journal_unavailable`: the run is intact and can be resumed.
 */
export const drive = async (fold: Fold, port: DurablePort, onStep: OnStep, first?: Arrival, mayPark: MayPark = stayForTimers): Promise<'ended' | 'parked'> => {
  const registered = new Set<string>()
  let arrival = first
  for (;;) {
    if (arrival === undefined) {
      if (fold.end !== undefined) return 'ended'
      reconcile(fold, port, registered)
      port.inbox(fold.inbox)
      arrival = await port.select(mayPark(fold.waiting()))
      if (arrival === undefined) return 'parked'
    }
    const settlement = settlementOf(fold, arrival)
    const step = fold.apply(arrival.cause, arrival.at)
    if (arrival.cause.type === 'attempt') {
      const id = `${arrival.cause.key}.${arrival.cause.attempt}`
      registered.delete(id)
      capOf(fold)?.folded(id)
    }
    if (arrival.cause.type === 'timer') registered.delete(arrival.cause.key)
    // A person may say that a step in doubt is to be performed again.
    if (arrival.cause.type === 'resumed') for (const key of arrival.cause.doubt ?? []) registered.delete(key)
    await port.commit({ arrival, step, row: fold.row(arrival.at), settlement })
    for (const act of fold.takeActs()) act()
    onStep(step, arrival)
    arrival = undefined
  }
}

const differs = (recorded: unknown, folded: unknown): boolean => canonical(JSON.parse(JSON.stringify(recorded ?? null))) !== canonical(JSON.parse(JSON.stringify(folded ?? null)))

const changedAt = (run: string, entry: StoredEntry, what: string, recorded: unknown, folded: unknown): Failure =>
  failure(
    'definition_changed',
    `Run ${run} does not fold the same at entry ${entry.seq}: ${what} was ${JSON.stringify(recorded)}, now ${JSON.stringify(folded)}. Resume with the code the run was started with, or provide a migration.`,
    {
      details: { seq: entry.seq, what, recorded: JSON.stringify(recorded) ?? '', folded: JSON.stringify(folded) ?? '' },
    },
  )

/**
 * Folds recorded entries again and checks that each leads where it led then.
 * @throws FailureError `definition_changed` at the first difference.
 */
export const refold = (fold: Fold, entries: readonly StoredEntry[], onStep?: (step: FoldStep, entry: StoredEntry, body: EntryBody) => void): void => {
  for (const entry of entries) {
    const body = JSON.parse(entry.text) as EntryBody
    settlementOf(fold, { cause: body.cause, at: entry.at })
    const step = fold.apply(body.cause, entry.at)
    fold.takeActs()
    if (step.end?.defect === true && body.end?.defect !== true) throw new FailureError(changedAt(fold.info.id, entry, 'outcome', body.end ?? null, step.end))
    if (differs(body.moves, step.moves)) throw new FailureError(changedAt(fold.info.id, entry, 'transitions', body.moves, step.moves))
    if (differs(body.intents ?? [], step.intents)) throw new FailureError(changedAt(fold.info.id, entry, 'effects', body.intents ?? [], step.intents))
    onStep?.(step, entry, body)
  }
  if (entries.length === 0) fail('journal_corrupt', `Run ${fold.info.id} has no entries.`)
}
