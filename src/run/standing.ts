// Where a run stands, apart from its machine. Kept when a run parks, so that a migration can put it on a changed agent.
import type { Json } from '../failure/index.ts'
import type { Standing, StateValue } from '../journal/index.ts'
import type { Decision } from './decide.ts'
import type { Fold } from './fold.ts'
import { Thread } from './thread.ts'
import { carriedOf } from './usage.ts'

/** The standing of a run, or undefined while children or calls are under way: those cannot be put on another machine. */
export const standingOf = (fold: Fold): Standing | undefined => {
  const pending = [...fold.root.threads.values()].some((thread) => thread.pending !== undefined)
  return fold.steps.size > 0 || pending ? undefined : standingAt(fold)
}

/** The standing of a run whose state is to be entered anew, so that calls under way do not count. Undefined while children are. */
export const standingAt = (fold: Fold): Standing | undefined => {
  const { root } = fold
  if (fold.end !== undefined || fold.actors.size !== 1) return undefined
  const { $run: _view, ...context } = root.snapshot.context as { readonly [field: string]: Json }
  const { inputTokens, outputTokens, costUnknown } = root.used
  return {
    value: root.snapshot.value as StateValue,
    context,
    used: { ...carriedOf(root.used, undefined), inputTokens, outputTokens, costUnknown },
    visits: root.visits,
    entries: Object.fromEntries(root.entries),
    inbox: fold.inbox,
    threads: Object.fromEntries([...root.threads].filter(([name]) => fold.namedThreads.has(name)).map(([name, thread]) => [name, thread.messages])),
  }
}

/** Puts a fresh fold where a run stood. @returns what its machine begins with there. */
export const takeStanding = (fold: Fold, standing: Standing): Decision => {
  const { root } = fold
  const { tokens: _tokens, ...used } = standing.used
  Object.assign(root.used, used)
  root.visits = standing.visits
  for (const [id, count] of Object.entries(standing.entries)) root.entries.set(id, count)
  for (const [name, messages] of Object.entries(standing.threads)) {
    fold.namedThreads.add(name)
    root.threads.set(name, new Thread(name, messages))
  }
  fold.inbox = standing.inbox
  fold.actors.set('', root)
  return root.decider.standAt(standing.value, standing.context)
}
