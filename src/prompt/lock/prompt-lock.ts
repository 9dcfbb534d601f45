// The lock on disk, as a runtime uses it. Invariant: a lock that cannot be used never takes effect. Read at the start it
// stops the process; read again while watching it is refused, and the last good one stays.
import { readFileSync, statSync } from 'node:fs'
import { fail, failureOf, type Failure } from '../../failure/index.ts'
import type { ChosenPrompt, PromptAssignment, PromptChooser } from '../assignment.ts'
import type { Prompt } from '../prompt.ts'
import { promptVersion } from '../version.ts'
import { assign } from './assign.ts'
import { lockedOf, parseLock, type Lock } from './lock.ts'

/** The usual name of the lock. */
export const LOCK_FILE = 'prompts.lock.json'

/** Options of `promptLock`. */
export interface PromptLockOptions {
  /** Default `prompts.lock.json` in the working directory. */
  readonly path?: string
  /** True to look before each run whether the file has changed. Default: read once. */
  readonly watch?: boolean
  /** Told once of each change of the file that cannot be used. Must not throw. Default: a process warning. */
  readonly onRefused?: (failure: Failure) => void
}

/** A lock that chooses versions for runs. */
export interface PromptLock extends PromptChooser {
  /** The lock in force. */
  readonly current: () => Lock
}

/** Reads a lock. @throws FailureError `prompt_unusable` when there is none or it is not one. */
export const readLock = (path: string): Lock => {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return fail('prompt_unusable', `The lock of the prompts, ${path}, could not be read: ${error instanceof Error ? error.message : String(error)}. \`stateloop prompts release\` makes one.`, { cause: error })
  }
  return parseLock(text, path)
}

/** Changes whenever the file does. */
const stampOf = (path: string): string => {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false })
  return found === undefined ? 'missing' : `${found.ino} ${found.size} ${found.mtimeNs}`
}

const versions = new WeakMap<Prompt, Map<string, Prompt>>()

/** A version in a lock, parsed once per prompt in code. @throws FailureError `prompt_unusable` when it does not fit. */
const versionIn = (lock: Lock, prompt: Prompt, hash: string): Prompt => {
  const known = versions.get(prompt) ?? new Map<string, Prompt>([[prompt.hash, prompt]])
  versions.set(prompt, known)
  const document = lockedOf(lock, prompt.id)?.versions[hash]
  const found = known.get(hash) ?? (document === undefined ? fail('prompt_unusable', `The lock does not hold version ${hash.slice(0, 12)} of prompt ${prompt.id}.`) : promptVersion(prompt, document))
  known.set(hash, found)
  return found
}

/** Versions that some run may get. */
const reachable = (lock: Lock, id: string): readonly string[] => {
  const locked = lockedOf(lock, id)
  return locked === undefined ? [] : [...new Set([locked.active, ...(locked.rollout?.variants ?? []).map(({ hash }) => hash)])]
}

/** Checks that what a lock may give fits the code. @throws FailureError `prompt_unusable` with every problem. */
export const checkLock = (lock: Lock, prompts: readonly Prompt[]): void => {
  const problems = prompts.flatMap((prompt) =>
    reachable(lock, prompt.id).flatMap((hash) => {
      try {
        versionIn(lock, prompt, hash)
        return []
      } catch (error) {
        return [failureOf(error)?.message ?? String(error)]
      }
    }),
  )
  if (problems.length > 0) fail('prompt_unusable', problems.join('\n'), { details: { problems } })
}

const chosenIn = (lock: Lock, prompt: Prompt, units: Parameters<PromptChooser['choose']>[1]): ChosenPrompt => {
  const locked = lockedOf(lock, prompt.id)
  const assignment: PromptAssignment = locked === undefined ? { hash: prompt.hash } : assign(locked, units)
  return { assignment, prompt: versionIn(lock, prompt, assignment.hash) }
}

const warn = ({ message }: Failure): void => process.emitWarning(message, 'PromptLockWarning')

/**
 * Opens the lock of the prompts for a runtime: new runs get the versions it says. A prompt that is not in it has the
 * version in code.
 *
 * @example const runtime = createRuntime({ prompts: promptLock({ path: 'prompts.lock.json', watch: true }) })
 * @throws FailureError `prompt_unusable` when there is no lock or it cannot be used.
 */
export const promptLock = ({ path = LOCK_FILE, watch = false, onRefused = warn }: PromptLockOptions = {}): PromptLock => {
  let stamp = stampOf(path)
  let lock = readLock(path)
  const inCode = new Map<string, Prompt>()
  const look = (): Lock => {
    const now = watch ? stampOf(path) : stamp
    if (now === stamp) return lock
    stamp = now
    try {
      const next = readLock(path)
      checkLock(next, [...inCode.values()])
      lock = next
    } catch (error) {
      const refused = failureOf(error)
      if (refused === undefined) throw error
      onRefused({ ...refused, message: `${path} has changed and was not taken over; the versions before stay in force. ${refused.message}` })
    }
    return lock
  }
  const note = (prompts: readonly Prompt[]): void => {
    for (const prompt of prompts) inCode.set(prompt.id, prompt)
  }
  return {
    current: look,
    choose: (prompts, units) => {
      const current = look()
      note(prompts)
      return prompts.map((prompt) => chosenIn(current, prompt, units))
    },
    check: (prompts) => {
      note(prompts)
      checkLock(look(), prompts)
    },
  }
}
