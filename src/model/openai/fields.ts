// Reading JSON of unknown shape. Invariant: nothing from the wire is believed to have a type before it was looked at.

const LONGEST_NAME = 200

/** A JSON object whose fields may be anything. */
export type Fields = { readonly [key: string]: unknown }

/** The value as an object; undefined for arrays, null and scalars. */
export const asFields = (value: unknown): Fields | undefined => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined)

/** A field that should hold an object. */
export const field = (value: Fields | undefined, key: string): Fields | undefined => asFields(value?.[key])

/** A field that should hold a list; empty when it does not. */
export const list = (value: Fields | undefined, key: string): readonly unknown[] => {
  const found = value?.[key]
  return Array.isArray(found) ? (found as readonly unknown[]) : []
}

/** A field that should hold text. */
export const text = (value: Fields | undefined, key: string): string | undefined => {
  const found = value?.[key]
  return typeof found === 'string' ? found : undefined
}

/** A field that should hold a name: short, and fit to be stored. Undefined when it is empty. */
export const name = (value: Fields | undefined, key: string): string | undefined => text(value, key)?.slice(0, LONGEST_NAME).toWellFormed() || undefined

/** Parses JSON; undefined when it is none. */
export const parseFields = (json: string): unknown => {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined
  }
}
