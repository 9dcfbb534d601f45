// Changes the lock. Invariant: a lock that does not fit the code is never written, and every version it names is in the
// journal's content store too, where there is a journal.
import { checkLock, formatLock, lockedOf, promptHash, writeLock, type Lock } from '../../prompt/index.ts'
import { keepPrompts } from '../../run/index.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import type { PromptOptions, Workspace } from './workspace.ts'

/** Keeps the versions of one prompt in the journal. */
const keep = async ({ journal }: Workspace, lock: Lock, id: string): Promise<void> => {
  const versions = Object.values(lockedOf(lock, id)?.versions ?? {})
  if (journal !== undefined)
    await keepPrompts(
      journal,
      versions.map((document) => ({ id, hash: promptHash(document), document })),
    )
}

/**
 * Writes the next lock and says what it means.
 * @throws FailureError `prompt_unusable` when it does not fit the code; nothing is written then.
 */
export const changeLock = async (io: Io, workspace: Workspace, next: Lock, ids: readonly string[], said: readonly string[], { json }: PromptOptions): Promise<number> => {
  checkLock(
    next,
    [...workspace.inCode.values()].map(({ prompt }) => prompt),
  )
  for (const problem of workspace.problems) io.err(`${problem}\n`)
  for (const id of ids) await keep(workspace, next, id)
  const changed = !workspace.locked || formatLock(next) !== formatLock(workspace.lock)
  if (changed) writeLock(workspace.lockPath, next)
  const prompts = ids.map((id) => {
    const { versions: _texts, ...locked } = lockedOf(next, id) ?? { versions: {} }
    return { id, ...locked }
  })
  if (json === true) io.out(`${JSON.stringify({ lock: workspace.lockPath, changed, prompts }, null, 2)}\n`)
  else {
    for (const line of said) io.out(`${line}\n`)
    if (!changed) io.out('the lock says so already\n')
  }
  return EXIT.done
}
