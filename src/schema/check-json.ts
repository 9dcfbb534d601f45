// Holds a value to a JSON Schema that somebody else wrote. Invariant: the schema is read, never compiled to code, so one from
// a stranger costs time at worst; and what of it cannot be followed holds nothing up.
import { createRequire } from 'node:module'
import type { Validator } from '@cfworker/json-schema'
import type { Json } from '../failure/index.ts'
import type { JsonSchema } from './json-schema.ts'
import type { Issue, Validated } from './schema.ts'

/** Keywords whose error only says that there is one further down. */
const ABOVE: ReadonlySet<string> = new Set(['properties', 'items', 'prefixItems', '$ref', 'allOf'])

const pathOf = (pointer: string): string =>
  pointer
    .split('/')
    .slice(1)
    .map((segment) => decodeURIComponent(segment).replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((path, key) => (/^\d+$/.test(key) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`), '')

const load = createRequire(import.meta.url)
const validators = new WeakMap<object, Validator>()

/** Loaded with the first schema that is checked. */
const validatorOf = (schema: JsonSchema): Validator => {
  const { Validator: Made } = load('@cfworker/json-schema') as typeof import('@cfworker/json-schema')
  return new Made(schema as never, '2020-12', false)
}

const issuesOf = (schema: JsonSchema, value: Json): readonly Issue[] => {
  try {
    const validator = validators.get(schema) ?? validatorOf(schema)
    validators.set(schema, validator)
    const { valid, errors } = validator.validate(value)
    if (valid) return []
    const below = errors.filter(({ keyword }) => !ABOVE.has(keyword))
    return (below.length === 0 ? errors : below).map(({ instanceLocation, error }) => ({ path: pathOf(instanceLocation), message: error }))
  } catch {
    // A reference that leads nowhere, or a pattern that is no expression.
    return []
  }
}

/** Validates a value; it passes unchanged. An empty schema stands for any JSON object. */
export const checkJson = (schema: JsonSchema, value: Json): Validated<Json> => {
  if (Object.keys(schema).length === 0) return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ok: true, value } : { ok: false, issues: [{ path: '', message: 'expected a JSON object' }] }
  const issues = issuesOf(schema, value)
  return issues.length === 0 ? { ok: true, value } : { ok: false, issues }
}
