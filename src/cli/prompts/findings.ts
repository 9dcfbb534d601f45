// What keeps a lock from being right, for `stateloop prompts check` and `stateloop doctor`. Invariant: no findings means that
// every template in code is a version in the lock and everything the lock may give fits the code.
import { failureOf } from '../../failure/index.ts'
import { checkLock, diffPrompts, lockedOf, type PromptDiff } from '../../prompt/index.ts'
import { short } from './known.ts'
import type { PromptInCode, Workspace } from './workspace.ts'

/** One thing that keeps the lock from being right. */
export interface Finding {
  readonly kind: 'changed' | 'not_locked' | 'unfit' | 'unreadable'
  readonly id?: string
  readonly message: string
  readonly diff?: PromptDiff
}

const ship = (id: string): string => `Ship it with \`stateloop prompts release ${id}\`, or to some with \`stateloop prompts rollout ${id} --percent 10\`.`

const findingOf = ({ lock }: Workspace, { prompt }: PromptInCode): Finding | undefined => {
  const { id, hash, document } = prompt
  const locked = lockedOf(lock, id)
  if (locked === undefined) return { kind: 'not_locked', id, message: `${id} is not in the lock. Add it with \`stateloop prompts release ${id}\`.` }
  const active = locked.versions[locked.active]
  if (Object.hasOwn(locked.versions, hash) || active === undefined) return undefined
  return { kind: 'changed', id, message: `${id} changed from ${short(locked.active)} to ${short(hash)}, but the lock did not. ${ship(id)}`, diff: diffPrompts(active, document) }
}

const unfit = ({ lock, inCode }: Workspace): readonly Finding[] => {
  try {
    checkLock(
      lock,
      [...inCode.values()].map(({ prompt }) => prompt),
    )
    return []
  } catch (error) {
    const found = failureOf(error)
    if (found === undefined) throw error
    return [{ kind: 'unfit', message: found.message }]
  }
}

/** Everything that keeps the lock from being right; agents that could not be loaded come first. */
export const findingsOf = (workspace: Workspace): readonly Finding[] => [
  ...workspace.problems.map((message): Finding => ({ kind: 'unreadable', message })),
  ...[...workspace.inCode.values()].flatMap((prompt) => findingOf(workspace, prompt) ?? []),
  ...unfit(workspace),
]
