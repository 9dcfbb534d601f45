// Questions about one node of a JSON Schema document. Nothing here changes a schema; each answer follows local
// references, and none loops on a reference that leads back to itself.
import type { Json } from '../failure/index.ts'
import type { JsonSchema } from './json-schema.ts'

/** Hops through references and `allOf` before a chain counts as circular. */
const MAX_HOPS = 32

/** Tells whether a JSON value is a schema object (not `true`, not `false`). */
export const isNode = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Some converters write references without escaping what a URI must escape. */
const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** The value a local JSON pointer names, such as `#/definitions/Tree`. @see https://www.rfc-editor.org/rfc/rfc6901 */
const lookUp = (root: JsonSchema, ref: string): Json | undefined => {
  if (!/^#(\/|$)/.test(ref)) return undefined
  const segments = ref
    .split('/')
    .slice(1)
    .map((segment) => decode(segment).replaceAll('~1', '/').replaceAll('~0', '~'))
  return segments.reduce<Json | undefined>((value, segment) => (typeof value === 'object' && value !== null && Object.hasOwn(value, segment) ? (value as { readonly [key: string]: Json })[segment] : undefined), root)
}

/** The node behind a chain of references; undefined when it leads nowhere, out of the document or in a circle. */
export const resolve = (root: JsonSchema, node: JsonSchema): JsonSchema | undefined => {
  let found: Json | undefined = node
  for (let hops = 0; hops < MAX_HOPS; hops++) {
    if (!isNode(found)) return undefined
    if (found['$ref'] === undefined) return found
    found = lookUp(root, String(found['$ref']))
  }
  return undefined
}

/** Types a node names, or that its other keywords imply; empty when it allows anything. */
export const typesOf = (node: JsonSchema): readonly string[] => {
  const { type, enum: values, const: value } = node
  if (type !== undefined) return Array.isArray(type) ? (type as readonly string[]) : [String(type)]
  if (Array.isArray(values)) return [...new Set((values as readonly Json[]).map(typeOf))]
  if (value !== undefined) return [typeOf(value)]
  if (node['properties'] !== undefined) return ['object']
  return node['items'] === undefined ? [] : ['array']
}

/** The JSON Schema type of a value; whole numbers are `number`. */
export const typeOf = (value: Json): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

const members = (node: JsonSchema, keyword: string): readonly JsonSchema[] | undefined => {
  const list = node[keyword]
  return Array.isArray(list) ? list.filter(isNode) : undefined
}

/** Tells whether null is among the values a node allows. */
export const allowsNull = (root: JsonSchema, node: JsonSchema, hops = 0): boolean => {
  const found = resolve(root, node)
  if (found === undefined || hops > MAX_HOPS) return false
  const all = members(found, 'allOf')
  if (all !== undefined) return all.every((member) => allowsNull(root, member, hops + 1))
  const any = members(found, 'anyOf') ?? members(found, 'oneOf')
  if (any !== undefined) return any.some((member) => allowsNull(root, member, hops + 1))
  const values = found['enum']
  return typesOf(found).includes('null') && (!Array.isArray(values) || values.includes(null))
}

/** Tells whether a node allows objects and nothing else, without alternatives. */
export const isObjectNode = (root: JsonSchema, node: JsonSchema, hops = 0): boolean => {
  const found = resolve(root, node)
  if (found === undefined || hops > MAX_HOPS || found['anyOf'] !== undefined || found['oneOf'] !== undefined) return false
  const all = members(found, 'allOf')
  if (all !== undefined) return all.every((member) => isObjectNode(root, member, hops + 1))
  const types = typesOf(found)
  return types.length === 1 && types[0] === 'object'
}
