// `stateloop doctor`: looks at everything a run needs and says what is wrong. Invariant: it changes nothing, prints no key, and
// sends model calls only for `--probe`.
import { existsSync } from 'node:fs'
import type { ModelProvider } from '../../model/index.ts'
import { count } from '../amounts.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { broken, guarded, ok, warning, type Check } from '../doctor/check.ts'
import { checkEndpoint, checkKeys } from '../doctor/endpoints.ts'
import { probeModel } from '../doctor/probe.ts'
import { checkPackages } from '../doctor/packages.ts'
import { checkRecordings } from '../doctor/recordings.ts'
import { checkDatabase, checkNode } from '../doctor/surroundings.ts'
import { EXIT, failureFrom } from '../exit-code.ts'
import { oneLine, type Io } from '../io.ts'
import { agentNames, loadAgent, type LoadedAgent } from '../load-agent.ts'
import type { CommonOptions } from '../open-runtime.ts'
import { databasePath, lockPath, openProject, rootOf, type Project } from '../project.ts'
import { findingsOf } from '../prompts/findings.ts'
import { withWorkspace } from '../prompts/workspace.ts'
import { chooseProviders } from '../providers.ts'

interface DoctorOptions extends CommonOptions {
  readonly probe?: readonly string[]
}

/** The project, without its settings where those cannot be read, so that all else is looked at. */
const openSettings = async (io: Io): Promise<{ readonly project: Project; readonly checks: readonly Check[] }> => {
  try {
    const project = await openProject(io)
    return { project, checks: project.configPath === undefined ? [] : [ok('settings', project.configPath)] }
  } catch (thrown) {
    return { project: { root: rootOf(io.cwd), cwd: io.cwd, config: {} }, checks: [broken('settings', failureFrom(thrown).message)] }
  }
}

/** The agents that load, and what to say of those that do not. */
const loadAgents = async (project: Project): Promise<{ readonly loaded: ReadonlyMap<string, LoadedAgent>; readonly checks: readonly Check[] }> => {
  const loaded = new Map<string, LoadedAgent>()
  const checks: Check[] = []
  for (const name of agentNames(project)) {
    try {
      loaded.set(name, await loadAgent(project, name))
    } catch (thrown) {
      checks.push(broken('agents', failureFrom(thrown).message))
    }
  }
  const none = loaded.size === 0 && checks.length === 0
  return { loaded, checks: none ? [warning('agents', 'there is no agent in the settings or under agents/')] : [...checks, ok('agents', `${count(loaded.size, 'agent')}: ${[...loaded.keys()].join(', ')}`)] }
}

/** What answers model calls in this project, each provider once. */
const gatherProviders = (project: Project, loaded: ReadonlyMap<string, LoadedAgent>, env: Io['env']): { readonly providers: readonly ModelProvider[]; readonly offline: boolean } => {
  const chosen = [...loaded.values()].map(({ exports }) => chooseProviders(project.config, exports, env))
  const all = chosen.length === 0 ? chooseProviders(project.config, {}, env).providers : chosen.flatMap(({ providers }) => providers)
  const unique = all.filter((provider, at) => all.findIndex(({ id, baseUrl }) => id === provider.id && baseUrl === provider.baseUrl) === at)
  return { providers: unique, offline: chosen.some(({ notes }) => notes.length > 0) }
}

const checkProviders = async (io: Io, project: Project, loaded: ReadonlyMap<string, LoadedAgent>, probes: readonly string[]): Promise<readonly Check[]> => {
  const { providers, offline } = gatherProviders(project, loaded, io.env)
  const endpoints = await Promise.all(providers.map((provider) => checkEndpoint(provider, io.env)))
  const tried: Check[] = []
  for (const name of probes) tried.push(...(await probeModel(providers, name)))
  return [checkKeys(io, providers, offline), ...endpoints, ...tried]
}

const checkPrompts = (io: Io, project: Project, loaded: ReadonlyMap<string, LoadedAgent>, options: DoctorOptions): Promise<readonly Check[]> => {
  const path = lockPath(project)
  if (!existsSync(path)) return Promise.resolve([ok('prompts', `there is no lock at ${path}: runs take the prompts in the code`)])
  // Agents that do not load have been named.
  return withWorkspace(io, { ...options, agent: [...loaded.keys()] }, (workspace) => {
    const checks = findingsOf(workspace).map(({ kind, message }) => (kind === 'unfit' || kind === 'unreadable' ? broken : warning)('prompts', message))
    return Promise.resolve(checks.length > 0 ? checks : [ok('prompts', `${count(workspace.inCode.size, 'prompt')} in the code, known to the lock`)])
  })
}

const CIRCUITS = ok('circuits', 'each process has its own circuits, so this command sees none: `runtime.policies()` shows those of its process')

const MARKS = { ok: '✓', warning: '!', broken: '✗' } as const
const COLOURS = { ok: 'green', warning: 'yellow', broken: 'red' } as const

const doctor = async (io: Io, options: DoctorOptions): Promise<number> => {
  const { project, checks: settings } = await openSettings(io)
  const { loaded, checks: agents } = await loadAgents(project)
  const checks: readonly Check[] = [
    checkNode(process.versions.node),
    ...checkPackages(project),
    ...settings,
    ...agents,
    ...(await checkProviders(io, project, loaded, options.probe ?? [])),
    ...(await guarded('database', () => checkDatabase(databasePath(project, options.db, io.env)))),
    ...(await guarded('prompts', () => checkPrompts(io, project, loaded, options))),
    ...(await checkRecordings(project, loaded)),
    CIRCUITS,
  ]
  const how = (status: Check['status']): number => checks.filter((check) => check.status === status).length
  if (options.json === true) io.out(`${JSON.stringify({ ok: how('broken') === 0, checks }, null, 2)}\n`)
  else {
    for (const { area, status, message } of checks) io.out(`${io.style(COLOURS[status], MARKS[status])} ${area.padEnd(10)} ${oneLine(message)}\n`)
    io.out(`\n${how('broken')} broken, ${count(how('warning'), 'warning')}\n`)
  }
  return how('broken') > 0 ? EXIT.infrastructure : EXIT.done
}

/** `stateloop doctor`. */
export const doctorCommand: CommandDefinition<DoctorOptions> = {
  name: 'doctor',
  about: 'look at what runs need: Node, packages, settings, agents, keys, providers, database, prompts, recordings',
  args: [],
  options: [...COMMON, { flags: '--probe <model>', about: 'also try structured output, a tool and a stream with this model, as provider/model; costs some tokens; may be repeated', many: true }],
  run: (io, _args, options) => doctor(io, options),
}
