// A JSON Schema that somebody else wrote, as a schema of ours: shown to models in one form, and checked in the other with the
// SDK's own validator. Invariant: a schema that cannot be checked here accepts what the server will check anyway.
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { Json } from '../failure/index.ts'
import { isNode, type JsonSchema, type Schema } from '../schema/index.ts'

type Check = (value: unknown) => { readonly valid: boolean; readonly errorMessage: string | undefined }

/** Keywords that are left to the server: a pattern of somebody else may take for ever, and an `$id` would name one schema for all. */
const LEFT: ReadonlySet<string> = new Set(['pattern', 'patternProperties', '$id', 'id'])
/** Keywords whose values are schemas by names of the author. */
const NAMED: ReadonlySet<string> = new Set(['properties', 'definitions', '$defs', 'dependentSchemas'])

/** Keywords whose values are data. */
const DATA: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples'])

const checkable = (schema: Json): Json => {
  if (Array.isArray(schema)) return schema.map((item: Json) => checkable(item))
  if (!isNode(schema)) return schema
  // What patterns name would count as additional without them.
  const left = 'patternProperties' in schema ? new Set([...LEFT, 'additionalProperties']) : LEFT
  const entries = Object.entries(schema).flatMap(([key, inner]): readonly (readonly [string, Json])[] => {
    if (left.has(key)) return []
    if (NAMED.has(key) && isNode(inner)) return [[key, Object.fromEntries(Object.entries(inner).map(([name, named]) => [name, checkable(named)]))]]
    return [[key, DATA.has(key) ? inner : checkable(inner)]]
  })
  return Object.fromEntries(entries)
}

const ACCEPTED = { valid: true, errorMessage: undefined }

/** A check that gives up where it cannot be made: a schema may refer to itself for ever. */
const checkOf = (schema: JsonSchema): Check => {
  try {
    const check = new AjvJsonSchemaValidator().getValidator(checkable(schema) as never) as Check
    return (value) => {
      try {
        return check(value)
      } catch {
        return ACCEPTED
      }
    }
  } catch {
    return () => ACCEPTED
  }
}

/** Wraps a schema. Values pass unchanged. @param shown what models read. */
export const fromJsonSchema = (given: JsonSchema, shown: JsonSchema = given): Schema<{ readonly [name: string]: unknown }> => {
  let check: Check | undefined
  return {
    '~standard': {
      version: 1,
      vendor: 'mcp',
      validate: (value: unknown) => {
        const { valid, errorMessage } = (check ??= checkOf(given))(value)
        return valid ? { value } : { issues: [{ message: errorMessage ?? 'does not match the schema of the server' }] }
      },
      jsonSchema: { input: () => shown, output: () => shown },
    },
  } as never
}
