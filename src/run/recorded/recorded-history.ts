// A run as its entries alone tell it, for when its agent is not at hand: changed since, gone, or made by a call or a loop of
// an application. Invariant: nothing is told that the journal does not hold; contexts, messages and edges need the agent.
import { fail } from '../../failure/index.ts'
import type { Entry, EntryBody, Journal, StartCause, StoredEntry } from '../../journal/index.ts'
import type { History, HistoryStep } from '../history.ts'
import { RecordedEvents } from './recorded-events.ts'
import { readStructure } from './structure.ts'

const definitionIn = ({ body: { cause } }: Entry): StartCause['agent'] | undefined => (cause.type === 'start' || cause.type === 'migrated' ? cause.agent : undefined)

/** Tells steps of a run in order, a part at a time. */
class Reader {
  readonly #journal: Pick<Journal, 'getContent'>
  readonly #events: RecordedEvents

  constructor(journal: Pick<Journal, 'getContent'>, run: string) {
    this.#journal = journal
    this.#events = new RecordedEvents(run)
  }

  async steps(stored: readonly StoredEntry[]): Promise<readonly HistoryStep[]> {
    const entries = stored.map(({ seq, at, hash, text }): Entry => ({ seq, at, hash, body: JSON.parse(text) as EntryBody }))
    this.#events.lookAhead(entries)
    const steps: HistoryStep[] = []
    for (const entry of entries) {
      const agent = definitionIn(entry)
      if (agent !== undefined) this.#events.agent(await readStructure(this.#journal, agent))
      steps.push({ entry, events: this.#events.take(entry), actors: [] })
    }
    return steps
  }
}

/** Steps for the first entries of a run. */
export const recordedSteps = (journal: Pick<Journal, 'getContent'>, run: string, entries: readonly StoredEntry[]): Promise<readonly HistoryStep[]> => new Reader(journal, run).steps(entries)

/** The run with that id, to be read forward without its agent. Steps have events and no actors. */
export const recordedHistory = (journal: Journal, run: string): History => {
  const reader = new Reader(journal, run)
  let read = 0
  return {
    async next() {
      const entries = await journal.read(run, read)
      if (entries.length === 0) return read === 0 ? fail('journal_corrupt', `Run ${run} has no entries.`) : []
      read += entries.length
      return reader.steps(entries)
    },
  }
}
