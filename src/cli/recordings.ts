// Recordings as commands find them: files, folders of them, and the agent each belongs to. Invariant: a recording is
// replayed against the agent that its run was loaded from, unless the user names another.
import { existsSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fail } from '../failure/index.ts'
import { promptLock, type PromptChooser } from '../prompt/index.ts'
import { exportRun, readRecording, recordingsIn, type Recording } from '../replay/index.ts'
import { loadAgent, type LoadedAgent } from './load-agent.ts'
import { findRun, type CommonOptions } from './open-runtime.ts'
import type { Io } from './io.ts'
import { lockPath, type Project } from './project.ts'

/** Paths of recordings; a folder stands for those in it. @throws FailureError `usage`. */
export const recordingPaths = async (cwd: string, names: readonly string[]): Promise<readonly string[]> => {
  const paths: string[] = []
  for (const name of names) {
    const path = resolve(cwd, name)
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) paths.push(...(await recordingsIn(path)))
    else paths.push(path)
  }
  return paths.length > 0 ? paths : fail('usage', `There are no recordings in ${names.join(', ')}. Write one with \`stateloop record <run> -o <file>\`.`)
}

/** The agent of a recording: the one named, the one beside its folder, or the one that its run was loaded from. */
export const agentOfRecording = async (project: Project, path: string, { row }: Recording, named: string | undefined): Promise<LoadedAgent> => {
  if (named !== undefined) return loadAgent(project, named)
  const beside = join(dirname(path), '..')
  if (['agent.ts', 'agent.mts', 'agent.js', 'agent.mjs'].some((name) => existsSync(join(beside, name)))) return loadAgent(project, beside)
  if (row.source !== undefined) return loadAgent(project, row.source, project.root)
  return fail('agent_not_found', `Recording ${path} does not say where its agent ${row.agent} was loaded from. Name the agent with --agent.`)
}

/** What chooses versions of prompts in this project, where it has a lock. */
export const promptsOf = (project: Project): { readonly prompts?: PromptChooser } => {
  const path = lockPath(project)
  return existsSync(path) ? { prompts: promptLock({ path }) } : {}
}

/** A run by its id, or a recording by its path. */
export const runOrRecording = async (io: Io, name: string, options: CommonOptions): Promise<Recording> => {
  const path = resolve(io.cwd, name)
  if (existsSync(path)) return readRecording(path)
  const { journal } = await findRun(io, name, options)
  try {
    return await exportRun(journal, name)
  } finally {
    await journal.close()
  }
}
