// Merges the parts of an `allOf` into one node, since the strict subset has no `allOf`. Invariant: the merged node
// allows every value that all parts allow; where one keyword cannot say both, validation afterwards does.
import type { Json } from '../failure/index.ts'
import type { JsonSchema } from './json-schema.ts'
import { isNode, resolve, typesOf } from './schema-node.ts'
import { described } from './strict-keywords.ts'

/** Levels of `allOf` and references before a merge counts as circular. */
const MAX_DEPTH = 32

/** Keywords that say nothing about which values are allowed. */
const ANNOTATIONS: ReadonlySet<string> = new Set(['$defs', '$id', 'default', 'definitions', 'deprecated', 'description', 'examples', 'id', 'readOnly', 'title', 'writeOnly'])

/** Of two bounds the tighter one holds. */
const TIGHTER: { readonly [keyword: string]: (a: number, b: number) => number } = {
  minimum: Math.max,
  exclusiveMinimum: Math.max,
  minLength: Math.max,
  minItems: Math.max,
  maximum: Math.min,
  exclusiveMaximum: Math.min,
  maxLength: Math.min,
  maxItems: Math.min,
}

const same = (a: Json | undefined, b: Json | undefined): boolean => JSON.stringify(a) === JSON.stringify(b)

/** Parts of an `allOf`, references and nested `allOf` opened; undefined when one leads nowhere or in a circle. */
const flatten = (root: JsonSchema, node: JsonSchema, depth: number): readonly JsonSchema[] | undefined => {
  const found = depth > MAX_DEPTH ? undefined : resolve(root, node)
  if (found === undefined) return undefined
  const { allOf, ...rest } = found
  if (!Array.isArray(allOf)) return [found]
  const own = Object.keys(rest).some((keyword) => !ANNOTATIONS.has(keyword)) ? [rest] : []
  const parts = (allOf as readonly Json[]).map((part) => (isNode(part) ? flatten(root, part, depth + 1) : undefined))
  return parts.every((part) => part !== undefined) ? [...own, ...parts.flat()] : undefined
}

const mergeProperties = (a: JsonSchema, b: JsonSchema): JsonSchema => {
  const shared = Object.keys(b).filter((name) => Object.hasOwn(a, name) && !same(a[name], b[name]))
  return { ...a, ...b, ...Object.fromEntries(shared.map((name) => [name, { allOf: [a[name] ?? true, b[name] ?? true] }])) }
}

/** One keyword that both parts have; undefined when no value can satisfy both or it cannot be told. */
const mergeKeyword = (keyword: string, a: Json, b: Json): Json | undefined => {
  if (same(a, b)) return a
  if (keyword === 'properties' && isNode(a) && isNode(b)) return mergeProperties(a, b)
  if (keyword === 'required' && Array.isArray(a) && Array.isArray(b)) return [...new Set([...(a as readonly Json[]), ...(b as readonly Json[])])]
  if (keyword === 'items') return { allOf: [a, b] }
  if (keyword === 'additionalProperties') return a === false ? b : a
  if (keyword === 'enum' && Array.isArray(a) && Array.isArray(b)) return a.filter((value) => b.some((other) => same(value as Json, other as Json)))
  const tighter = TIGHTER[keyword]
  return tighter === undefined ? undefined : tighter(Number(a), Number(b))
}

const mergeTwo = (a: JsonSchema, b: JsonSchema): JsonSchema | undefined => {
  const types = [typesOf(a), typesOf(b)].filter((list) => list.length > 0)
  if (types.length === 2 && !same(types[0] ?? [], types[1] ?? [])) return undefined
  let merged: JsonSchema = { ...a }
  for (const [keyword, value] of Object.entries(b)) {
    const mine = merged[keyword]
    if (mine === undefined) merged = { ...merged, [keyword]: value }
    else if (ANNOTATIONS.has(keyword) || same(mine, value)) continue
    else if (keyword === 'pattern' || keyword === 'format' || keyword === 'multipleOf') merged = described(merged, keyword, value)
    else {
      const both = mergeKeyword(keyword, mine, value)
      if (both === undefined) return undefined
      merged = { ...merged, [keyword]: both }
    }
  }
  return merged
}

/** Puts the shared parts into each alternative of the first union among them. */
const distribute = (parts: readonly JsonSchema[]): JsonSchema | undefined => {
  const union = parts.find((part) => part['anyOf'] !== undefined || part['oneOf'] !== undefined)
  if (union === undefined) return undefined
  const { anyOf, oneOf, ...rest } = union
  const others = [...parts.filter((part) => part !== union), ...(anyOf !== undefined && oneOf !== undefined ? [{ oneOf }] : []), rest]
  const shared = others.filter((part) => Object.keys(part).some((keyword) => !ANNOTATIONS.has(keyword)))
  return { anyOf: ((anyOf ?? oneOf) as readonly Json[]).map((branch) => (shared.length === 0 ? branch : { allOf: [...shared, branch] })) }
}

/**
 * One node in place of `allOf`: a part that stands alone as it is (reference kept), objects and scalars merged, an
 * intersection with a union spread over its alternatives.
 * @returns undefined when the parts contradict each other or refer to themselves.
 */
export const mergeAll = (root: JsonSchema, node: JsonSchema): JsonSchema | undefined => {
  const { allOf, ...own } = node
  const notes = Object.fromEntries(Object.entries(own).filter(([keyword]) => keyword === 'description' || keyword === 'title'))
  const [only, ...more] = allOf as readonly Json[]
  if (isNode(only) && more.length === 0 && Object.keys(own).every((keyword) => ANNOTATIONS.has(keyword))) return { ...only, ...notes }
  const parts = flatten(root, node, 0)
  const merged = parts === undefined ? undefined : (distribute(parts) ?? parts.reduce<JsonSchema | undefined>((a, b) => (a === undefined ? undefined : mergeTwo(a, b)), {}))
  return merged === undefined ? undefined : { ...merged, ...notes }
}
