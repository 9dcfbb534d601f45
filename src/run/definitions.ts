// The structures of agents in the content store, so that a run can be shown, and a change of its agent explained, without
// the code. Invariant: the structure of a real agent is kept under the agent's own hash, child agents included.
import { childrenOf, type Agent } from '../agent/index.ts'
import type { Journal } from '../journal/index.ts'
import { canonical } from '../schema/index.ts'

const kept = new WeakMap<Journal, Map<string, string>>()

/** Keeps an agent's structure and those of its child agents, once. @returns its content hash. */
export const keepDefinition = async (journal: Journal, agent: Agent): Promise<string> => {
  const known = kept.get(journal) ?? new Map<string, string>()
  kept.set(journal, known)
  const found = known.get(agent.hash)
  if (found !== undefined) return found
  const [hash] = await Promise.all([journal.putContent('agent', canonical(agent.definition)), ...childrenOf(agent).map((child) => keepDefinition(journal, child))])
  known.set(agent.hash, hash)
  return hash
}
