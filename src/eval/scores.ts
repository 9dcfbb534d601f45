// How versions of a prompt scored: standings whose states asked with exactly that version. Invariant: a standing counts for
// a version only when every state that uses the prompt had the hash that this version gives it.
import { readdirSync } from 'node:fs'
import type { Agent } from '../agent/index.ts'
import type { Interval } from './statistics/wilson.ts'
import { stepsOf } from './steps.ts'
import { ResultStore } from './store.ts'

/** How an evaluation stood with a version. */
export interface VersionScore {
  readonly evaluation: string
  /** Milliseconds UTC. */
  readonly at: number
  readonly passRate: number
  readonly interval: Interval | null
}

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder).flatMap((name) => (name.endsWith('.jsonl') ? [name.slice(0, -'.jsonl'.length)] : []))
  } catch {
    return []
  }
}

/**
 * The newest score of each evaluation that ran an agent with a version of a prompt.
 * @param folder of all results.
 */
export const scoresOf = async (folder: string, agent: Agent, prompt: string, hash: string): Promise<readonly VersionScore[]> => {
  const withVersion = stepsOf(agent, (id, inCode) => (id === prompt ? hash : inCode)).states
  const without = stepsOf(agent, (id, inCode) => (id === prompt ? '' : inCode)).states
  const asking = Object.entries(withVersion).filter(([state, step]) => without[state] !== step)
  const scores: VersionScore[] = []
  for (const evaluation of namesIn(folder)) {
    const { standings } = await ResultStore.open(folder, evaluation)
    const found = standings.findLast(({ states, passRate }) => passRate !== null && asking.length > 0 && asking.every(([state, step]) => states[state] === step))
    if (found !== undefined && found.passRate !== null) scores.push({ evaluation, at: found.at, passRate: found.passRate, interval: found.interval })
  }
  return scores
}
