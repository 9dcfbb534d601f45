// A report as text, to be understood at a glance: where the replay first differs, what was expected, what came, and what
// changed. Invariant: no line is wider than it needs to be, and long lists say how much they leave out.
import type { Difference, ReplayReport } from './difference.ts'
import { MOST_LINES, stateText } from './place.ts'

/** How parts of a report are coloured; the identity for plain text. */
export type Paint = (format: 'red' | 'green' | 'yellow' | 'cyan' | 'dim', text: string) => string
const plainly: Paint = (_format, text) => text

const MARKS = { same: '✓', stale: '!', diverged: '✗' } as const
const COLOURS = { same: 'green', stale: 'yellow', diverged: 'red' } as const

const where = ({ step, actor, from }: Difference): string => `step ${step}  ${actor === '' ? '' : `${actor} `}${stateText(from)}`

const indented = (lines: readonly string[]): readonly string[] => {
  const shown = lines.slice(0, MOST_LINES)
  return [...shown, ...(lines.length > shown.length ? [`… and ${lines.length - shown.length} lines more`] : [])].map((line) => `    ${line}`)
}

const blameLine = ({ blame: { what, name, before, after } }: Difference): string => `${what} ${name}${before === undefined || after === undefined ? '' : ` ${before} → ${after}`}`

/** One difference as lines. */
const formatDifference = (difference: Difference, paint: Paint): readonly string[] => {
  const { stale, expected, actual, places, blame } = difference
  return [
    `  ${paint(stale ? 'yellow' : 'red', stale ? 'stale' : difference.kind)}  ${where(difference)}`,
    `  expected  ${expected}`,
    `  actual    ${actual}`,
    ...(places.length === 0 ? [] : indented(places)),
    `  ${paint('cyan', 'because')}   ${blameLine(difference)}`,
    ...indented(blame.changes),
  ]
}

/** The first difference on one line, for messages. */
export const firstDifference = ({ differences }: ReplayReport): string => {
  const first = differences.find(({ stale }) => !stale) ?? differences[0]
  return first === undefined ? 'no difference' : `at ${where(first)} expected ${first.expected}, but ${first.actual} (${blameLine(first)})`
}

/**
 * A report as text: one line when the run is the same, else the first stale answer and the first divergence.
 * @param all every difference instead.
 */
export const formatReport = (report: ReplayReport, { paint = plainly, all = false }: { readonly paint?: Paint; readonly all?: boolean } = {}): string => {
  const { name, status, steps, differences } = report
  const head = `${paint(COLOURS[status], `${MARKS[status]} ${name}`)}  ${status === 'same' ? `same, ${steps} steps` : `${status} after ${steps} steps`}`
  const firsts = [differences.find(({ stale }) => stale), differences.find(({ stale }) => !stale)].flatMap((one) => one ?? [])
  const shown = all ? differences : firsts
  const left = differences.length - shown.length
  const more = left > 0 ? [`  and ${left} more`] : []
  return [head, ...shown.flatMap((difference) => formatDifference(difference, paint)), ...more].join('\n')
}
