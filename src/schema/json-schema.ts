// One way from any schema to JSON Schema (draft 7), which is what providers and people read. It describes the input
// side: what has to be written so that the schema accepts it. Converters are loaded only for the library that is used.
import { createRequire } from 'node:module'
import { FailureError, fail, type Json } from '../failure/index.ts'
import type { Schema } from './schema.ts'

/** A JSON Schema document. @see https://json-schema.org/draft-07 */
export type JsonSchema = { readonly [key: string]: Json }

/** Where in a JSON Schema document: `['properties', 'items', 'items', 'properties', 'price']`. */
export type SchemaPath = readonly (string | number)[]

const cache = new WeakMap<object, JsonSchema>()
const load = createRequire(import.meta.url)
const USE_JSON = 'Use what JSON has: strings, numbers, booleans, null, arrays, objects.'

/** A place in a schema as people write it: `items[].price`; `|2` is the second alternative. */
const showPath = (path: SchemaPath): string => {
  let shown = ''
  for (let at = 0; at < path.length; at++) {
    const segment = path[at]
    if (segment === 'items') shown += '[]'
    else if (segment === 'anyOf' || segment === 'oneOf' || segment === 'allOf') shown += `|${Number(path[++at]) + 1}`
    else if (segment === 'properties') shown += `${shown === '' ? '' : '.'}${path[++at] ?? ''}`
    else if (segment !== '#') shown += `${shown === '' ? '' : '.'}${segment}`
  }
  return shown === '' ? 'the whole schema' : `\`${shown}\``
}

/** Refuses a schema. @throws FailureError `agent_invalid` always. */
export const refuse = (at: string, path: SchemaPath, reason: string, cause?: unknown): never => fail('agent_invalid', `${at}: ${showPath(path)}: ${reason}`, cause === undefined ? {} : { cause })

/** Its converter throws without saying where; a second pass only finds the place. */
const fromZod4 = (schema: object, at: string): JsonSchema => {
  const { z } = load('zod') as typeof import('zod')
  let where: SchemaPath = []
  try {
    return z.toJSONSchema(schema as never, { target: 'draft-7', io: 'input' }) as JsonSchema
  } catch (error) {
    const unrepresentable = ({ path }: { readonly path: SchemaPath }): 'throw' => {
      where = path
      return 'throw'
    }
    try {
      z.toJSONSchema(schema as never, { target: 'draft-7', io: 'input', unrepresentable })
    } catch {
      return refuse(at, where, `${error instanceof Error ? error.message : String(error)}. ${USE_JSON}`, error)
    }
    throw error
  }
}

/** What zod 3 cannot read from JSON, though its converter writes a schema for it. */
const NOT_IN_JSON: ReadonlySet<string> = new Set(['ZodBigInt', 'ZodDate', 'ZodMap', 'ZodSet', 'ZodNaN', 'ZodSymbol', 'ZodFunction', 'ZodPromise'])

/** What is looked at in a definition of zod 3. */
interface Definition3 {
  readonly typeName: string
  readonly value?: unknown
  readonly options?: readonly { readonly _def: { readonly typeName: string } }[] | object
}

const fromZod3 = (schema: object, at: string): JsonSchema => {
  const converter = load('zod-to-json-schema') as typeof import('zod-to-json-schema')
  return converter.zodToJsonSchema(schema as never, {
    override: (definition, { currentPath }) => {
      const { typeName, value, options } = definition as Definition3
      if (typeName === 'ZodLiteral' && value === null) return { type: 'null' }
      // The converter writes a union of primitives in one go, without asking about each.
      const types = [typeName, ...(Array.isArray(options) ? options.map((option) => option._def.typeName) : [])]
      const bad = types.findIndex((type) => NOT_IN_JSON.has(type))
      if (bad === -1) return converter.ignoreOverride
      return refuse(at, bad === 0 ? currentPath : [...currentPath, 'anyOf', bad - 1], `${types[bad]?.slice(3)} cannot be written in JSON. ${USE_JSON}`)
    },
  }) as JsonSchema
}

const convert = (schema: Schema, at: string): JsonSchema => {
  if ('_zod' in schema) return fromZod4(schema, at)
  if ('_def' in schema) return fromZod3(schema, at)
  const standard = schema['~standard'] as unknown as { readonly jsonSchema?: { input(options: { target: string }): JsonSchema } }
  if (standard.jsonSchema !== undefined) return standard.jsonSchema.input({ target: 'draft-07' })
  return fail('agent_invalid', `${at}: this schema cannot be shown as JSON Schema. Use zod, or a library that implements Standard JSON Schema.`)
}

/**
 * JSON Schema of what a schema accepts. Converted once per schema object.
 * @param at what the schema belongs to, for the message.
 * @throws FailureError `agent_invalid` when the schema cannot be represented.
 */
export const toJsonSchema = (schema: Schema, at = 'schema'): JsonSchema => {
  const known = cache.get(schema)
  if (known !== undefined) return known
  try {
    const { $schema: _dialect, ...converted } = convert(schema, at)
    cache.set(schema, converted)
    return converted
  } catch (error) {
    if (error instanceof FailureError) throw error
    return fail('agent_invalid', `${at}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
