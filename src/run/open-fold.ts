// Folds of runs that are in the journal, before anything is folded. Invariant: who the run is for, its prompts and the
// threads it inherits come from what was recorded, never from the code as it is now.
import type { Agent } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import type { EntryBody, Journal, MigratedCause, StartCause, StoredEntry } from '../journal/index.ts'
import { defined } from '../schema/index.ts'
import { Fold } from './fold.ts'
import { loadPrompts, type RunPrompts } from './prompts.ts'
import { loadThreads } from './session.ts'

/** Whether an entry, by its text, is a migration. */
export const isMigration = (text: string): boolean => text.startsWith('{"v":1,"cause":{"type":"migrated"')

/** Position of the last migration, or -1; entries before it belong to the agent as it was then. */
export const lastMigration = (entries: readonly StoredEntry[]): number => entries.findLastIndex(({ text }) => isMigration(text))

/** Versions of prompts that a run goes on with: those of its start, or of its last migration. */
export const recordedPrompts = (entries: readonly StoredEntry[]): StartCause['prompts'] => {
  const since = entries[Math.max(0, lastMigration(entries))]
  return since === undefined ? undefined : ((JSON.parse(since.text) as EntryBody).cause as StartCause | MigratedCause).prompts
}

/** A fold for a run that began so. @param versions of prompts; default: those recorded. */
export const foldOf = async (journal: Pick<Journal, 'getContent'>, agent: Agent, run: string, start: StartCause, recorded: StartCause['prompts'], versions?: RunPrompts['versions']): Promise<Fold> => {
  const { user, route, tenant, session, seed } = start
  const info = { id: run, agent: agent.id, seed, ...defined({ user, route, tenant, session }), versions: versions ?? (await loadPrompts(journal, agent, recorded)) }
  return new Fold(info, agent, await loadThreads(journal, start), start.carried)
}

/** A fold for a run's entries, before the first of them. @param versions of prompts; default: those that the entries record. */
export const openFold = async (
  journal: Pick<Journal, 'getContent'>,
  agent: Agent,
  run: string,
  entries: readonly StoredEntry[],
  versions?: RunPrompts['versions'],
): Promise<{ readonly start: StartCause; readonly fold: Fold }> => {
  const [first] = entries
  if (first === undefined) return fail('journal_corrupt', `Run ${run} has no entries.`)
  const start = (JSON.parse(first.text) as EntryBody).cause as StartCause
  return { start, fold: await foldOf(journal, agent, run, start, recordedPrompts(entries), versions) }
}
