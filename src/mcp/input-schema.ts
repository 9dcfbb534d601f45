// The schema of a tool's arguments as its server wrote it, and as models can be shown it. Invariant: what is shown describes
// an object without alternatives at its root, which every provider takes, and accepts all that the server's schema does.
import type { Json } from '../failure/index.ts'
import { isNode, type JsonSchema } from '../schema/index.ts'

type JsonObject = { readonly [key: string]: Json }

/** Longest schema that is taken, characters. */
const LONGEST = 100_000
/** Deepest schema that is taken, levels of objects and lists. */
const DEEPEST = 100
/** References at the root that are followed. */
const MOST_STEPS = 10

/** Tells whether a value is nested deeper than allowed, without going any deeper itself. */
const isDeeper = (value: Json, levels: number): boolean => typeof value === 'object' && value !== null && (levels === 0 || Object.values(value).some((inner: Json) => isDeeper(inner, levels - 1)))

/** What a reference within a document points to. */
const pointed = (root: JsonObject, ref: string): Json | undefined =>
  ref
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<Json | undefined>((at, key) => (isNode(at) && Object.hasOwn(at, key) ? at[key] : undefined), root)

/** A schema that is only a reference, replaced by what it refers to. */
const followed = (root: JsonObject, schema: JsonObject): JsonObject => {
  let at = schema
  for (let steps = 0; steps < MOST_STEPS && typeof at['$ref'] === 'string' && at['$ref'].startsWith('#/'); steps++) {
    const { $ref, ...beside } = at
    const target = pointed(root, $ref as string)
    at = isNode(target) ? { ...target, ...beside } : beside
  }
  return at
}

const requiredOf = (schema: JsonObject): readonly Json[] => (Array.isArray(schema['required']) ? schema['required'] : [])
const propertiesOf = (schema: JsonObject): JsonObject => (isNode(schema['properties']) ? schema['properties'] : {})

/** Schemas side by side as one. A field of several of them may be what any of them says. */
const merged = (parts: readonly JsonObject[], required: readonly Json[]): JsonObject => {
  const found = new Map<string, Map<string, Json>>()
  for (const part of parts) {
    for (const [name, schema] of Object.entries(propertiesOf(part))) {
      const known = found.get(name) ?? new Map<string, Json>()
      found.set(name, known.set(JSON.stringify(schema), schema))
    }
  }
  const properties = Object.fromEntries([...found].map(([name, schemas]) => [name, schemas.size === 1 ? ([...schemas.values()][0] ?? {}) : { anyOf: [...schemas.values()] }]))
  return { properties, ...(required.length === 0 ? {} : { required: [...new Set(required)] }) }
}

/** A schema without alternatives at its root: the fields of all, and as required those that each of them requires. */
const withoutAlternatives = (root: JsonObject, schema: JsonObject): JsonObject => {
  const { oneOf, anyOf, allOf, not: _not, if: _if, then: _then, else: _else, enum: _enum, $ref: _ref, ...plain } = schema
  const choices = [oneOf, anyOf].flatMap((list) => (Array.isArray(list) ? [list.filter(isNode).map((item) => followed(root, item))] : []))
  const together = Array.isArray(allOf) ? allOf.filter(isNode).map((item) => followed(root, item)) : []
  const parts = [...choices.flat(), ...together]
  if (parts.length === 0) return plain
  const common = choices.flatMap(([first, ...others]) => (first === undefined ? [] : requiredOf(first).filter((name) => others.every((other) => requiredOf(other).includes(name)))))
  const { additionalProperties: _closed, ...open } = plain
  return { ...open, ...merged([plain, ...parts], [...requiredOf(plain), ...together.flatMap(requiredOf), ...common]) }
}

/** A schema that can be used, or why it cannot. */
export type ReadSchema = { readonly given: JsonSchema; readonly shown: JsonSchema } | { readonly problem: string }

/** Reads what a server sent as the schema of a tool's arguments. */
export const readInputSchema = (sent: Json | undefined): ReadSchema => {
  if (sent !== undefined && !isNode(sent)) return { problem: 'its input schema is no object' }
  const { $schema: _dialect, ...given } = sent ?? {}
  if (isDeeper(given, DEEPEST)) return { problem: `its input schema is nested deeper than ${DEEPEST} levels` }
  if (JSON.stringify(given).length > LONGEST) return { problem: `its input schema is longer than ${LONGEST} characters` }
  const root = followed(given, given)
  const { type = 'object' } = root
  if (type !== 'object' && !(Array.isArray(type) && type.includes('object'))) return { problem: `its input schema describes ${JSON.stringify(type)} and no object` }
  const { definitions, $defs } = given
  const shown = withoutAlternatives(given, root)
  return {
    given,
    shown: { ...shown, ...(definitions === undefined ? {} : { definitions }), ...($defs === undefined ? {} : { $defs }), type: 'object', properties: propertiesOf(shown) },
  }
}
