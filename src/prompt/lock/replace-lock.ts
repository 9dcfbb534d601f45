// Replaces the lock on disk, one change at a time. Invariant: what is replaced is what the change was made from, so two
// processes that edit at once never undo each other, and whoever reads sees the old lock or the new one, never half of it.
import { closeSync, fstatSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { sleep, systemClock } from '../../clock/index.ts'
import { fail } from '../../failure/index.ts'
import { formatLock, parseLock, type Lock } from './lock.ts'

/** How often a change looks whether the one before it is done, milliseconds. */
const AGAIN_MS = 20
/** A change takes milliseconds. One that has taken so long was killed in the middle. */
const DEAD_MS = 10_000
/** How long a change waits for its turn, milliseconds: until one that was killed is known to be dead, and some more. */
const PATIENCE_MS = 15_000

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code

const textAt = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Makes the next file, which nobody else can make meanwhile. @returns undefined when somebody has. */
const take = (next: string): number | undefined => {
  try {
    return openSync(next, 'wx')
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
    const left = statSync(next, { throwIfNoEntry: false })
    if (left !== undefined && systemClock.now() - left.mtimeMs > DEAD_MS) rmSync(next, { force: true })
    return undefined
  }
}

const waitForTurn = async (path: string, next: string): Promise<number> => {
  const until = systemClock.monotonic() + PATIENCE_MS
  for (;;) {
    const taken = take(next)
    if (taken !== undefined) return taken
    if (systemClock.monotonic() > until) return fail('prompt_unusable', `${path} was not changed: other processes keep changing it, as ${next} shows. Try again when they are done; delete that file if there are none.`)
    await sleep(systemClock, AGAIN_MS)
  }
}

/**
 * Puts a lock in the place of the one that the change began with.
 * @param before what the file held; undefined when there was none.
 * @returns false, and changes nothing, when the file holds something else by now: read it again and make the change anew.
 * @throws FailureError `prompt_unusable` when the file is no lock any more, or others keep changing it.
 */
export const replaceLock = async (path: string, before: Lock | undefined, lock: Lock): Promise<boolean> => {
  const next = `${path}.new`
  const taken = await waitForTurn(path, next)
  let replaced = false
  try {
    const text = textAt(path)
    const same = text === undefined ? before === undefined : before !== undefined && formatLock(parseLock(text, path)) === formatLock(before)
    if (!same) return false
    writeFileSync(taken, formatLock(lock), { flush: true })
    // Whoever was stopped for so long that it was taken for dead has lost its turn.
    if (statSync(next, { throwIfNoEntry: false })?.ino !== fstatSync(taken).ino) return false
    renameSync(next, path)
    return (replaced = true)
  } finally {
    const mine = !replaced && statSync(next, { throwIfNoEntry: false })?.ino === fstatSync(taken).ino
    closeSync(taken)
    if (mine) rmSync(next, { force: true })
  }
}
