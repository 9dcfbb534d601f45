// What a parsed value must not hold before anything here trusts it: keys that reach a prototype, half characters,
// numbers JSON cannot write, bottomless nesting. Invariant: a value that passed can be hashed, journaled and walked.
import { FORBIDDEN_KEYS } from '../schema/index.ts'

/** Levels of arrays and objects that are still fine. */
const MAX_DEPTH = 100

/**
 * Finds what makes a value unsafe to hand on. The text it came from may have been judged before (`parseJson`); values
 * of providers in this process were not.
 * @returns the problem with its path, or undefined.
 */
export const findUnsafe = (value: unknown, path = '', depth = 0): string | undefined => {
  const at = path === '' ? 'the value' : `\`${path}\``
  if (typeof value === 'string') return value.isWellFormed() ? undefined : `${at} holds half of a surrogate pair`
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${at} is not a finite number`
  if (value === null || typeof value === 'boolean') return undefined
  if (typeof value !== 'object') return `${at} is not JSON`
  if (depth >= MAX_DEPTH) return `it is nested deeper than ${MAX_DEPTH} levels`
  const isArray = Array.isArray(value)
  for (const [key, item] of Object.entries(value)) {
    if (!isArray && FORBIDDEN_KEYS.has(key)) return `the key "${key}" is not allowed`
    if (!isArray && !key.isWellFormed()) return `a key of ${at} holds half of a surrogate pair`
    const found = findUnsafe(item, isArray ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
