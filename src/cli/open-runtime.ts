// What a command works with: the journal, and a runtime for the agent that it runs. Invariant: a command that only reads
// never makes a database.
import { existsSync } from 'node:fs'
import { fail } from '../failure/index.ts'
import { postgresJournal, sqliteJournal, type Journal, type RunRow } from '../journal/index.ts'
import { promptLock } from '../prompt/index.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from '../run/index.ts'
import type { Services } from './config.ts'
import type { Io } from './io.ts'
import { oneLine } from './io.ts'
import { loadAgent, type LoadedAgent } from './load-agent.ts'
import { databasePath, isUrl, lockPath, openProject, showDatabase, type Project } from './project.ts'
import { chooseProviders } from './providers.ts'

/** Options that every command on runs has. */
export interface CommonOptions {
  readonly db?: string
  readonly json?: boolean
}

/** Opens the journal in a file or at a URL; nothing is touched before its first use. */
const openJournal = (place: string): Journal => (isUrl(place) ? postgresJournal({ url: place }) : sqliteJournal({ path: place }))

/** Options that name a database, to be repeated in commands that are printed. */
export const repeatOptions = ({ db }: CommonOptions): readonly string[] => (db === undefined ? [] : ['--db', db])

const makeServices = async (services: unknown): Promise<object> => {
  const made: unknown = typeof services === 'function' ? await (services as Extract<Services, () => unknown>)() : (services ?? {})
  return typeof made === 'object' && made !== null ? made : fail('agent_invalid', 'The export `services` must be an object, or a function that returns one.')
}

/** Providers and services of an agent, for what a replay performs anew. @throws FailureError `agent_invalid`, `usage`. */
export const performOptions = async (io: Io, project: Project, { exports }: LoadedAgent): Promise<Pick<RuntimeOptions, 'providers' | 'services'>> => {
  const { providers } = chooseProviders(project.config, exports, io.env)
  return { providers, services: { ...(await makeServices(exports['services'])), ...(await makeServices(project.config.services)) } }
}

/** A runtime that knows one agent, with what the user must be told. */
export interface AgentRuntime {
  readonly runtime: Runtime
  readonly notes: readonly string[]
}

/** Exports of several agents' modules as one: their providers and services together, the first one's where both say the same. */
const joinExports = async (loaded: readonly LoadedAgent[]): Promise<LoadedAgent['exports']> => {
  const given = loaded.map(({ exports }) => exports)
  const lists = given.flatMap(({ providers }) => (providers === undefined ? [] : Array.isArray(providers) ? (providers as unknown[]) : [providers]))
  const services = await Promise.all(given.toReversed().map((exports) => makeServices(exports['services'])))
  return { providers: lists, offline: given.find(({ offline }) => offline !== undefined)?.['offline'], services: Object.assign({}, ...services) as object }
}

/** Makes the runtime for an agent, and for others beside it. @throws FailureError `agent_invalid`, `usage`. */
export const openRuntime = async (io: Io, project: Project, loaded: LoadedAgent, { db }: CommonOptions, others: readonly LoadedAgent[] = []): Promise<AgentRuntime> => {
  const exports = others.length === 0 ? loaded.exports : await joinExports([loaded, ...others])
  const { providers, notes } = chooseProviders(project.config, exports, io.env)
  const services = { ...(await makeServices(exports['services'])), ...(await makeServices(project.config.services)) }
  const lock = lockPath(project)
  const runtime = createRuntime({
    journal: openJournal(databasePath(project, db, io.env)),
    providers,
    ...(existsSync(lock) ? { prompts: promptLock({ path: lock, watch: true }) } : {}),
    agents: [loaded, ...others].map(({ agent }) => agent),
    services,
    ...(project.config.prices === undefined ? {} : { prices: project.config.prices }),
    ...(project.config.budgets === undefined ? {} : { budgets: project.config.budgets }),
    log: (run, message, fields) => io.err(`${run.slice(-12)} ${oneLine(message)}${fields === undefined ? '' : ` ${oneLine(JSON.stringify(fields))}`}\n`),
  })
  return { runtime, notes }
}

/**
 * Opens the journal for reading; undefined when there is none yet.
 */
export const openExisting = (io: Io, project: Project, { db }: CommonOptions): Journal | undefined => {
  const place = databasePath(project, db, io.env)
  return isUrl(place) || existsSync(place) ? openJournal(place) : undefined
}

/** Opens the journal, and makes it where there is none yet. */
export const openForWriting = (io: Io, project: Project, { db }: CommonOptions): Journal => openJournal(databasePath(project, db, io.env))

/** A run with its journal, opened to read. */
export interface FoundRun {
  readonly project: Project
  readonly row: RunRow
  readonly journal: Journal
}

/** Finds a run. The caller closes the journal. @throws FailureError `run_not_found`. */
export const findRun = async (io: Io, run: string, options: CommonOptions): Promise<FoundRun> => {
  const project = await openProject(io)
  const journal = openExisting(io, project, options)
  if (journal === undefined) return fail('run_not_found', `There is no run ${run}: no database at ${databasePath(project, options.db, io.env)}. Name the right one with --db or STATELOOP_DB.`)
  const row = await journal.get(run)
  if (row !== undefined) return { project, row, journal }
  await journal.close()
  return fail('run_not_found', `There is no run ${run} in ${showDatabase(databasePath(project, options.db, io.env))}. \`stateloop runs\` lists what is there.`)
}

/** Loads the agent of a run again. @throws FailureError `agent_not_found`, `agent_invalid`. */
export const agentOfRun = (project: Project, row: RunRow, named: string | undefined): Promise<LoadedAgent> => {
  if (named !== undefined) return loadAgent(project, named)
  if (row.source !== undefined) return loadAgent(project, row.source, project.root)
  return fail('agent_not_found', `Run ${row.id} does not say where its agent ${row.agent} was loaded from, because an application started it. Name the agent with --agent.`)
}
