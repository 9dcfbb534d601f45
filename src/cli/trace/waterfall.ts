// A run's spans as lines: a tree on the left, a waterfall on the right. Invariant: time in which a run only waited for the
// world takes no room, so a run that waited for a week still shows where its seconds went.
import type { RunEvent, RunSpan } from '../../run/index.ts'
import { showDuration, showTokens, showUsd } from '../amounts.ts'
import { oneLine } from '../io.ts'

/** A stretch of time, milliseconds UTC. */
interface Stretch {
  readonly from: number
  readonly to: number
}

/** When the run only waited: from `run.waiting` to whatever came next. */
export const waitsOf = (events: readonly RunEvent[]): readonly Stretch[] =>
  events.flatMap((event, index) => {
    if (event.type !== 'run.waiting') return []
    const next = events.slice(index + 1).find(({ seq, type }) => seq > event.seq && type !== 'run.resumed')
    return next === undefined || next.at <= event.at ? [] : [{ from: event.at, to: next.at }]
  })

/** A span as a line. */
export interface SpanLine {
  readonly depth: number
  readonly label: string
  readonly span: RunSpan
  /** Active time before it began, and of its own, milliseconds. */
  readonly offsetMs: number
  readonly activeMs: number
  readonly waitedMs: number
  /** True on the slowest path. */
  readonly slow: boolean
}

const within = ({ startedAt, endedAt }: { readonly startedAt: number; readonly endedAt: number }, waits: readonly Stretch[]): number =>
  waits.reduce((sum, { from, to }) => sum + Math.max(0, Math.min(endedAt, to) - Math.max(startedAt, from)), 0)

const activeMs = (span: RunSpan, waits: readonly Stretch[]): number => span.endedAt - span.startedAt - within(span, waits)

/** What a line calls its span: the state without the word, an attempt with its number. */
const labelOf = ({ name, attributes }: RunSpan): string => {
  if (name === 'attempt') return `attempt ${String(attributes['stateloop.attempt'])}`
  return name.replace(/^state (?:.*\.)?/, '')
}

/** A single good attempt says nothing that its call does not say. */
const shownInside = ({ inside }: RunSpan): readonly RunSpan[] => (inside.length === 1 && inside[0]?.name === 'attempt' ? [] : inside)

/** From the run down: at each level the one inside that took longest, as long as what is inside explains most of the time. */
const slowestPath = (root: RunSpan, waits: readonly Stretch[]): readonly RunSpan[] => {
  const path: RunSpan[] = []
  for (let inside = shownInside(root); inside.length > 0;) {
    const around = path.at(-1)
    // A call that waited between its attempts is itself what was slow.
    if (around !== undefined && inside.reduce((sum, span) => sum + activeMs(span, waits), 0) < activeMs(around, waits) / 2) break
    const longest = inside.reduce((slow, span) => (activeMs(span, waits) > activeMs(slow, waits) ? span : slow))
    if (activeMs(longest, waits) === 0) break
    path.push(longest)
    inside = shownInside(longest)
  }
  return path
}

/** Lines of a run. */
export const linesOf = (root: RunSpan, waits: readonly Stretch[]): readonly SpanLine[] => {
  const slow = new Set(slowestPath(root, waits))
  const walk = (span: RunSpan, depth: number): readonly SpanLine[] => [
    {
      depth,
      label: labelOf(span),
      span,
      offsetMs: activeMs({ ...span, startedAt: root.startedAt, endedAt: span.startedAt }, waits),
      activeMs: activeMs(span, waits),
      waitedMs: within(span, waits),
      slow: slow.has(span),
    },
    ...shownInside(span).flatMap((inner) => walk(inner, depth + 1)),
  ]
  return walk(root, 0)
}

const BAR = '█'

/** The bar of a line. Everything that took time has at least one mark. */
const barOf = ({ offsetMs, activeMs: own }: SpanLine, totalMs: number, width: number): string => {
  if (totalMs === 0) return ''
  const start = Math.min(width - 1, Math.floor((offsetMs / totalMs) * width))
  const length = own === 0 ? 0 : Math.max(1, Math.min(width - start, Math.round((own / totalMs) * width)))
  return `${' '.repeat(start)}${length === 0 ? '·' : BAR.repeat(length)}`
}

const factsOf = ({ span: { attributes, failed }, waitedMs }: SpanLine): string => {
  const cost = attributes['stateloop.cost.usd']
  const tokens = showTokens(Number(attributes['gen_ai.usage.input_tokens'] ?? 0), Number(attributes['gen_ai.usage.output_tokens'] ?? 0))
  const facts = [
    failed ?? '',
    waitedMs === 0 ? '' : `waited ${showDuration(waitedMs)}`,
    tokens,
    typeof cost === 'number' && (cost > 0 || tokens !== '') ? showUsd(attributes['stateloop.cost.unknown'] === true ? null : cost) : '',
    attributes['stateloop.cache.hit'] === true ? 'from the cache' : '',
    attributes['stateloop.abandoned'] === true ? 'abandoned' : '',
  ]
  return facts.filter((fact) => fact !== '').join(' · ')
}

const MARK = { slow: '▶', other: ' ' } as const
const BAR_WIDTH = 28

/** The text of the lines. */
export const drawLines = (lines: readonly SpanLine[]): string => {
  const total = lines[0]?.activeMs ?? 0
  const left = lines.map(({ depth, label }) => `${'  '.repeat(depth)}${oneLine(label)}`)
  const width = Math.max(...left.map((text) => text.length))
  const times = lines.map((line) => showDuration(line.activeMs))
  const timeWidth = Math.max(...times.map((text) => text.length))
  return lines
    .map((line, index) =>
      `${line.slow ? MARK.slow : MARK.other} ${(left[index] ?? '').padEnd(width)}  ${(times[index] ?? '').padStart(timeWidth)}  ${barOf(line, total, BAR_WIDTH).padEnd(BAR_WIDTH)}  ${factsOf(line)}`.trimEnd(),
    )
    .join('\n')
}

/** The slowest path in words. Undefined when nothing took time. */
export const describeSlowest = (lines: readonly SpanLine[]): string | undefined => {
  const slow = lines.filter((line) => line.slow)
  const total = lines[0]?.activeMs ?? 0
  const last = slow.at(-1)
  if (last === undefined || total === 0) return undefined
  return `slowest: ${slow.map(({ label }) => oneLine(label)).join(' › ')}, ${showDuration(last.activeMs)} of ${showDuration(total)} (${Math.round((last.activeMs / total) * 100)} %)`
}
