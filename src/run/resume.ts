// Takes a run up from its journal: folds its entries again, checks each, and finds out what was under way when it stopped.
import type { Agent, Migration } from '../agent/index.ts'
import type { Clock } from '../clock/index.ts'
import { fail, failure, failureOf, type Failure, type Json } from '../failure/index.ts'
import type { Cause, EntryBody, Journal, MigratedCause, RunRow, Standing, StartCause, StateValue, StoredEntry } from '../journal/index.ts'
import { diffJson, formatJsonChanges, type PromptChooser } from '../prompt/index.ts'
import { defined, toJson } from '../schema/index.ts'
import { keepDefinition } from './definitions.ts'
import { refold } from './drive.ts'
import type { Head } from './embedded-port.ts'
import type { Fold } from './fold.ts'
import type { LiveRunParts } from './live-run.ts'
import { isMigration, lastMigration, openFold, recordedPrompts } from './open-fold.ts'
import { choosePrompts } from './prompts.ts'
import { recallRun } from './snapshots.ts'

/** What resuming needs. */
export interface ResumeParts {
  readonly journal: Journal
  readonly clock: Clock
  readonly row: RunRow
  readonly agent: Agent
  readonly acceptChanged: boolean
  readonly prompts?: PromptChooser | undefined
  /** The last entry to fold; later ones were written by an earlier attempt of the same engine. Default: all. */
  readonly until?: number
}

const doubtful = (fold: Fold): readonly string[] => [...fold.steps].filter(([, step]) => step.safety === 'ask').map(([key]) => key)

/** Changes that the message lists. */
const MOST_CHANGES = 8

const refuseChanged = async (journal: Journal, row: RunRow, agent: Agent): Promise<never> => {
  const [first] = await journal.read(row.id)
  const hash = first === undefined ? undefined : ((JSON.parse(first.text) as EntryBody).cause as StartCause).agent.definition
  const old = hash === undefined ? undefined : await journal.getContent(hash)
  const changes = old === undefined ? [] : diffJson(JSON.parse(old.text) as Json, toJson(agent.definition) ?? null)
  const shown = changes.length === 0 ? '' : ` What differs: ${formatJsonChanges(changes.slice(0, MOST_CHANGES))}${changes.length > MOST_CHANGES ? `; and ${changes.length - MOST_CHANGES} more` : ''}.`
  return fail(
    'definition_changed',
    `Run ${row.id} was started with agent ${row.agent} ${row.agentHash.slice(0, 12)}, but the agent is now ${agent.hash.slice(0, 12)}.${shown} Resume with the old code, or pass acceptChanged to go on if every recorded step still folds the same.`,
    {
      details: { was: row.agentHash, now: agent.hash },
    },
  )
}

const migrate = async (journal: Journal, row: RunRow, agent: Agent, { migrate: move }: Migration, prompts: MigratedCause['prompts']): Promise<MigratedCause> => {
  const snapshot = await journal.getSnapshot(row.id, 'standing')
  if (typeof snapshot !== 'object' || snapshot.hash !== row.hash) {
    return fail('definition_changed', `Run ${row.id} cannot be migrated where it stands: a run is migrated while it waits and nothing is under way. Resume it with the old code until it waits, then migrate.`)
  }
  const standing = JSON.parse(snapshot.text) as Standing
  const moved = move({ value: standing.value, context: standing.context })
  const context = toJson(moved.context)
  if (context === undefined) return fail('definition_changed', `The migration of agent ${agent.id} from ${row.agentHash.slice(0, 12)} gave a context that JSON cannot hold.`)
  const { id, version, hash } = agent
  return {
    type: 'migrated',
    agent: { id, hash, definition: await keepDefinition(journal, agent), ...(version === undefined ? {} : { version }) },
    ...(prompts === undefined ? {} : { prompts }),
    standing: { ...standing, value: moved.value as StateValue, context: context as Standing['context'] },
  }
}

/** A run that was cancelled in the queue never begins. */
const cancelledInQueue = async (journal: Journal, run: string): Promise<Cause | undefined> => {
  const [item] = await journal.inbox(run, 0)
  return item?.event.type === 'stateloop.cancel' ? { type: 'event', n: item.n, event: item.event } : undefined
}

