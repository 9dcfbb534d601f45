// Which keywords of a single value the strict subset knows. What it does not know is written into the description,
// so that the model still reads it and validation still checks it; a provider would reject the whole request instead.
// @see https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas
import type { Json } from '../failure/index.ts'
import type { JsonSchema } from './json-schema.ts'

/** Keywords that are kept as they are. */
const KEPT = ['enum', 'const', 'multipleOf', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'minItems', 'maxItems'] as const
/** Keywords that only a reader can follow. */
const TOLD = ['minLength', 'maxLength', 'uniqueItems', 'minProperties', 'maxProperties'] as const
const FORMATS: ReadonlySet<Json> = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'ipv4', 'ipv6', 'uuid'])
/** Names that zod gives to checks of its own; their pattern says the same. */
const CHECKS: ReadonlySet<Json> = new Set(['includes', 'starts_with', 'ends_with', 'lowercase', 'uppercase', 'regex'])
/** Lookahead, lookbehind and back references: grammars are built with automata, which have none. */
const BEYOND_AUTOMATA = /\(\?<?[=!]|\\[1-9]|\\k</

/** Adds a rule that the schema cannot carry to its description. */
export const described = (node: JsonSchema, keyword: string, value: Json): JsonSchema => {
  const text = typeof node['description'] === 'string' ? `${node['description']} ` : ''
  return { ...node, description: `${text}(${keyword}: ${typeof value === 'string' ? value : JSON.stringify(value)})` }
}

/** The body with title and description of a node around it; the node's own words win over those of the body. */
export const annotated = (node: JsonSchema, body: JsonSchema): JsonSchema => {
  const notes = Object.fromEntries(['title', 'description'].flatMap((key) => (node[key] === undefined ? [] : [[key, node[key]] as const])))
  if (Object.keys(notes).length === 0) return body
  return body['$ref'] === undefined ? { ...body, ...notes } : { ...notes, anyOf: [body] }
}

/** Every zod integer carries the bounds of a safe integer; they tell a model nothing. */
const isSafeBound = (keyword: string, value: Json): boolean => (keyword === 'maximum' && value === Number.MAX_SAFE_INTEGER) || (keyword === 'minimum' && value === Number.MIN_SAFE_INTEGER)

/** Type, values and bounds of a node in the strict subset, with its title and description. */
export const keywordsOf = (node: JsonSchema, types: readonly string[]): JsonSchema => {
  const kept = KEPT.flatMap((keyword) => {
    const value = node[keyword]
    return value === undefined || isSafeBound(keyword, value) ? [] : [[keyword, value] as const]
  })
  const { format, pattern } = node
  let strict: JsonSchema = annotated(node, { type: types.length === 1 ? (types[0] ?? null) : types, ...Object.fromEntries(kept) })
  const isKnownFormat = format !== undefined && FORMATS.has(format)
  if (isKnownFormat) strict = { ...strict, format }
  else if (format !== undefined && !CHECKS.has(format)) strict = described(strict, 'format', format)
  // A known format already says what the library's own long pattern says.
  if (pattern !== undefined && !isKnownFormat) strict = BEYOND_AUTOMATA.test(String(pattern)) ? described(strict, 'pattern', pattern) : { ...strict, pattern }
  for (const keyword of TOLD) {
    const value = node[keyword]
    if (value !== undefined && value !== false) strict = described(strict, keyword, value)
  }
  return strict
}
