// How states, events and values are written in reports, short enough to be read at a glance.
import type { Json } from '../failure/index.ts'
import type { Move, StateValue } from '../journal/index.ts'
import { diffJson, type JsonChange } from '../prompt/index.ts'
import { brief } from './data.ts'

/** A state value as people write it: `asking`, `a.b`, `{left: a, right: b}`. */
export const stateText = (value: StateValue): string => {
  if (typeof value === 'string') return value === '' ? '(start)' : value
  const regions = Object.entries(value)
  const [only] = regions
  if (only !== undefined && regions.length === 1) return `${only[0]}.${stateText(only[1])}`
  return `{${regions.map(([name, inner]) => `${name}: ${stateText(inner)}`).join(', ')}}`
}

const EFFECT_EVENT = /^xstate\.(done|error)\.(?:actor|state)\.(.*)$/

/** A machine event as people say it. */
const eventText = ({ event, failed }: Move): string => {
  if (event === 'xstate.init') return 'start'
  const [, how, what = ''] = EFFECT_EVENT.exec(event) ?? []
  if (how === 'done') return `${what} done`
  if (how === 'error') return `${what} failed${failed === undefined ? '' : ` (${failed})`}`
  return event.replace(/^xstate\.after\./, 'after ')
}

/** An edge: `triaging done → searching`. */
export const edgeText = (move: Move | undefined): string => (move === undefined ? 'no transition' : `${eventText(move)} → ${stateText(move.value)}`)

/** Lists names, or says that there are none. */
export const listText = (names: readonly string[]): string => names.join(', ') || 'nothing'

/** Longest value in a line, characters. */
const LONGEST_VALUE = 72
/** Lines that a report lists before it counts the rest. */
export const MOST_LINES = 8

const changeText = ({ path, kind, before, after }: JsonChange): string => {
  const at = path === '' ? '(all)' : path
  if (kind === 'changed') return `~ ${at}: ${around(before ?? null, after ?? null)}`
  return kind === 'added' ? `+ ${at}: ${brief(after, LONGEST_VALUE)}` : `- ${at}: ${brief(before, LONGEST_VALUE)}`
}

/** Two values; of long texts the part where they begin to differ. */
const around = (before: Json, after: Json): string => {
  const [a, b] = [JSON.stringify(before), JSON.stringify(after)]
  if (a.length <= LONGEST_VALUE && b.length <= LONGEST_VALUE) return `${a} → ${b}`
  let same = 0
  while (same < a.length && a[same] === b[same]) same++
  const from = Math.max(0, same - 20)
  const cut = (text: string): string => `${from > 0 ? '…' : ''}${brief(text.slice(from), LONGEST_VALUE)}`
  return `${cut(a)} → ${cut(b)}`
}

/** Changes as lines, the first few of them. */
export const changeLines = (changes: readonly JsonChange[], most = MOST_LINES): readonly string[] => {
  const lines = changes.slice(0, most).map(changeText)
  return changes.length <= most ? lines : [...lines, `… and ${changes.length - most} more`]
}

/** A text that holds JSON, as JSON, so that a difference can be told by its place. */
const opened = (value: Json): Json => {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value)) return value
  try {
    return JSON.parse(value) as Json
  } catch {
    return value
  }
}

const joined = (root: string, path: string): string => (root === '' || path === '' || path.startsWith('[') ? `${root}${path}` : `${root}.${path}`)

/** How two values differ, one line a place. Text that holds JSON is compared as JSON. @param root where they are. */
export const valueLines = (root: string, before: Json, after: Json): readonly string[] => {
  const [a, b] = [opened(before), opened(after)]
  const changes = diffJson(a, b)
  // Two texts that differ only as text hold the same data.
  const found = changes.length === 0 ? diffJson(before, after) : changes
  return changeLines(found.map((change) => ({ ...change, path: joined(root, change.path) })))
}
