// JSON values on the page: as a tree that folds, and as the list of what differs between two of them.
import { el } from './dom.ts'
import type { Json } from './wire.ts'

/** A place where two values differ. */
export interface Difference {
  /** `answer.sources.0`. */
  readonly path: string
  /** undefined where it was not there. */
  readonly before: Json | undefined
  readonly after: Json | undefined
}

type JsonObject = { readonly [key: string]: Json }

const isObject = (value: Json | undefined): value is JsonObject => typeof value === 'object' && value !== null && !Array.isArray(value)

const childrenOf = (value: Json | undefined): JsonObject | undefined => {
  if (Array.isArray(value)) return { ...(value as readonly Json[]) } as unknown as JsonObject
  return isObject(value) ? value : undefined
}

/** Differences shown. */
const MOST = 200

/** Where two values differ, deepest places first named by their path. */
export const differencesOf = (before: Json | undefined, after: Json | undefined, path = ''): readonly Difference[] => {
  if (before === after) return []
  const [old, now] = [childrenOf(before), childrenOf(after)]
  if (old === undefined || now === undefined || Array.isArray(before) !== Array.isArray(after)) return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }]
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])]
  return names.flatMap((name) => differencesOf(Object.hasOwn(old, name) ? old[name] : undefined, Object.hasOwn(now, name) ? now[name] : undefined, path === '' ? name : `${path}.${name}`)).slice(0, MOST)
}

/** A value on one line. */
const oneLine = (value: Json | undefined, length = 160): string => {
  const text = value === undefined ? '—' : typeof value === 'string' ? value : JSON.stringify(value)
  const line = text.replaceAll(/\s+/g, ' ')
  return line.length > length ? `${line.slice(0, length)}…` : line
}

const kindOf = (value: Json): string => (value === null ? 'null' : typeof value)

/** Children made before somebody asks for more. */
const SHOWN = 100

const branches = (children: JsonObject, depth: number): HTMLElement => {
  const names = Object.keys(children)
  const list = el('div', { class: 'tree' }, ...names.slice(0, SHOWN).map((name) => jsonTree(children[name] ?? null, name, depth)))
  if (names.length > SHOWN) list.append(el('div', { class: 'more' }, `… ${names.length - SHOWN} more`))
  return list
}

/** A value as a tree. Branches are made when they are opened. */
export const jsonTree = (value: Json, name = '', depth = 0): HTMLElement => {
  const children = childrenOf(value)
  const key = name === '' ? undefined : el('span', { class: 'key' }, name)
  if (children === undefined) return el('div', { class: 'leaf-value' }, key, el('span', { class: `value ${kindOf(value)}` }, value === '' ? '""' : String(value)))
  const count = Object.keys(children).length
  const open = depth < 2 && count > 0 && count <= 40
  const branch = el('details', {}, el('summary', {}, key, el('span', { class: 'count' }, Array.isArray(value) ? `[${count}]` : `{${count}}`), el('span', { class: 'glance' }, oneLine(value, 80))))
  const grow = (): void => {
    if (branch.children.length === 1) branch.append(branches(children, depth + 1))
  }
  branch.addEventListener('toggle', () => branch.open && grow())
  if (open) {
    grow()
    branch.open = true
  }
  return branch
}

/** Differences as lines: what was, what is. */
export const differenceLines = (differences: readonly Difference[]): HTMLElement =>
  el(
    'div',
    { class: 'diff' },
    ...differences.map(({ path, before, after }) =>
      el(
        'div',
        { class: 'change' },
        el('div', { class: 'path' }, path),
        before === undefined ? undefined : el('div', { class: 'was' }, oneLine(before, 2_000)),
        after === undefined ? undefined : el('div', { class: 'is' }, oneLine(after, 2_000)),
      ),
    ),
  )
