// Where a command works: the project's root, its settings and its database. Invariant: a path that is kept in a run's row
// is relative to the root, with forward slashes, so that it means the same on every machine.
import { existsSync } from 'node:fs'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import type { Config } from './config.ts'
import { importModule } from './import-module.ts'
import type { Io } from './io.ts'
import { fail } from '../failure/index.ts'
import { LOCK_FILE } from '../prompt/index.ts'

/** A project as commands see it. */
export interface Project {
  /** Nearest folder with a package.json; without one, the working directory. */
  readonly root: string
  readonly cwd: string
  readonly config: Config
  /** The settings file, when there is one. */
  readonly configPath?: string
}

const CONFIG_NAMES = ['stateloop.config.ts', 'stateloop.config.mts', 'stateloop.config.js', 'stateloop.config.mjs'] as const

/** The nearest folder with a package.json, from the working directory up. */
export const rootOf = (cwd: string): string => {
  for (let folder = cwd; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return folder
    if (dirname(folder) === folder) return cwd
  }
}

/**
 * Finds the project around the working directory and reads its settings.
 * @throws FailureError `usage` when the settings cannot be loaded.
 */
export const openProject = async ({ cwd }: Pick<Io, 'cwd'>): Promise<Project> => {
  const root = rootOf(cwd)
  const configPath = CONFIG_NAMES.map((name) => join(root, name)).find((path) => existsSync(path))
  if (configPath === undefined) return { root, cwd, config: {} }
  const { default: config } = await importModule(configPath, 'usage')
  if (typeof config !== 'object' || config === null) return fail('usage', `${configPath} has no default export with settings. Write: export default defineConfig({ … }).`)
  return { root, cwd, config: config as Config, configPath }
}

/** Tells whether a database is named by its URL, and not by a file. */
export const isUrl = (place: string): boolean => /^postgres(ql)?:\/\//.test(place)

/** A database as messages show it: a URL without its password. */
export const showDatabase = (place: string): string => (isUrl(place) ? place.replace(/\/\/[^@/]*@/, '//') : place)

/**
 * The database, a file or a URL of PostgreSQL: `--db`, then STATELOOP_DB, then the settings, then `.stateloop/stateloop.db`
 * under the root.
 */
export const databasePath = ({ root, cwd, config }: Project, flag: string | undefined, env: Io['env']): string => {
  if (flag !== undefined) return isUrl(flag) ? flag : resolve(cwd, flag)
  const fromEnv = env['STATELOOP_DB']
  if (fromEnv !== undefined && fromEnv !== '') return isUrl(fromEnv) ? fromEnv : resolve(cwd, fromEnv)
  if (config.db !== undefined && isUrl(config.db)) return config.db
  return resolve(root, config.db ?? join('.stateloop', 'stateloop.db'))
}

/** The lock of the prompts: `--lock`, then the settings, then `prompts.lock.json` under the root. */
export const lockPath = ({ root, cwd, config }: Project, flag?: string): string => (flag === undefined ? resolve(root, config.prompts ?? LOCK_FILE) : resolve(cwd, flag))

/** A path as a run's row keeps it: `./agents/support/agent.ts`, or absolute outside of the project. */
export const portablePath = (root: string, path: string): string => {
  const inside = relative(root, path)
  return inside.startsWith('..') || isAbsolute(inside) ? path : `./${inside.replaceAll('\\', '/')}`
}
