// Kinds of states, read from the structure of the agent that the journal kept. Invariant: what is not known is left out,
// never guessed; runs from before structures were kept have no kinds.
import type { Entry, Journal } from '../journal/index.ts'
import { readStructure, structureAt } from '../run/index.ts'
import type { Visit } from './visit.ts'

/** Notes the kind of each visit, where the journal knows it. */
export const noteKinds = async (journal: Journal, entries: readonly Entry[], visits: readonly Visit[]): Promise<void> => {
  const agents = entries.flatMap(({ body: { cause } }) => (cause.type === 'start' || cause.type === 'migrated' ? [cause.agent] : []))
  const roots = await Promise.all(agents.toReversed().map((agent) => readStructure(journal, agent)))
  for (const visit of visits) {
    for (const root of roots) {
      const kind = structureAt(root, visit.actor).kind(visit.state)
      if (kind !== undefined) visit.kind ??= kind
    }
  }
}
