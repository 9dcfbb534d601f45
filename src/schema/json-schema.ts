// One way from any schema to JSON Schema (draft 7), which is what providers and people read.
import { createRequire } from 'node:module'
import { z } from 'zod'
import { fail, type Json } from '../failure/index.ts'
import type { Schema } from './schema.ts'

/** A JSON Schema document. @see https://json-schema.org/draft-07 */
export type JsonSchema = { readonly [key: string]: Json }

const cache = new WeakMap<object, JsonSchema>()

const isZod4 = (schema: object): boolean => '_zod' in schema
const isZod3 = (schema: object): boolean => '_def' in schema && !isZod4(schema)

const convert = (schema: Schema, at: string): JsonSchema => {
  if (isZod4(schema)) return z.toJSONSchema(schema as never, { target: 'draft-7', io: 'input' }) as JsonSchema
  if (isZod3(schema)) {
    const require = createRequire(import.meta.url)
    const { zodToJsonSchema } = require('zod-to-json-schema') as typeof import('zod-to-json-schema')
    return zodToJsonSchema(schema as never) as JsonSchema
  }
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
    return fail('agent_invalid', `${at}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
