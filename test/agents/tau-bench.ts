// The recorded conversations of the tau-bench airline domain, where they lie beside the repository. They are data of
// others (MIT) and not part of it.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fakeClock } from '../../src/clock/index.ts'
import type { Agent } from '../../src/agent/index.ts'
import type { Json } from '../../src/failure/index.ts'
import { chatMessages, importChat, type Recording } from '../../src/replay/index.ts'

/** One recorded conversation with how it was scored. */
export interface TauRun {
  readonly task_id: number
  readonly trial: number
  readonly reward: number
  readonly traj: readonly { readonly role: string; readonly content: string }[]
  readonly info: { readonly reward_info?: { readonly info?: { readonly gt_data_hash?: string } } | null }
}

/** Where the data is. */
export const tauFolder = fileURLToPath(new URL('../../../shared/tau-bench', import.meta.url))

/** Why the tests with that data are skipped, or undefined. */
export const withoutTau = existsSync(join(tauFolder, 'gpt-4o-airline.json')) ? undefined : `skipped: ${tauFolder} is not there`

/** All conversations. */
export const tauRuns = (): readonly TauRun[] => JSON.parse(readFileSync(join(tauFolder, 'gpt-4o-airline.json'), 'utf8')) as readonly TauRun[]

/** The policy that the recorded model was given. */
export const tauPolicy = (runs: readonly TauRun[]): string => runs[0]?.traj[0]?.content ?? ''

/** A conversation with its recording, and what the import had to say about it. */
export interface Imported {
  readonly run: TauRun
  readonly name: string
  readonly recording: Recording
  readonly notes: readonly string[]
}

/** Runs every conversation through an agent. */
export const importAll = async (agent: Agent, runs: readonly TauRun[]): Promise<readonly Imported[]> => {
  const clock = fakeClock()
  const imported: Imported[] = []
  for (const run of runs) imported.push({ run, name: `task ${run.task_id}, trial ${run.trial}`, ...(await importChat(agent, chatMessages(run as unknown as Json), { clock })) })
  return imported
}
