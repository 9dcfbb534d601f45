// How JSON data changed, place by place: schemas, parameters, tools.
import { canonical } from '../schema/index.ts'
import type { Json } from '../failure/index.ts'

/** One place where two documents differ. */
export interface JsonChange {
  /** Where, as `properties.tone.enum`; empty for the whole document. */
  readonly path: string
  readonly kind: 'added' | 'removed' | 'changed'
  /** Absent when added. */
  readonly before?: Json
  /** Absent when removed. */
  readonly after?: Json
}

type Fields = { readonly [key: string]: Json }

const isList = (value: Json | undefined): value is readonly Json[] => Array.isArray(value)
const isFields = (value: Json | undefined): value is Fields => typeof value === 'object' && value !== null && !isList(value)
const isScalar = (value: Json): boolean => typeof value !== 'object' || value === null

const own = (fields: Fields, key: string): Json | undefined => (Object.hasOwn(fields, key) ? fields[key] : undefined)

// A list of names or numbers is compared as a set: `required` and `enum` have no order that matters.
const diffSet = (before: readonly Json[], after: readonly Json[], path: string): readonly JsonChange[] => {
  const removed = before.filter((value) => !after.includes(value)).map((value): JsonChange => ({ path, kind: 'removed', before: value }))
  const added = after.filter((value) => !before.includes(value)).map((value): JsonChange => ({ path, kind: 'added', after: value }))
  const changes = [...removed, ...added]
  return changes.length > 0 ? changes : [{ path, kind: 'changed', before, after }]
}

const diffValues = (before: Json | undefined, after: Json | undefined, path: string): readonly JsonChange[] => {
  if (before === undefined) return after === undefined ? [] : [{ path, kind: 'added', after }]
  if (after === undefined) return [{ path, kind: 'removed', before }]
  if (canonical(before) === canonical(after)) return []
  if (isFields(before) && isFields(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
    return keys.flatMap((key) => diffValues(own(before, key), own(after, key), path === '' ? key : `${path}.${key}`))
  }
  if (!isList(before) || !isList(after)) return [{ path, kind: 'changed', before, after }]
  if (before.every(isScalar) && after.every(isScalar)) return diffSet(before, after, path)
  return Array.from({ length: Math.max(before.length, after.length) }, (_, index) => diffValues(before[index], after[index], `${path}[${index}]`)).flat()
}

/** Lists every difference between two JSON documents, ordered by path. */
export const diffJson = (before: Json, after: Json): readonly JsonChange[] => diffValues(before, after, '')

/** Changes as lines: `+ required: "tone"`, `~ properties.n.maximum: 3 → 5`. */
export const formatJsonChanges = (changes: readonly JsonChange[]): string =>
  changes
    .map(({ path, kind, before = null, after = null }) => {
      const at = path === '' ? '(all)' : path
      if (kind === 'changed') return `~ ${at}: ${JSON.stringify(before)} → ${JSON.stringify(after)}`
      return kind === 'added' ? `+ ${at}: ${JSON.stringify(after)}` : `- ${at}: ${JSON.stringify(before)}`
    })
    .join('\n')
