// Compares a template with the variables that its prompt declares, when the prompt is made. The compiler has said the
// same before to authors of TypeScript; this is for JavaScript, for files and for texts that are not literals.
import type { Json } from '../failure/index.ts'
import type { JsonSchema } from '../schema/index.ts'
import type { PromptMessage } from './prompt.ts'
import { showPath, type Node, type Path } from './template.ts'

/** What a schema says about a value, as far as a template needs to know. `open` objects may have further fields. */
type Shape = { readonly kind: 'object'; readonly fields: ReadonlyMap<string, Json>; readonly open: boolean } | { readonly kind: 'list'; readonly items: Json } | { readonly kind: 'plain' | 'unknown' }

/** What the tags of one message can see. */
interface Scope {
  readonly role: PromptMessage['role']
  readonly vars: Json
  /** Schema of the item; undefined outside `each`. */
  readonly item: Json | undefined
}

const isObject = (value: Json | undefined): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value)

// Null among alternatives says that the value may be absent, which every tag allows.
const withoutNull = (schema: JsonSchema): JsonSchema => {
  const { anyOf = schema['oneOf'], type } = schema
  if (Array.isArray(anyOf)) {
    const others = (anyOf as readonly Json[]).filter((one) => !isObject(one) || one['type'] !== 'null')
    return others.length === 1 && isObject(others[0]) ? others[0] : {}
  }
  if (!Array.isArray(type)) return schema
  const others = (type as readonly Json[]).filter((one) => one !== 'null')
  return others.length === 1 && others[0] !== undefined ? { ...schema, type: others[0] } : {}
}

const shapeOf = (found: Json): Shape => {
  if (!isObject(found)) return { kind: 'unknown' }
  const { type, properties, items, additionalProperties: more } = withoutNull(found)
  if (type === 'array') return { kind: 'list', items: items ?? true }
  if (type === 'object' && isObject(properties)) return { kind: 'object', fields: new Map(Object.entries(properties)), open: more === true || isObject(more) }
  return { kind: type === undefined || type === 'object' ? 'unknown' : 'plain' }
}

/** The declared variables, or undefined when the schema does not describe an object with fields. */
export const declaredVars = (vars: JsonSchema): readonly string[] | undefined => {
  const shape = shapeOf(vars)
  return shape.kind === 'object' ? [...shape.fields.keys()] : undefined
}

/** What sort of value a variable is. */
export const kindOfVar = (vars: JsonSchema, name: string): Shape['kind'] => shapeOf(fieldOf(vars, name) ?? true).kind

const fieldOf = (schema: Json, name: string): Json | undefined => {
  const shape = shapeOf(schema)
  if (shape.kind === 'object') return shape.fields.get(name) ?? (shape.open ? true : undefined)
  return shape.kind === 'unknown' ? true : undefined
}

/** The schema of what a path leads to, or what is wrong with the path. */
const lookUp = (path: Path, { vars, item }: Scope): { readonly schema: Json } | { readonly problem: string } => {
  const written = showPath(path)
  if (path.from === 'vars') {
    const schema = fieldOf(vars, path.name)
    return schema === undefined ? { problem: `{{${written}}}: vars declares no "${path.name}", it has ${(declaredVars(vars as JsonSchema) ?? []).join(', ') || 'nothing'}` } : { schema }
  }
  if (item === undefined) return { problem: `{{${written}}} stands outside {{#each}}` }
  const schema = path.field === undefined ? item : fieldOf(item, path.field)
  return schema === undefined ? { problem: `{{${written}}}: the items have no field "${path.field}"` } : { schema }
}

const checkEach = (node: Extract<Node, { readonly kind: 'each' }>, schema: Json, scope: Scope): readonly string[] => {
  const shape = shapeOf(schema)
  const noList = shape.kind === 'plain' || shape.kind === 'object' ? [`{{#each ${showPath(node.path)}}} needs a list`] : []
  return [...noList, ...checkTemplate(node.body, { ...scope, item: shape.kind === 'list' ? shape.items : true })]
}

const checkNode = (node: Node, scope: Scope): readonly string[] => {
  if (node.kind === 'text') return []
  const found = lookUp(node.path, scope)
  const problems = 'problem' in found ? [found.problem] : []
  switch (node.kind) {
    case 'value':
      return problems
    case 'part':
      return scope.role === 'user' ? problems : [...problems, `{{@${showPath(node.path)}}}: only user messages can hold parts`]
    case 'when':
      return [...problems, ...checkTemplate(node.body, scope), ...checkTemplate(node.otherwise, scope)]
    case 'each':
      return [...problems, ...checkEach(node, 'schema' in found ? found.schema : true, scope)]
  }
}

/** Everything in a template that the declared variables do not provide. */
export const checkTemplate = (nodes: readonly Node[], scope: Scope): readonly string[] => nodes.flatMap((node) => checkNode(node, scope))
