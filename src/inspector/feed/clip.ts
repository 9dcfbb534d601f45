// Values of a run, cut to what a page can show. Invariant: the result is JSON of bounded size, whatever went in.
import type { Json } from '../page/wire.ts'

/** Characters of a text. */
const LONGEST_TEXT = 20_000
/** Items of a list, fields of an object. */
const MOST_ITEMS = 500
const DEEPEST = 24
/** Characters of a whole value. */
const LARGEST = 200_000

interface Room {
  left: number
}

const clipText = (text: string, room: Room): string => {
  const kept = text.slice(0, Math.max(0, Math.min(LONGEST_TEXT, room.left)))
  room.left -= kept.length
  return kept.length === text.length ? text : `${kept}… (${text.length - kept.length} more characters)`
}

const clipInto = (value: unknown, depth: number, room: Room): Json => {
  room.left -= 8
  if (typeof value === 'string') return clipText(value, room)
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value)
  if (typeof value === 'boolean' || value === null) return value
  if (typeof value !== 'object') return value === undefined ? null : `(${typeof value})`
  if (depth > DEEPEST || room.left <= 0) return Array.isArray(value) ? `(list of ${value.length})` : '(object)'
  if (Array.isArray(value)) {
    const items = value.slice(0, MOST_ITEMS).map((item) => clipInto(item, depth + 1, room))
    return value.length > MOST_ITEMS ? [...items, `… (${value.length - MOST_ITEMS} more items)`] : items
  }
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined)
  const fields = entries.slice(0, MOST_ITEMS).map(([name, inner]) => [clipText(name, room), clipInto(inner, depth + 1, room)] as const)
  return Object.fromEntries(entries.length > MOST_ITEMS ? [...fields, ['…', `${entries.length - MOST_ITEMS} more fields`]] : fields)
}

/** A value as the page may have it. */
export const clip = (value: unknown): Json => clipInto(value, 0, { left: LARGEST })
