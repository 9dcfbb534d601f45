// A cost report as people and spreadsheets read it. Invariant: cost that is unknown is said to be unknown beside the sum
// that it is missing from.
import type { CostGroup, CostReport, CostSums } from '../cost/index.ts'
import { count, showDuration, showTime, showUsd } from './amounts.ts'
import { oneLine } from './io.ts'

const NUMBER_FIELDS = [
  'calls',
  'failedCalls',
  'estimatedCalls',
  'unpricedCalls',
  'inputTokens',
  'outputTokens',
  'cachedTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'cacheHits',
  'savedUsd',
  'costUsd',
  'share',
  'runs',
  'costPerRunUsd',
  'p50Usd',
  'p95Usd',
  'p50LatencyMs',
  'p95LatencyMs',
  'previousUsd',
  'change',
] as const satisfies readonly (keyof CostGroup)[]

/** A field of a CSV line. What a spreadsheet would take for a formula is made text. @see https://owasp.org/www-community/attacks/CSV_Injection */
const field = (value: string | number | null | undefined): string => {
  if (typeof value === 'number') return String(value)
  const text = value ?? ''
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

/** Figures made of prices, which are unknown, and not nothing, where no call has one. */
const PRICED: readonly (keyof CostGroup)[] = ['costUsd', 'share']

const figureOf = (group: CostGroup, name: (typeof NUMBER_FIELDS)[number]): string => (group.costUsd === null && (PRICED.includes(name) || (name === 'costPerRunUsd' && group.runs > 0)) ? 'unknown' : field(group[name]))

/** The groups as CSV, with a line of names first. @see https://www.rfc-editor.org/rfc/rfc4180 */
export const costCsv = ({ by, groups }: CostReport): string => {
  const lines = groups.map((group) => [...by.map((dimension) => field(group.key[dimension])), ...NUMBER_FIELDS.map((name) => figureOf(group, name))])
  return [[...by, ...NUMBER_FIELDS], ...lines].map((line) => `${line.join(',')}\r\n`).join('')
}

const percent = (share: number): string => `${(share * 100).toFixed(share !== 0 && Math.abs(share) < 0.1 ? 1 : 0)}%`

const changeOf = ({ change, previousUsd, costUsd }: Pick<CostGroup, 'change' | 'previousUsd' | 'costUsd'>): string => {
  if (change === null) return costUsd !== null && costUsd > 0 && previousUsd === 0 ? 'new' : ''
  return `${change > 0 ? '+' : ''}${percent(change)}`
}

const usd = (value: number | null): string => (value === null ? '' : showUsd(value))

const costOf = ({ costUsd, unpricedCalls }: CostSums): string => {
  if (costUsd === null) return 'price unknown'
  return unpricedCalls === 0 ? showUsd(costUsd) : `${showUsd(costUsd)} + ${unpricedCalls} unknown`
}

const tokens = (value: number): string => (value < 10_000 ? String(value) : value < 10_000_000 ? `${(value / 1_000).toFixed(0)}k` : `${(value / 1_000_000).toFixed(1)}M`)

/** Columns behind what the groups have in common, and how each is written. */
const COLUMNS: readonly { readonly head: string; readonly cell: (group: CostGroup) => string }[] = [
  { head: 'cost', cell: costOf },
  { head: 'share', cell: ({ share }) => (share === null ? '' : percent(share)) },
  { head: 'change', cell: changeOf },
  { head: 'calls', cell: ({ calls }) => String(calls) },
  { head: 'failed', cell: ({ failedCalls }) => (failedCalls === 0 ? '' : String(failedCalls)) },
  { head: 'in', cell: ({ inputTokens }) => tokens(inputTokens) },
  { head: 'out', cell: ({ outputTokens }) => tokens(outputTokens) },
  { head: 'runs', cell: ({ runs }) => String(runs) },
  { head: 'per run', cell: ({ costPerRunUsd }) => usd(costPerRunUsd) },
  { head: 'p50', cell: ({ p50Usd }) => usd(p50Usd) },
  { head: 'p95', cell: ({ p95Usd }) => usd(p95Usd) },
]

/** Groups as a table: names to the left, numbers to the right. */
const groupTable = ({ by, groups }: CostReport): string => {
  const rows = [[...by, ...COLUMNS.map(({ head }) => head)], ...groups.map((group) => [...by.map((dimension) => oneLine(group.key[dimension] ?? '–')), ...COLUMNS.map(({ cell }) => cell(group))])]
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column < by.length ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

const totalLine = ({ total }: CostReport): string => {
  const { calls, runs, inputTokens, outputTokens, cacheHits, savedUsd, estimatedCalls, p50LatencyMs, p95LatencyMs } = total
  const change = changeOf(total)
  const parts = [
    `${costOf(total)}${change === '' ? '' : ` (${change})`}`,
    count(calls, 'call'),
    `${tokens(inputTokens)} in, ${tokens(outputTokens)} out`,
    count(runs, 'run'),
    ...(estimatedCalls === 0 ? [] : [`${estimatedCalls} without usage, counted at what was reserved`]),
    ...(cacheHits === 0 ? [] : [`${cacheHits} from the cache saved ${showUsd(savedUsd)}`]),
    ...(p50LatencyMs === null || p95LatencyMs === null ? [] : [`latency p50 ${showDuration(p50LatencyMs)}, p95 ${showDuration(p95LatencyMs)}`]),
  ]
  return parts.join(' · ')
}

/** A report as a page of text. */
export const costText = (report: CostReport): string => {
  const { sinceMs, untilMs, by, groups, topRuns, surprises } = report
  const runs = topRuns.map(
    ({ run, agent, user, route, costUsd, modelCalls }) => `  ${run}  ${showUsd(costUsd)}  ${count(modelCalls, 'call')}  ${[agent, user, route].flatMap((part) => (part === undefined ? [] : [oneLine(part)])).join(' · ')}`,
  )
  const odd = surprises.map(({ dimension, value, costUsd, usualUsd }) => `  ${dimension} ${oneLine(value)}: ${showUsd(costUsd)}, usually ${showUsd(usualUsd)}`)
  return [
    `${showTime(sinceMs)} to ${showTime(untilMs)}`,
    totalLine(report),
    ...(by.length === 0 || groups.length === 0 ? [] : ['', groupTable(report)]),
    ...(runs.length === 0 ? [] : ['', 'dearest runs', ...runs]),
    ...(odd.length === 0 ? [] : ['', 'far above what is usual', ...odd]),
  ].join('\n')
}
