// Fills a template. A value is written as it is and never read again, so it can add neither tags, messages nor roles.
import { fail, type Json } from '../failure/index.ts'
import { findNonJson, formatIssues, validate } from '../schema/index.ts'
import type { Content, Part } from './message.ts'
import { partSchema } from './part.ts'
import { showPath, type Node, type Path } from './template.ts'

/** Validated variables, and the item inside `each`. */
export interface Values {
  readonly vars: unknown
  readonly item?: unknown
}

// Own fields only: a variable called `constructor` is not the one every object inherits.
const fieldOf = (value: unknown, name: string): unknown => (typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? (value as { readonly [key: string]: unknown })[name] : undefined)

const valueAt = (path: Path, { vars, item }: Values): unknown => {
  if (path.from === 'vars') return fieldOf(vars, path.name)
  return path.field === undefined ? item : fieldOf(item, path.field)
}

const isAbsent = (value: unknown): value is undefined | null => value === undefined || value === null

const isShown = (value: unknown): boolean => !isAbsent(value) && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0)

const toText = (value: unknown, path: Path): string => {
  if (isAbsent(value)) return ''
  if (typeof value === 'string') return value
  const at = findNonJson(value, showPath(path))
  if (at !== undefined) fail('invalid_input', `{{${showPath(path)}}} was to be written as text, but ${at} is not JSON data. Pass text, numbers, booleans, lists or plain objects.`)
  return typeof value === 'object' ? JSON.stringify(value) : String(value as Json)
}

const toParts = (value: unknown, path: Path): readonly Part[] => {
  if (isAbsent(value)) return []
  return (Array.isArray(value) ? (value as readonly unknown[]) : [value]).map((one) => {
    const checked = validate(partSchema, one)
    if (checked.ok) return checked.value
    return fail('invalid_input', `{{@${showPath(path)}}} was to become a part of the message, but it is not one: ${formatIssues(checked.issues)}. Pass { type: 'image', data: { url } } or another part.`)
  })
}

const toItems = (value: unknown, path: Path): readonly unknown[] => {
  if (isAbsent(value)) return []
  if (Array.isArray(value)) return value
  return fail('invalid_input', `{{#each ${showPath(path)}}} needs a list, but the value is ${typeof value === 'object' ? 'an object' : JSON.stringify(value)}. Pass a list.`)
}

const piecesOf = (node: Node, values: Values): readonly (string | Part)[] => {
  if (node.kind === 'text') return [node.text]
  const value = valueAt(node.path, values)
  switch (node.kind) {
    case 'value':
      return [toText(value, node.path)]
    case 'part':
      return toParts(value, node.path)
    case 'when':
      return (isShown(value) ? node.body : node.otherwise).flatMap((inner) => piecesOf(inner, values))
    case 'each':
      return toItems(value, node.path).flatMap((item) => node.body.flatMap((inner) => piecesOf(inner, { ...values, item })))
  }
}

const isText = (piece: string | Part): piece is string => typeof piece === 'string'

// Text between two parts becomes one text part; nothing becomes an empty one.
const toContent = (pieces: readonly (string | Part)[]): Content => {
  if (pieces.every(isText)) return pieces.join('')
  const parts: Part[] = []
  let text = ''
  const flush = (): void => {
    if (text !== '') parts.push({ type: 'text', text })
    text = ''
  }
  for (const piece of pieces) {
    if (isText(piece)) text += piece
    else {
      flush()
      parts.push(piece)
    }
  }
  flush()
  return parts
}

/**
 * Renders the content of one message.
 * @throws FailureError `invalid_input` when a value cannot stand where the template puts it.
 */
export const renderTemplate = (nodes: readonly Node[], values: Values): Content => toContent(nodes.flatMap((node) => piecesOf(node, values)))