/** Whether a run has just been forked: what its entries leave under way was never begun in it. */
const isFresh = ({ forkedFrom }: StartCause, { seq, text }: StoredEntry): boolean => forkedFrom !== undefined && (seq === forkedFrom.seq || (seq === forkedFrom.seq + 1 && isMigration(text)))

type Prepared = Omit<LiveRunParts, 'journal' | 'acting' | 'leaseMs' | 'watchers' | 'events' | 'lease' | 'snapshotEvery'>

const headOf = ({ seq, hash, at }: StoredEntry): Head => ({ seq, hash, at })

/** Goes on from a fold that stands where the entries end. */
const goOn = async ({ journal, clock, row, agent }: ResumeParts, { start, fold, last, prompts, resumed }: Pick<Prepared, 'start' | 'fold' | 'prompts' | 'resumed'> & { readonly last: StoredEntry }): Promise<Prepared> => {
  const at = Math.max(last.at, clock.now())
  const folded = { agent, fold, start, head: headOf(last), ...defined({ prompts, resumed }) }
  const cancelled = row.status === 'queued' ? await cancelledInQueue(journal, row.id) : undefined
  if (cancelled !== undefined) return { ...folded, first: { cause: cancelled, at } }
  const doubt = isFresh(start, last) ? [] : doubtful(fold)
  const cause = { type: 'resumed' as const, ...(doubt.length === 0 ? {} : { doubt }) }
  return { ...folded, ...(fold.waiting().length > 0 ? {} : { first: { cause, at } }) }
}

/** @throws FailureError `definition_changed`, `prompt_unusable`, `journal_corrupt`, `journal_rolled_back`. */
export const prepareResume = async (parts: ResumeParts): Promise<Prepared> => {
  const { journal, clock, row, agent, acceptChanged, prompts, until } = parts
  const migration = row.agentHash === agent.hash ? undefined : agent.migrations.find(({ from }) => from === row.agentHash)
  if (row.agentHash !== agent.hash && migration === undefined && !acceptChanged) return refuseChanged(journal, row, agent)
  const recalled = row.agentHash === agent.hash && until === undefined ? await recallRun(journal, agent, row) : undefined
  if (typeof recalled === 'object') return goOn(parts, { ...recalled, resumed: { from: recalled.from } })
  const stored = await journal.read(row.id)
  const entries = until === undefined ? stored : stored.slice(0, until + 1)
  const last = entries.at(-1)
  if (last === undefined) return fail('journal_corrupt', `Run ${row.id} has no entries.`)
  const head = headOf(last)
  const moved = stored[entries.length]
  // The earlier attempt has migrated the run: its agent's entries cannot be folded any more, and need not be.
  if (moved !== undefined && isMigration(moved.text)) {
    return { agent, ...(await openFold(journal, agent, row.id, [...entries, moved])), head, first: { cause: (JSON.parse(moved.text) as EntryBody).cause, at: moved.at } }
  }
  if (migration !== undefined) {
    const { recorded, versions } = await choosePrompts(journal, agent, prompts, { ...row, run: row.id })
    const first = { cause: await migrate(journal, row, agent, migration, recorded), at: Math.max(last.at, clock.now()) }
    return { agent, ...(await openFold(journal, agent, row.id, entries, versions)), head, first, ...defined({ prompts: recorded }) }
  }
  const opened = await openFold(journal, agent, row.id, entries)
  refold(opened.fold, entries.slice(Math.max(0, lastMigration(entries))))
  return goOn(parts, { ...opened, last, prompts: recordedPrompts(entries), ...(recalled === undefined ? {} : { resumed: { unusable: recalled } }) })
}

/** Tries a migration on where a run stands, writing nothing. @returns why it fails, or undefined. */
export const tryMigration = async (journal: Journal, row: RunRow, agent: Agent, migration: Migration): Promise<Failure | undefined> => {
  try {
    const { fold } = await openFold(journal, agent, row.id, await journal.read(row.id))
    const { end } = fold.apply(await migrate(journal, row, agent, migration, undefined), row.updatedAt)
    return end?.defect === true ? end.failure : undefined
  } catch (error) {
    return failureOf(error) ?? failure('definition_changed', `The migration threw: ${error instanceof Error ? error.message : String(error)}`)
  }
}
