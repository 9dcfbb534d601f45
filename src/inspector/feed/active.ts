// Which states a state value means. Invariant: with each state all states around it are named.
import type { StateValue } from '../../journal/index.ts'

/** Paths of the states that are active, outer ones first; the machine itself is the empty path. */
export const activeStates = (value: StateValue | undefined, prefix = ''): readonly string[] => {
  if (value === undefined || value === null) return ['']
  const inner = (part: StateValue, around: string): readonly string[] =>
    typeof part === 'string' ? (part === '' ? [] : [`${around}${part}`]) : Object.entries(part).flatMap(([name, below]) => [`${around}${name}`, ...inner(below, `${around}${name}.`)])
  return ['', ...inner(value, prefix)]
}

/** A state value in a few words: `asking`, `work.answering + work.checking`. */
export const showValue = (value: unknown): string => {
  const leaves = (part: unknown, around: string): readonly string[] => {
    if (typeof part === 'string') return [`${around}${part}`]
    if (typeof part !== 'object' || part === null) return []
    return Object.entries(part).flatMap(([name, below]) => {
      const inside = leaves(below, `${around}${name}.`)
      return inside.length === 0 ? [`${around}${name}`] : inside
    })
  }
  return leaves(value, '').join(' + ')
}
