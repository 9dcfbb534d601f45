// Everything around one evaluation that the project decides: who answers, what results depend on, where they are kept and
// what to compare with. Invariant: results live under `.stateloop/evals` of the project, and so do the runs behind them.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Answers, identityOf, ResultStore, type Identity, type RunEvaluationOptions, type Standing } from '../../eval/index.ts'
import { fail } from '../../failure/index.ts'
import { sqliteJournal, type Journal } from '../../journal/index.ts'
import type { ModelProvider } from '../../model/index.ts'
import { importModule } from '../import-module.ts'
import type { Io } from '../io.ts'
import { portablePath, type Project } from '../project.ts'
import { chooseProviders } from '../providers.ts'
import type { FoundEvaluation } from './find-evaluations.ts'
import { baseCommits } from './git.ts'

/** An evaluation that is ready to run. */
export interface OpenEvaluation extends FoundEvaluation {
  readonly identity: Identity
  readonly store: ResultStore
  readonly providers: readonly ModelProvider[]
  readonly services: NonNullable<RunEvaluationOptions['services']>
  readonly notes: readonly string[]
}

/** The folder of all results. */
export const resultsFolder = ({ root }: Project): string => join(root, '.stateloop', 'evals')

/** The database of evaluated runs. */
export const runsDatabase = (project: Project): string => join(resultsFolder(project), 'runs.db')

/** Opens the journal of evaluated runs. */
export const openRuns = (project: Project): Journal => {
  mkdirSync(resultsFolder(project), { recursive: true })
  return sqliteJournal({ path: runsDatabase(project) })
}

/** Where commands find the agent of evaluated runs again. */
export const sourceOf = ({ root }: Project, { agentFile }: Identity): { readonly source?: string } => (agentFile === undefined ? {} : { source: portablePath(root, agentFile) })

/** Opens the answers of judges. */
export const openAnswers = (project: Project): Promise<Answers> => Answers.open(join(resultsFolder(project), 'judges.jsonl'))

/** Makes an evaluation ready. @throws FailureError `agent_invalid` for exports of the wrong shape. */
export const openEvaluation = async (io: Io, project: Project, found: FoundEvaluation): Promise<OpenEvaluation> => {
  const { evaluation, file, exports } = found
  const { config, configPath } = project
  const { providers, notes } = chooseProviders(config, exports, io.env)
  const chosen = [...(evaluation.providers ?? []), ...providers]
  const services = (config.services ?? exports['services'] ?? {}) as OpenEvaluation['services']
  const listed = (exports['providers'] ?? []) as readonly unknown[]
  const uses = [...listed, exports['offline'], ...(config.services === undefined ? [exports['services']] : [])]
  // What the settings make takes part in every run, so their file counts as soon as they make anything.
  const also = configPath === undefined || (config.services ?? config.providers) === undefined ? [] : [configPath]
  const identity = await identityOf(evaluation, { file, root: project.root, load: (path) => importModule(path, 'usage'), uses, also }, chosen)
  return { ...found, identity, store: await ResultStore.open(resultsFolder(project), evaluation.name), providers: chosen, services, notes }
}

/**
 * The standing to compare with: of the nearest commit that has one, or the last one.
 * @returns undefined when none was ever stored for it.
 */
export const findBase = async (project: Project, store: ResultStore, ref: string): Promise<Standing | undefined> => {
  if (ref === 'last') return store.standings.at(-1)
  const known = new Set(store.standings.map(({ commit }) => commit))
  const commit = (await baseCommits(project.root, ref)).find((candidate) => known.has(candidate))
  return commit === undefined ? undefined : store.standings.findLast((standing) => standing.commit === commit)
}

/** A number from the command line. @throws FailureError `usage`. */
export const positive = (text: string | undefined, flag: string, whole: boolean): number | undefined => {
  if (text === undefined) return undefined
  const value = Number(text)
  const right = whole ? Number.isSafeInteger(value) && value >= 1 : Number.isFinite(value) && value > 0
  return right ? value : fail('usage', `${flag} must be a ${whole ? 'whole number from 1' : 'number above 0'}, not ${JSON.stringify(text)}.`)
}
