// What the commands on prompts look at: the prompts of all agents, the lock and the journal. Invariant: an agent that
// cannot be loaded is told of and never taken for one without prompts.
import { existsSync } from 'node:fs'
import { promptsOf } from '../../agent/index.ts'
import type { Journal } from '../../journal/index.ts'
import { emptyLock, readLock, type Lock, type Prompt } from '../../prompt/index.ts'
import { failureFrom } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { agentNames, loadAgent } from '../load-agent.ts'
import { openExisting, type CommonOptions } from '../open-runtime.ts'
import { lockPath, openProject, type Project } from '../project.ts'

/** Options that every command on prompts has. */
export interface PromptOptions extends CommonOptions {
  readonly lock?: string
  readonly agent?: readonly string[]
}

/** A prompt in code. */
export interface PromptInCode {
  readonly prompt: Prompt
  /** Names of the agents that use it. */
  readonly agents: readonly string[]
}

/** A project's prompts. */
export interface Workspace {
  readonly project: Project
  readonly lockPath: string
  /** False when there is no file; `lock` is empty then. */
  readonly locked: boolean
  readonly lock: Lock
  /** By id, in order. */
  readonly inCode: ReadonlyMap<string, PromptInCode>
  /** What stood in the way of reading the code. */
  readonly problems: readonly string[]
  /** Undefined when there is no database yet. */
  readonly journal: Journal | undefined
}

const readCode = async (project: Project, names: readonly string[]): Promise<Pick<Workspace, 'inCode' | 'problems'>> => {
  const found = new Map<string, PromptInCode>()
  const problems: string[] = []
  for (const name of names) {
    try {
      for (const prompt of promptsOf((await loadAgent(project, name)).agent)) {
        const known = found.get(prompt.id)
        if (known !== undefined && known.prompt.hash !== prompt.hash)
          problems.push(`The id ${prompt.id} stands for different templates in the agents ${known.agents.join(', ')} and ${name}. Give each template an id of its own.`)
        found.set(prompt.id, { prompt: known?.prompt ?? prompt, agents: [...(known?.agents ?? []), name] })
      }
    } catch (error) {
      problems.push(`Agent ${name} could not be loaded: ${failureFrom(error).message}`)
    }
  }
  return { inCode: new Map([...found].toSorted(([a], [b]) => (a < b ? -1 : 1))), problems }
}

/** The lock at a path; an empty one where there is none. @throws FailureError `prompt_unusable` when it cannot be read. */
export const lockAt = (path: string): Pick<Workspace, 'locked' | 'lock'> => {
  const locked = existsSync(path)
  return { locked, lock: locked ? readLock(path) : emptyLock }
}

/**
 * Works with a project's prompts and closes the journal after.
 * @throws FailureError `prompt_unusable` when there is a lock that cannot be read.
 */
export const withWorkspace = async <T>(io: Io, options: PromptOptions, work: (workspace: Workspace) => Promise<T>): Promise<T> => {
  const project = await openProject(io)
  const path = lockPath(project, options.lock)
  const journal = openExisting(io, project, options)
  try {
    return await work({ project, lockPath: path, ...lockAt(path), journal, ...(await readCode(project, options.agent ?? agentNames(project))) })
  } finally {
    await journal?.close()
  }
}
