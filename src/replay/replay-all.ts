// Replays every recording of a folder. Invariant: a folder without recordings fails, so that a test cannot pass by finding
// nothing.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Agent } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import type { ReplayReport } from './difference.ts'
import { readRecording, recordingName, recordingsIn } from './files.ts'
import { replay, type ReplayOptions } from './replay.ts'

const AGENT_FILES = ['agent.ts', 'agent.mts', 'agent.js', 'agent.mjs'] as const

/** The agent beside the folder: `agents/support/agent.ts` for `agents/support/recordings`. */
const agentBeside = async (folder: string): Promise<Agent> => {
  const path = AGENT_FILES.map((name) => join(resolve(folder), '..', name)).find((candidate) => existsSync(candidate))
  if (path === undefined) return fail('agent_not_found', `There is no ${AGENT_FILES.join(' or ')} beside ${folder}. Pass the agent: replayAll(folder, { agent }).`)
  const { default: agent } = (await import(pathToFileURL(path).href)) as { readonly default?: Agent }
  return agent?.kind === 'agent' ? agent : fail('agent_invalid', `${path} has no agent as its default export.`)
}

/**
 * Replays every recording of a folder, in the order of their names.
 * @throws FailureError `usage` when the folder holds no recording, `agent_not_found`, `journal_corrupt`.
 * @example for (const report of await replayAll('agents/support/recordings')) console.log(formatReport(report))
 */
export const replayAll = async (
  folder: string,
  {
    agent,
    ...options
  }: ReplayOptions & {
    /** What they are replayed against. Default: the default export of the agent file beside the folder, such as `agent.ts`. */
    readonly agent?: Agent
  } = {},
): Promise<readonly ReplayReport[]> => {
  const paths = await recordingsIn(folder)
  if (paths.length === 0) fail('usage', `The folder ${folder} holds no recordings. Write one with \`stateloop record <run> -o ${join(folder, 'name.jsonl')}\`.`)
  const target = agent ?? (await agentBeside(folder))
  const reports: ReplayReport[] = []
  for (const path of paths) reports.push(await replay(target, await readRecording(path), { name: recordingName(path), ...options }))
  return reports
}
