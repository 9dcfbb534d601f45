// The way back from the strict shape: finds out, along the strict schema, which nulls stand for absent properties.
// Invariant: a value that no branch of the schema describes comes back unchanged, so validation sees what was written.
import type { Json } from '../failure/index.ts'
import type { JsonSchema } from './json-schema.ts'
import { isNode, resolve, typeOf, typesOf } from './schema-node.ts'

/** Nodes of properties that were optional; true where null stands for absent, false where null is a value of its own. */
export type Optionals = WeakMap<JsonSchema, boolean>

/** How closely a value must follow a branch of a union. */
interface Closeness {
  /** Properties that the branch does not name rule it out. */
  readonly closed: boolean
  /** Every property is compared, not only those with fixed values. */
  readonly deep: boolean
}

/** Tried in this order: a provider that enforces the schema gives the first, one that ignores it may need the last. */
const CLOSENESS: readonly Closeness[] = [
  { closed: true, deep: true },
  { closed: false, deep: true },
  { closed: false, deep: false },
]

const branchesOf = (node: JsonSchema): readonly JsonSchema[] | undefined => (Array.isArray(node['anyOf']) ? (node['anyOf'] as readonly JsonSchema[]) : undefined)

const isFixed = (node: JsonSchema): boolean => node['const'] !== undefined || node['enum'] !== undefined

const isTyped = (node: JsonSchema, value: Json): boolean => typesOf(node).some((type) => type === typeOf(value) || (type === 'integer' && Number.isInteger(value)))

const hasFixedValue = (node: JsonSchema, value: Json): boolean => {
  const values = node['const'] === undefined ? node['enum'] : [node['const']]
  return !Array.isArray(values) || values.includes(value)
}

/** Answers "does this value follow this node?", each pair once, so that deep unions stay linear. */
const matcher = (root: JsonSchema, optionals: Optionals, { closed, deep }: Closeness): ((node: JsonSchema, value: Json) => boolean) => {
  const known = new Map<JsonSchema, Map<Json, boolean>>()
  const isObject = (node: JsonSchema, value: JsonSchema): boolean => {
    const properties = node['properties'] as { readonly [name: string]: JsonSchema } | undefined
    if (properties === undefined) return true
    if (closed && Object.keys(value).some((name) => !Object.hasOwn(properties, name))) return false
    return Object.entries(properties).every(([name, child]) => {
      const item = Object.hasOwn(value, name) ? value[name] : undefined
      if (item === undefined) return optionals.has(child) || !deep
      return deep || isFixed(child) ? matches(child, item) : true
    })
  }
  const compare = (node: JsonSchema, value: Json): boolean => {
    const branches = branchesOf(node)
    if (branches !== undefined) return branches.some((branch) => matches(branch, value))
    if (!isTyped(node, value) || !hasFixedValue(node, value)) return false
    if (Array.isArray(value)) return !deep || (value as readonly Json[]).every((item) => matches((node['items'] ?? {}) as JsonSchema, item))
    return isNode(value) ? isObject(node, value) : true
  }
  const matches = (node: JsonSchema, value: Json): boolean => {
    const target = resolve(root, node) ?? node
    if (typeof value !== 'object' || value === null) return compare(target, value)
    const answers = known.get(target) ?? new Map<Json, boolean>()
    known.set(target, answers)
    const answer = answers.get(value) ?? compare(target, value)
    answers.set(value, answer)
    return answer
  }
  return matches
}

/** Makes the way back for one strict schema. @param wrapped whether the root stands under `value`. */
export const unwrapper =
  (root: JsonSchema, optionals: Optionals, wrapped: boolean) =>
  (reply: Json): Json => {
    const matchers = CLOSENESS.map((closeness) => matcher(root, optionals, closeness))
    const branchFor = (branches: readonly JsonSchema[], value: Json): JsonSchema | undefined => {
      for (const matches of matchers) {
        const found = branches.find((branch) => matches(branch, value))
        if (found !== undefined) return found
      }
      return undefined
    }
    const object = (properties: { readonly [name: string]: JsonSchema }, value: JsonSchema): Json =>
      Object.fromEntries(
        Object.entries(value).flatMap(([name, item]) => {
          const child = Object.hasOwn(properties, name) ? properties[name] : undefined
          if (child === undefined) return [[name, item] as const]
          return item === null && optionals.get(child) === true ? [] : [[name, walk(child, item)] as const]
        }),
      )
    const walk = (node: JsonSchema, value: Json): Json => {
      if (typeof value !== 'object' || value === null) return value
      const target = resolve(root, node) ?? node
      const branches = branchesOf(target)
      if (branches !== undefined) {
        const branch = branchFor(branches, value)
        return branch === undefined ? value : walk(branch, value)
      }
      if (Array.isArray(value)) return isNode(target['items']) ? (value as readonly Json[]).map((item) => walk(target['items'] as JsonSchema, item)) : value
      return isNode(target['properties']) && isNode(value) ? object(target['properties'] as { readonly [name: string]: JsonSchema }, value) : value
    }
    if (!wrapped) return walk(root, reply)
    const inner = (root['properties'] as { readonly value: JsonSchema }).value
    const isWrapper = isNode(reply) && Object.keys(reply).length === 1 && reply['value'] !== undefined
    return walk(inner, isWrapper ? (reply['value'] as Json) : reply)
  }
