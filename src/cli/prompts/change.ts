// Changes the lock. Invariant: a lock that does not fit the code is never written, and every version it names is in the
// journal's content store too, where there is a journal; a change that another process made meanwhile is not undone.
import { checkLock, formatLock, lockedOf, promptHash, replaceLock, type Lock } from '../../prompt/index.ts'
import { keepPrompts } from '../../run/index.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { lockAt, type PromptOptions, type Workspace } from './workspace.ts'

/** Keeps the versions of one prompt in the journal. */
const keep = async ({ journal }: Workspace, lock: Lock, id: string): Promise<void> => {
  const versions = Object.values(lockedOf(lock, id)?.versions ?? {})
  if (journal !== undefined)
    await keepPrompts(
      journal,
      versions.map((document) => ({ id, hash: promptHash(document), document })),
    )
}

/** What is said of a prompt in a lock: all but the texts. */
const shownIn = (lock: Lock, id: string): object => {
  const { versions: _texts, ...locked } = lockedOf(lock, id) ?? { versions: {} }
  return { id, ...locked }
}

/** A change of the lock. */
export interface Change {
  readonly next: Lock
  /** The prompts it is about. */
  readonly ids: readonly string[]
  /** What it means, a line for each. */
  readonly said: readonly string[]
}

/** Makes a change of a workspace's lock. Called again with the lock as it is then, when another process changed it meanwhile. */
export type Plan = (workspace: Workspace) => Change | Promise<Change>

const checked = async (workspace: Workspace, plan: Plan): Promise<Change> => {
  const change = await plan(workspace)
  checkLock(
    change.next,
    [...workspace.inCode.values()].map(({ prompt }) => prompt),
  )
  for (const id of change.ids) await keep(workspace, change.next, id)
  return change
}

/**
 * Changes the lock and says what it means.
 * @throws FailureError `prompt_unusable` when the next lock does not fit the code; nothing is written then.
 */
export const changeLock = async (io: Io, given: Workspace, plan: Plan, { json }: PromptOptions): Promise<number> => {
  for (const problem of given.problems) io.err(`${problem}\n`)
  let workspace = given
  for (;;) {
    const { next, ids, said } = await checked(workspace, plan)
    const { lockPath, locked, lock } = workspace
    const changed = !locked || formatLock(next) !== formatLock(lock)
    if (changed && !(await replaceLock(lockPath, locked ? lock : undefined, next))) {
      workspace = { ...workspace, ...lockAt(lockPath) }
      continue
    }
    if (json === true) io.out(`${JSON.stringify({ lock: lockPath, changed, prompts: ids.map((id) => shownIn(next, id)) }, null, 2)}\n`)
    else for (const line of [...said, ...(changed ? [] : ['the lock says so already'])]) io.out(`${line}\n`)
    return EXIT.done
  }
}
