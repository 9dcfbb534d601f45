// Finds the agent that a command names: a path, a name in the settings, or a folder under agents/. Invariant: the source
// that is returned finds the same agent again from any working directory of the project.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { suggest, type Agent } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import { importModule, type Exports } from './import-module.ts'
import { portablePath, type Project } from './project.ts'

/** An agent with the module it came from. */
export interface LoadedAgent {
  readonly agent: Agent
  /** What a run's row keeps, so that another process can load the agent again. */
  readonly source: string
  /** Exports beside the agent: `services`, `providers`, `offline`. */
  readonly exports: Exports
}

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.cjs'] as const
const hasExtension = (name: string): boolean => EXTENSIONS.some((extension) => name.endsWith(extension))
const isPath = (name: string): boolean => /[\\/]/.test(name) || name === '.' || name === '..' || hasExtension(name)

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
const namesIn = (folder: string): readonly string[] => (isFolder(folder) ? readdirSync(folder) : [])

/** The file of an agent's folder. */
const agentFile = (folder: string): string | undefined => EXTENSIONS.map((extension) => join(folder, `agent${extension}`)).find((path) => isFile(path))

const fileAt = (path: string): string => {
  if (isFile(path)) return path
  if (isFolder(path)) return agentFile(path) ?? fail('agent_not_found', `The folder ${path} holds no agent.ts or agent.js. Name the agent's file.`)
  const beside = namesIn(dirname(path)).filter((name) => hasExtension(name) || isFolder(join(dirname(path), name)))
  return fail('agent_not_found', `There is no file ${path}.${existsSync(dirname(path)) ? suggest(basename(path), beside) : ` The folder ${dirname(path)} does not exist either.`}`)
}

const isAgent = (value: unknown): value is Agent => typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'agent' && 'machine' in value

const fromFile = async (path: string, source: string): Promise<LoadedAgent> => {
  const exports = await importModule(path, 'agent_invalid')
  const agent = exports['default']
  if (isAgent(agent)) return { agent, source, exports }
  const others = Object.keys(exports).filter((name) => name !== 'default')
  const seen = agent === undefined ? 'has no default export' : 'exports something else as its default'
  return fail('agent_invalid', `${path} ${seen}${others.length === 0 ? '' : ` (it exports ${others.join(', ')})`}. Write: export default agent({ … }) or export default t.createAgent({ … }).`)
}

/** Names of a project's agents: those of the settings, and the folders under agents/. */
export const agentNames = ({ root, config }: Project): readonly string[] => {
  const folders = join(root, 'agents')
  return [...new Set([...Object.keys(config.agents ?? {}), ...namesIn(folders).filter((folder) => agentFile(join(folders, folder)) !== undefined)])]
}

/**
 * Loads the agent with that name or path.
 * @param from folder that a relative path starts from; for a run's own source the root.
 * @throws FailureError `agent_not_found` with the nearest name, `agent_invalid`.
 */
export const loadAgent = async (project: Project, name: string, from = project.cwd): Promise<LoadedAgent> => {
  const { root, config } = project
  const configured = config.agents !== undefined && Object.hasOwn(config.agents, name) ? config.agents[name] : undefined
  if (typeof configured === 'string') return fromFile(fileAt(resolve(root, configured)), name)
  if (configured !== undefined)
    return isAgent(configured) ? { agent: configured, source: name, exports: {} } : fail('agent_invalid', `agents.${name} in ${project.configPath ?? 'the settings'} is neither a path nor an agent.`)
  if (isPath(name)) {
    const path = fileAt(resolve(from, name))
    return fromFile(path, portablePath(root, path))
  }
  const folders = join(root, 'agents')
  const found = agentFile(join(folders, name))
  if (found !== undefined) return fromFile(found, name)
  const known = agentNames(project)
  return fail('agent_not_found', `There is no agent ${JSON.stringify(name)} in the settings or under ${folders}.${suggest(name, known)} A path to a file works too.`, { details: { known } })
}

/** Loads the agents with those names; without names all of the project. @throws FailureError `usage` when there is none, and as `loadAgent`. */
export const loadAgents = async (project: Project, names: readonly string[]): Promise<readonly [LoadedAgent, ...LoadedAgent[]]> => {
  const wanted = names.length > 0 ? names : agentNames(project)
  const [first, ...others] = await Promise.all(wanted.map((name) => loadAgent(project, name)))
  return first === undefined ? fail('usage', 'No agent is named, and there is none in the settings or under agents/. Name one by its path: ./agent.ts') : [first, ...others]
}
