// Any Standard Schema (zod, valibot, arktype …) describes data; this file is the only place that asks one.
// @see https://standardschema.dev
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Json } from '../failure/index.ts'

/** A schema whose valid values have type `T`. */
export type Schema<T = unknown> = StandardSchemaV1<unknown, T> | StandardSchemaV1<T, T> | SchemaLike<T>
/** A schema whose input type differs from its output type (defaults, transforms). */
type SchemaLike<T> = { readonly '~standard': StandardSchemaV1.Props<never, T> } & object
/** The type a schema's valid values have. */
export type Infer<S> = S extends { readonly '~standard': { readonly types?: { readonly output: infer O } | undefined } } ? O : never

/** One thing that is wrong with a value. */
export interface Issue {
  /** Where, as `items[2].name`; empty for the value itself. */
  readonly path: string
  readonly message: string
}

/** The valid value, or what is wrong. */
export type Validated<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly issues: readonly Issue[] }

const pathOf = (issue: StandardSchemaV1.Issue): string =>
  (issue.path ?? []).reduce<string>((path, segment) => {
    const key = typeof segment === 'object' ? segment.key : segment
    return typeof key === 'number' ? `${path}[${key}]` : path === '' ? String(key) : `${path}.${String(key)}`
  }, '')

const toValidated = <T>(result: StandardSchemaV1.Result<unknown>): Validated<T> =>
  result.issues === undefined ? { ok: true, value: result.value as T } : { ok: false, issues: result.issues.map((issue) => ({ path: pathOf(issue), message: issue.message })) }

/** Validates a value; the schema may be asynchronous. */
export const validateAsync = async <T>(schema: Schema<T>, value: unknown): Promise<Validated<T>> => toValidated<T>(await schema['~standard'].validate(value as never))

/** Validates a value now. @throws TypeError when the schema is asynchronous. */
export const validate = <T>(schema: Schema<T>, value: unknown): Validated<T> => {
  const result = schema['~standard'].validate(value as never)
  if (result instanceof Promise) throw new TypeError('This schema validates asynchronously. Here only synchronous schemas work: remove async refinements.')
  return toValidated<T>(result)
}

/** Issues as one line a person reads: `items[2].name: expected string`. At most five are listed. */
export const formatIssues = (issues: readonly Issue[]): string => {
  const shown = issues.slice(0, 5).map((issue) => (issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`))
  return issues.length > 5 ? `${shown.join('; ')}; and ${issues.length - 5} more` : shown.join('; ')
}

/** The schema of one field of an object schema, where the library shows it (zod does). */
export const fieldSchema = (schema: Schema | undefined, field: string): Schema | undefined => {
  if (schema === undefined || !('shape' in schema)) return undefined
  const shape = schema.shape as Readonly<Record<string, unknown>>
  const found = Object.hasOwn(shape, field) ? shape[field] : undefined
  return typeof found === 'object' && found !== null && '~standard' in found ? (found as Schema) : undefined
}

/** Names of the fields of an object schema, where the library shows them (zod does). */
export const fieldNames = (schema: Schema): readonly string[] | undefined => ('shape' in schema && typeof schema.shape === 'object' && schema.shape !== null ? Object.keys(schema.shape) : undefined)

/** Tells whether a value survives JSON unchanged enough to be journaled; gives the path of the first that does not. */
export const findNonJson = (value: unknown, path = ''): string | undefined => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : path || '(value)'
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found = item === undefined ? `${path}[${index}]` : findNonJson(item, `${path}[${index}]`)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (typeof value !== 'object') return path || '(value)'
  const prototype = Object.getPrototypeOf(value) as unknown
  if (prototype !== Object.prototype && prototype !== null) return path || '(value)'
  for (const [key, item] of Object.entries(value)) {
    const found = item === undefined ? undefined : findNonJson(item, path === '' ? key : `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

/** A value as JSON text, or undefined when it has a cycle, a BigInt or is not data at all. */
export const toJsonText = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value) as string | undefined
  } catch {
    return undefined
  }
}

/** A JSON copy of a value, or undefined when there is none, as `toJsonText` says. */
export const toJson = (value: unknown): Json | undefined => {
  const text = toJsonText(value)
  return text === undefined ? undefined : (JSON.parse(text) as Json)
}
