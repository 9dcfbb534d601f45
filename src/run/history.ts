// A run seen again: its entries folded one by one, each with what a watcher was told and where every machine then stood.
// Invariant: it only reads; entries that do not fold as recorded are refused, never shown as if they did.
import type { Agent } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import type { Entry, Journal, StateValue } from '../journal/index.ts'
import type { Message } from '../prompt/index.ts'
import type { Actor } from './actor.ts'
import { refold } from './drive.ts'
import type { Fold } from './fold.ts'
import { eventsOf } from './notices.ts'
import { recordedSteps } from './recorded/recorded-history.ts'
import { lastMigration, openFold } from './open-fold.ts'
import type { RunEvent } from './run-event.ts'

/** A thread as it was after an entry: the first `length` of `messages`, which later entries make longer. */
export interface HistoryThread {
  readonly name: string
  readonly id: string
  readonly length: number
  readonly messages: readonly Message[]
}

/** A machine of the run as it was after an entry. */
export interface HistoryActor {
  /** Empty for the run's own machine, `/research#1` for a child. */
  readonly path: string
  readonly agent: Agent
  readonly value: StateValue
  /** Immutable; fields that did not change are the same objects as before. */
  readonly context: { readonly [field: string]: unknown }
  readonly threads: readonly HistoryThread[]
}

/** One entry and what it did. */
export interface HistoryStep {
  readonly entry: Entry
  /** What watchers were told, without deltas. Entries before a migration belong to an older agent: theirs say what the entries alone tell. */
  readonly events: readonly RunEvent[]
  /** The machines after it, the run's own first; those that ended with the entry are gone. Empty before a migration. */
  readonly actors: readonly HistoryActor[]
}

/** Reads a run forward. */
export interface History {
  /**
   * The entries that came since the last call, the first call all that are there.
   * @throws FailureError `definition_changed` when they do not fold as recorded, `journal_corrupt`, `journal_rolled_back`.
   */
  readonly next: () => Promise<readonly HistoryStep[]>
}

const viewOf = ({ path, agent, snapshot, threads }: Actor): HistoryActor => ({
  path,
  agent,
  value: snapshot.value as StateValue,
  context: snapshot.context as HistoryActor['context'],
  threads: [...threads].map(([name, { id, messages }]) => ({ name, id, length: messages.length, messages })),
})

const actorsOf = ({ root, actors, queued }: Fold): readonly HistoryActor[] => (queued !== undefined ? [] : [root, ...[...actors.values()].filter((actor) => actor !== root)].map(viewOf))

/** The run with that id, to be read forward. `agent` is the one its entries belong to. */
export const historyOf = (journal: Journal, run: string, agent: Agent): History => {
  let read = 0
  let fold: Fold | undefined
  return {
    async next() {
      const entries = await journal.read(run, read)
      if (entries.length === 0) return read === 0 ? fail('journal_corrupt', `Run ${run} has no entries.`) : []
      const migrated = lastMigration(entries)
      const since = Math.max(0, migrated)
      const whole = read === 0 || migrated < 0 ? entries : await journal.read(run)
      if (fold === undefined || migrated >= 0) fold = (await openFold(journal, agent, run, whole)).fold
      const folding = fold
      const steps: HistoryStep[] = since === 0 ? [] : (await recordedSteps(journal, run, whole.slice(0, read + since))).slice(read)
      refold(folding, entries.slice(since), (step, { seq, at, hash }, body) => {
        steps.push({ entry: { seq, at, hash, body }, events: eventsOf(folding, step, body.cause, seq, at), actors: actorsOf(folding) })
      })
      read += entries.length
      return steps
    },
  }
}
