// A schema inside of a larger document, such as OpenAPI's or a tool of MCP. Invariant: what the schema refers to is found in the
// document, and its keywords are those of JSON Schema 2020-12, which both read.
import type { Json } from '../failure/index.ts'
import { toJsonSchema, type JsonSchema } from './json-schema.ts'
import { isNode } from './schema-node.ts'
import type { Schema } from './schema.ts'

/** Keywords whose values are schemas by an author's names. */
const NAMED: ReadonlySet<string> = new Set(['properties', 'patternProperties', 'definitions', '$defs', 'dependentSchemas'])
/** Keywords whose values are data, whatever they look like. */
const DATA: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples'])

/** Draft 7 writes a tuple as a list in `items`; 2020-12 as `prefixItems`, with what follows it in `items`. */
const tuple = (schema: { readonly [key: string]: Json }): { readonly [key: string]: Json } => {
  if (!Array.isArray(schema['items'])) return schema
  const { items, additionalItems, ...rest } = schema
  return { ...rest, prefixItems: items, ...(additionalItems === undefined ? {} : { items: additionalItems }) }
}

const rewrite = (value: Json, root: string): Json => {
  if (Array.isArray(value)) return value.map((item: Json) => rewrite(item, root))
  if (!isNode(value)) return value
  const entries = Object.entries(tuple(value)).map(([key, inner]): readonly [string, Json] => {
    if (DATA.has(key)) return [key, inner]
    if (key === '$ref' && typeof inner === 'string' && inner.startsWith('#')) return [key, `${root}${inner.slice(1)}`]
    if (NAMED.has(key) && isNode(inner)) return [key, Object.fromEntries(Object.entries(inner).map(([name, schema]) => [name, rewrite(schema, root)]))]
    return [key, rewrite(inner, root)]
  })
  return Object.fromEntries(entries)
}

/**
 * A schema as a part of a larger document.
 * @param root where in the document it stands: `#/components/schemas/order`; `#` for the whole of it.
 * @returns an empty schema, which accepts everything, for one that cannot be shown as JSON Schema.
 */
export const embedSchema = (schema: Schema | undefined, root: string): JsonSchema => {
  if (schema === undefined) return {}
  try {
    return rewrite(toJsonSchema(schema), root) as JsonSchema
  } catch {
    return { description: 'This schema cannot be shown as JSON Schema.' }
  }
}
