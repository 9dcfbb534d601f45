// The one strict transform: from what a schema accepts to the closed JSON Schema that providers can enforce, and back.
// Invariant: every value the strict schema allows unwraps to a value of the shape the original schema describes.
// @see https://developers.openai.com/api/docs/guides/structured-outputs#supported-schemas
import type { Json } from '../failure/index.ts'
import { refuse, toJsonSchema, type JsonSchema, type SchemaPath } from './json-schema.ts'
import { FORBIDDEN_KEYS } from './parse-json.ts'
import type { Schema } from './schema.ts'
import { mergeAll } from './merge-all.ts'
import { allowsNull, isNode, isObjectNode, resolve, typesOf } from './schema-node.ts'
import { annotated, keywordsOf } from './strict-keywords.ts'
import { unwrapper, type Optionals } from './unwrap.ts'

/** A schema for providers that decode under a grammar, with the way back. */
export interface StrictSchema {
  /** Root is an object; every property is required, every object closed; references point into `$defs` or to `#`. */
  readonly schema: JsonSchema
  /**
   * Turns a reply in the strict shape into what the original schema takes: unwraps `{ value }` around a root that is not
   * an object, and removes each null that stands for an absent property. A reply that ignored the strict shape comes
   * back as it is, for validation to judge. Never throws.
   */
  readonly unwrap: (value: Json) => Json
}

/** One transform under way. */
interface Build {
  /** The document that references point into. */
  readonly document: JsonSchema
  /** Its root, references followed. */
  readonly root: JsonSchema
  readonly at: string
  /** Whether `#` still means the original root. */
  readonly wrapped: boolean
  readonly names: Map<JsonSchema, string>
  readonly defs: Map<string, JsonSchema>
  readonly optionals: Optionals
}

/** Longest path, in segments: twice the nesting that any provider takes. */
const MAX_PATH = 100
const ANYTHING = 'a value of any type cannot be asked of a model. Say which type it has.'

const FREE_KEYS = 'free keys cannot be asked of a model. Use a list of { key, value } objects.'
const TUPLES = 'tuples cannot be asked of a model. Use an object with a name for each item.'
const DEPENDENT = 'dependent properties cannot be asked of a model. Use a union of objects.'

/** Keywords whose meaning a grammar cannot keep, with what to write instead. */
const REFUSED: { readonly [keyword: string]: string } = {
  not: 'a value that must not match (never, undefined, not) cannot be asked of a model. Remove it.',
  if: 'conditions cannot be asked of a model. Use a union of objects.',
  patternProperties: FREE_KEYS,
  prefixItems: TUPLES,
  contains: '`contains` cannot be asked of a model. Check it in a refinement.',
  dependencies: DEPENDENT,
  dependentRequired: DEPENDENT,
  dependentSchemas: DEPENDENT,
}

const isNever = (node: Json): boolean => isNode(node) && isNode(node['not']) && Object.keys(node['not']).length === 0

/** A reference carries no other keyword in the strict subset, so its description goes around it. */
const reference = (build: Build, node: JsonSchema, path: SchemaPath): JsonSchema => {
  const target = resolve(build.document, node) ?? refuse(build.at, path, `the reference ${String(node['$ref'])} leads nowhere in this schema. Put what it names under definitions.`)
  if (target === build.root && !build.wrapped) return annotated(node, { $ref: '#' })
  let name = build.names.get(target)
  if (name === undefined) {
    name = nameOf(build, String(node['$ref']))
    build.names.set(target, name)
    build.defs.set(name, strictNode(build, target, path))
  }
  return annotated(node, { $ref: `#/$defs/${name}` })
}

const nameOf = (build: Build, ref: string): string => {
  const wanted = (ref.split('/').at(-1) ?? '').replaceAll(/[^\w-]/g, '') || 'root'
  const taken = new Set(build.names.values())
  let name = wanted
  for (let serial = 2; taken.has(name); serial++) name = `${wanted}_${serial}`
  return name
}

const union = (build: Build, node: JsonSchema, key: 'anyOf' | 'oneOf', path: SchemaPath): JsonSchema => {
  const branches = (node[key] as readonly Json[])
    .map((branch, index) => ({ branch, path: [...path, key, index] }))
    .filter(({ branch }) => !isNever(branch))
    .map((option) => strictNode(build, option.branch, option.path))
  return annotated(node, branches.length === 1 && branches[0] !== undefined ? branches[0] : { anyOf: branches })
}

/** The same node with null as one more possibility. */
const orNull = ({ description, title, ...node }: JsonSchema): JsonSchema => {
  const options = Array.isArray(node['anyOf']) && Object.keys(node).length === 1 ? (node['anyOf'] as readonly Json[]) : [node]
  return annotated({ ...(description === undefined ? {} : { description }), ...(title === undefined ? {} : { title }) }, { anyOf: [...options, { type: 'null' }] })
}

const property = (build: Build, child: Json, required: boolean, path: SchemaPath): JsonSchema => {
  const strict = strictNode(build, child, path)
  if (required) return strict
  const nullable = isNode(child) && allowsNull(build.document, child)
  const filled = nullable ? { ...strict } : orNull(strict)
  build.optionals.set(filled, !nullable)
  return filled
}

