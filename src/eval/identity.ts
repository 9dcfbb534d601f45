// What a result depends on: the code that may run, the agent's structure, and the hash of each state that asks a model.
// Invariant: what hashes cannot see is found through the import graph, and what neither sees means that nothing is reused.
import { realpathSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { effectOf, graphOf, logicOf, type Agent } from '../agent/index.ts'
import type { ModelProvider } from '../model/index.ts'
import { shortHash } from '../schema/index.ts'
import { codeGraph } from './code/code-graph.ts'
import { importsOf } from './code/imports.ts'
import { resolveImport } from './code/resolve.ts'
import type { Evaluation } from './evaluation.ts'
import { stepsOf, type Steps } from './steps.ts'

/** What results of an evaluation depend on. */
export interface Identity extends Steps {
  /** Hash of the code, the data and who answers; undefined when something of it is unknown. */
  readonly code: string | undefined
  /** What is unknown, as sentences. */
  readonly unknown: readonly string[]
  /** Files that were looked at. */
  readonly files: readonly string[]
  /** The module whose default export the agent is, where there is one. */
  readonly agentFile?: string
}

/** Where an evaluation comes from. */
export interface Origin {
  /** File of the evaluation, absolute. */
  readonly file: string
  /** The project's root. */
  readonly root: string
  /** Exports of a module that is already loaded, by its path. */
  readonly load: (path: string) => Promise<{ readonly [name: string]: unknown }>
  /** Values beside the evaluation's own that take part in a run. */
  readonly uses: readonly unknown[]
  /** Files beside the evaluation's own that make what takes part, such as the settings. Default none. */
  readonly also?: readonly string[]
}

const isAgent = (subject: Evaluation['agent']): subject is Agent => typeof subject !== 'function'

/** Prompts that states of an agent hold, those of child agents included. */
const promptsOf = (agent: Agent, seen = new Set<Agent>()): ReadonlySet<unknown> => {
  seen.add(agent)
  const found = new Set<unknown>()
  for (const { invokes } of graphOf(agent.machine).nodes) {
    for (const { source } of invokes) {
      const spec = effectOf(logicOf(agent.machine, source))
      if (spec?.kind === 'model' || spec?.kind === 'decide') found.add(spec.prompt)
      if ((spec?.kind === 'agent' || spec?.kind === 'each') && !seen.has(spec.agent)) for (const prompt of promptsOf(spec.agent, seen)) found.add(prompt)
    }
  }
  return found
}

/** A module is seen through hashes when it exports nothing but prompts that states hold, and has no function in it. */
const coveredBy =
  (prompts: ReadonlySet<unknown>, load: Origin['load']) =>
  async (path: string): Promise<boolean> => {
    const text = await readFile(path, 'utf8')
    if (!/definePrompt|loadPrompt|promptFromMarkdown/.test(text) || /=>|\bfunction\b/.test(text)) return false
    const values = Object.values(await load(path).catch(() => ({})))
    return values.length > 0 && values.every((value) => prompts.has(value))
  }

interface Roots {
  readonly paths: readonly string[]
  readonly agentFile: string | undefined
}

/** Files whose code may run: the modules that export what takes part; the evaluation's own file when something is made in it. */
const rootsOf = async (evaluation: Evaluation, { file, load, uses, also = [] }: Origin): Promise<Roots> => {
  const { specifiers } = await importsOf(await readFile(file, 'utf8'))
  const targets = specifiers.flatMap((specifier) => {
    const target = resolveImport(specifier, file)
    return target.kind === 'file' ? [target.path] : []
  })
  const exported = await Promise.all(targets.map(async (path) => ({ path, exports: await load(path).catch((): Awaited<ReturnType<typeof load>> => ({})) })))
  const { agent, services, respond, capture, providers = [] } = evaluation
  const needed = [agent, services, respond, capture, ...providers, ...uses].filter((value) => value !== undefined)
  const owners = needed.map((value) => exported.find(({ exports }) => Object.values(exports).includes(value))?.path)
  const paths = owners.every((path) => path !== undefined) ? [...new Set(owners)] : [realpathSync(file)]
  return { paths: [...paths, ...also.map((path) => realpathSync(path))], agentFile: exported.find(({ exports }) => exports['default'] === agent)?.path }
}

/** Finds out what results depend on. */
export const identityOf = async (evaluation: Evaluation, origin: Origin, answering: readonly ModelProvider[]): Promise<Identity> => {
  const { agent } = evaluation
  const steps: Steps = isAgent(agent) ? stepsOf(agent) : { structure: 'function', states: {} }
  const prompts = isAgent(agent) ? promptsOf(agent) : new Set()
  const data = (evaluation.dependsOn ?? []).map((path) => (path instanceof URL ? fileURLToPath(path) : path))
  const { paths, agentFile } = await rootsOf(evaluation, origin)
  const { hash, files, unknown } = await codeGraph(paths, { root: origin.root, data, covered: coveredBy(prompts, origin.load) })
  const who = [...new Map(answering.map(({ id, baseUrl }) => [id, baseUrl ?? 'in this process'])).entries()]
  return { ...steps, code: hash === undefined ? undefined : shortHash({ hash, who }), unknown, files, ...(agentFile === undefined ? {} : { agentFile }) }
}
