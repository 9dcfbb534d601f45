// JSON as the replay room takes it apart. Invariant: nothing here changes what it is given.
import type { Json } from '../failure/index.ts'

/** Fields of a JSON object. */
export type Fields = { readonly [key: string]: Json }

/** Tells whether a JSON value is an object with fields. */
export const isObject = (value: Json | undefined): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Data on one line, at most so many characters. */
export const brief = (value: unknown, most = 100): string => {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing')
  const line = text.replace(/\s+/g, ' ').trim()
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`
}