/** Properties of an object; a record over a closed set of keys has them too. */
const propertiesOf = (build: Build, node: JsonSchema, path: SchemaPath): { readonly [name: string]: Json } => {
  const { properties, propertyNames, additionalProperties: rest } = node
  const names = isNode(propertyNames) ? (propertyNames['enum'] ?? (propertyNames['const'] === undefined ? undefined : [propertyNames['const']])) : undefined
  if (Array.isArray(names) && isNode(rest)) return { ...Object.fromEntries(names.map((name) => [String(name), rest])), ...(properties as object) }
  if (propertyNames !== undefined || (rest !== undefined && rest !== false)) return refuse(build.at, path, FREE_KEYS)
  if (!isNode(properties)) return refuse(build.at, path, 'an object without named properties cannot be asked of a model. Name its properties.')
  return properties
}

const object = (build: Build, node: JsonSchema, path: SchemaPath): JsonSchema => {
  const properties = propertiesOf(build, node, path)
  const required = (node['required'] ?? []) as readonly string[]
  for (const name of [...required, ...Object.keys(properties)]) {
    const at = [...path, 'properties', name]
    if (!Object.hasOwn(properties, name)) refuse(build.at, at, 'a required property is not described. Describe it.')
    if (FORBIDDEN_KEYS.has(name)) refuse(build.at, at, 'a property of this name is never read from a model. Use another name.')
  }
  const strict = Object.entries(properties).map(([name, child]) => [name, property(build, child, required.includes(name), [...path, 'properties', name])] as const)
  return { properties: Object.fromEntries(strict), required: strict.map(([name]) => name), additionalProperties: false }
}

const array = (build: Build, node: JsonSchema, path: SchemaPath): JsonSchema => {
  const { items } = node
  if (Array.isArray(items)) return refuse(build.at, path, TUPLES)
  return { items: strictNode(build, items ?? {}, [...path, 'items']) }
}

function strictNode(build: Build, source: Json, path: SchemaPath): JsonSchema {
  if (!isNode(source)) return refuse(build.at, path, ANYTHING)
  if (source['$ref'] !== undefined) return reference(build, source, path)
  if (path.length > MAX_PATH) return refuse(build.at, path.slice(0, 8), 'nested too deep, or an intersection of recursive objects. Write one recursive object.')
  if (source['allOf'] !== undefined) {
    const merged = mergeAll(build.document, source) ?? refuse(build.at, path, 'the parts of this intersection do not make one object. Write one object.')
    return strictNode(build, merged, path)
  }
  for (const key of ['anyOf', 'oneOf'] as const) {
    if (source[key] === undefined) continue
    const { [key]: options, ...rest } = source
    const structural = ['properties', 'items', 'anyOf', 'oneOf'].some((keyword) => rest[keyword] !== undefined)
    return structural ? strictNode(build, { allOf: [rest, { [key]: options as Json }] }, path) : union(build, source, key, path)
  }
  for (const [keyword, reason] of Object.entries(REFUSED)) if (source[keyword] !== undefined) refuse(build.at, path, reason)
  const types = typesOf(source)
  if (types.length === 0) return refuse(build.at, path, ANYTHING)
  if (source['contentEncoding'] === 'binary') return refuse(build.at, path, 'a file cannot be written in JSON. Use a string.')
  return {
    ...keywordsOf(source, types),
    ...(types.includes('object') ? object(build, source, path) : {}),
    ...(types.includes('array') ? array(build, source, path) : {}),
  }
}

const transform = (schema: Schema, at: string): StrictSchema => {
  const document = toJsonSchema(schema, at)
  const root = resolve(document, document) ?? refuse(at, [], 'the schema refers to itself and says nothing else. Describe a value.')
  const wrapped = !isObjectNode(document, root)
  const build: Build = { document, root, at, wrapped, names: new Map(), defs: new Map(), optionals: new WeakMap() }
  const body = strictNode(build, root, [])
  const closed = wrapped ? { type: 'object', properties: { value: body }, required: ['value'], additionalProperties: false } : body
  const strict: JsonSchema = build.defs.size === 0 ? closed : { ...closed, $defs: Object.fromEntries(build.defs) }
  return { schema: strict, unwrap: unwrapper(strict, build.optionals, wrapped) }
}

const cache = new WeakMap<object, StrictSchema>()

/**
 * The strict form of a schema: all properties required, objects closed, optional as null, `oneOf` as `anyOf`, objects
 * under `allOf` merged, a root that is no object wrapped as `{ value }`, defaults left to validation. What the strict
 * subset cannot check (lengths, some formats and patterns) moves into the description. Transformed once per schema.
 * @param at what the schema belongs to, for the message.
 * @throws FailureError `agent_invalid` when a part cannot be asked of a model (free keys, tuples, any, dates); names its path.
 */
export const strictSchema = (schema: Schema, at = 'schema'): StrictSchema => {
  const known = cache.get(schema)
  if (known !== undefined) return known
  const strict = transform(schema, at)
  cache.set(schema, strict)
  return strict
}
