// Fields that are secret by declaration. Invariant: marking changes neither what a schema accepts nor the JSON Schema that
// models see; it only says which parts of a value are to be hidden.
import type { Schema } from './schema.ts'

const marked = new WeakSet<object>()

interface Clonable {
  readonly clone?: () => unknown
}

/**
 * Marks a schema: values at its place are hidden from the journal, models, traces and logs, and given back to tools only.
 * @example z.object({ question: z.string(), cardNumber: secret(z.string()) })
 */
export const secret = <S extends Schema>(schema: S): S => {
  const { clone } = schema as Clonable
  // A clone, so that the same schema used elsewhere stays as it is.
  const own = (typeof clone === 'function' ? clone.call(schema) : schema) as S
  marked.add(own)
  return own
}

interface Inside {
  readonly shape?: { readonly [field: string]: unknown }
  readonly def?: { readonly innerType?: unknown; readonly element?: unknown; readonly valueType?: unknown; readonly in?: unknown; readonly options?: readonly unknown[]; readonly items?: readonly unknown[] }
}

const isObject = (value: unknown): value is { readonly [field: string]: unknown } => typeof value === 'object' && value !== null

const found = new WeakMap<object, boolean>()

/** Whether a schema marks any part as secret. */
export const marksSecrets = (schema: unknown): boolean => {
  if (!isObject(schema)) return false
  const known = found.get(schema)
  if (known !== undefined) return known
  found.set(schema, false)
  const { shape, def } = schema as Inside
  const inside = def === undefined ? [] : [...(isObject(shape) ? Object.values(shape) : []), def.element, def.valueType, def.innerType, def.in, ...(def.options ?? []), ...(def.items ?? [])]
  const marks = marked.has(schema) || inside.some(marksSecrets)
  found.set(schema, marks)
  return marks
}

/** A value with each secret part replaced; the same object when there is none. @param hide gets each secret part. */
export const hideSecrets = (schema: unknown, value: unknown, hide: (part: unknown) => unknown): unknown => {
  if (!isObject(schema) || value === undefined || value === null) return value
  if (marked.has(schema)) return hide(value)
  const { shape, def } = schema as Inside
  if (def === undefined) return value
  if (isObject(shape) && isObject(value) && !Array.isArray(value)) {
    const changed = Object.entries(shape).flatMap(([field, inner]) => {
      const hidden = Object.hasOwn(value, field) ? hideSecrets(inner, value[field], hide) : value[field]
      return hidden === value[field] ? [] : [[field, hidden] as const]
    })
    return changed.length === 0 ? value : { ...value, ...Object.fromEntries(changed) }
  }
  if (def.element !== undefined && Array.isArray(value)) {
    const items = value.map((item) => hideSecrets(def.element, item, hide))
    return items.every((item, index) => item === value[index]) ? value : items
  }
  if (def.valueType !== undefined && isObject(value) && !Array.isArray(value)) {
    const entries = Object.entries(value).map(([key, item]) => [key, hideSecrets(def.valueType, item, hide)] as const)
    return entries.every(([key, item]) => item === value[key]) ? value : Object.fromEntries(entries)
  }
  // Of a union, whatever one of its options marks is hidden.
  const inner = [def.innerType, def.in, ...(def.options ?? [])].filter((option) => option !== undefined)
  return inner.reduce<unknown>((hidden, option) => (hidden === value ? hideSecrets(option, value, hide) : hidden), value)
}
