// What a prompt's hash covers, as data: the resolved template and the JSON Schema of its variables. A content store keeps
// this document under the hash, so that every completion can be traced to the exact text it came from.
import type { Json } from '../failure/index.ts'
import { canonical, sha256, toJsonSchema, type JsonSchema, type Schema } from '../schema/index.ts'
import type { PromptMessage } from './prompt.ts'

/** What a prompt is, without its id. */
export interface PromptDocument {
  /** Version of the template language: the same text would render differently under another. */
  readonly language: 1
  /** Messages with partials resolved. */
  readonly messages: readonly PromptMessage[]
  /** JSON Schema of the variables, with lists that are sets in order. */
  readonly vars: JsonSchema
}

const SETS: ReadonlySet<string> = new Set(['required', 'enum', 'type'])
const SCHEMAS_BY_NAME: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'definitions', '$defs', 'dependentSchemas'])
const SCHEMAS: ReadonlySet<string> = new Set(['items', 'additionalItems', 'prefixItems', 'contains', 'additionalProperties', 'propertyNames', 'anyOf', 'oneOf', 'allOf', 'not', 'if', 'then', 'else'])

const isList = (value: Json): value is readonly Json[] => Array.isArray(value)
const isObject = (value: Json): value is JsonSchema => typeof value === 'object' && value !== null && !isList(value)

const mapValues = (object: JsonSchema, map: (value: Json, key: string) => Json): JsonSchema => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, map(value, key)]))

const keyword = (value: Json, key: string): Json => {
  if (SETS.has(key) && isList(value)) return value.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (SCHEMAS_BY_NAME.has(key) && isObject(value)) return mapValues(value, normalize)
  return SCHEMAS.has(key) ? normalize(value) : value
}

// The order in which fields are declared decides nothing, so it must not decide the hash either.
const normalize = (schema: Json): Json => {
  if (isList(schema)) return schema.map(normalize)
  return isObject(schema) ? mapValues(schema, keyword) : schema
}

/** Builds the document from its two halves. @throws FailureError `agent_invalid` when the schema has no JSON Schema. */
export const documentOf = (messages: readonly PromptMessage[], vars: Schema): PromptDocument => ({
  language: 1,
  messages: messages.map(({ role, content }) => ({ role, content })),
  vars: normalize(toJsonSchema(vars, 'prompt vars')) as JsonSchema,
})

/** The document as text, canonical JSON. Its SHA-256 is the prompt's hash, so a content store keeps it under that hash. */
export const promptText = (document: PromptDocument): string => canonical(document)

/** `promptHash`: SHA-256 of the canonical JSON of the document, hexadecimal. */
export const promptHash = (document: PromptDocument): string => sha256(promptText(document))
