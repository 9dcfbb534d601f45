// A JSON Schema that somebody else wrote, as a schema of ours: shown to models as it is, and checked with the SDK's own
// validator. Invariant: a schema that cannot be compiled accepts what the server will check anyway.
import { AjvJsonSchemaValidator } from '@modelcontextprotocol/sdk/validation/ajv'
import type { JsonSchema, Schema } from '../schema/index.ts'

let shared: AjvJsonSchemaValidator | undefined

type Check = (value: unknown) => { readonly valid: boolean; readonly errorMessage: string | undefined }

const checkOf = (schema: JsonSchema): Check => {
  try {
    return (shared ??= new AjvJsonSchemaValidator()).getValidator(schema as never) as Check
  } catch {
    return () => ({ valid: true, errorMessage: undefined })
  }
}

/** Wraps a schema. Values pass unchanged. */
export const fromJsonSchema = (schema: JsonSchema): Schema<{ readonly [name: string]: unknown }> => {
  let check: Check | undefined
  return {
    '~standard': {
      version: 1,
      vendor: 'mcp',
      validate: (value: unknown) => {
        const { valid, errorMessage } = (check ??= checkOf(schema))(value)
        return valid ? { value } : { issues: [{ message: errorMessage ?? 'does not match the schema of the server' }] }
      },
      jsonSchema: { input: () => schema, output: () => schema },
    },
  } as never
}
