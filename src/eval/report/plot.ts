// Plots as SVG text. Invariant: a plot is drawn from numbers alone, has a text that says the same, and needs no script.
import type { Interval } from '../statistics/wilson.ts'
import { escapeMarkup } from './format.ts'

/** A row of an interval plot. */
export interface IntervalRow {
  readonly label: string
  readonly value: number
  readonly interval?: Interval | null
  /** A second value to compare with, drawn hollow. */
  readonly before?: number | null
  /** What a reader hears or sees on pointing at it. */
  readonly text: string
}

/** The axis of a plot. */
export interface Axis {
  readonly low: number
  readonly high: number
  readonly show: (value: number) => string
}

const WIDTH = 720
const LABEL = 220
const RIGHT = 36
const ROW = 22
const TOP = 22

const place = ({ low, high }: Axis, value: number): number => {
  const share = high === low ? 0.5 : (Math.min(high, Math.max(low, value)) - low) / (high - low)
  return LABEL + share * (WIDTH - LABEL - RIGHT)
}

const grid = (axis: Axis, height: number): string =>
  [0, 0.25, 0.5, 0.75, 1]
    .map((share) => axis.low + share * (axis.high - axis.low))
    .map((value) => {
      const x = place(axis, value).toFixed(1)
      return `<line class="grid" x1="${x}" x2="${x}" y1="${TOP - 6}" y2="${height}"/><text class="tick" x="${x}" y="${TOP - 10}">${escapeMarkup(axis.show(value))}</text>`
    })
    .join('')

const row = (axis: Axis, { label, value, interval, before, text }: IntervalRow, at: number): string => {
  const y = TOP + at * ROW + ROW / 2
  const [low, high] = interval ?? [value, value]
  const shown = label.length > 32 ? `${label.slice(0, 31)}…` : label
  return [
    `<g><title>${escapeMarkup(text)}</title>`,
    `<text class="label" x="${LABEL - 10}" y="${y + 4}">${escapeMarkup(shown)}</text>`,
    `<line class="span" x1="${place(axis, low).toFixed(1)}" x2="${place(axis, high).toFixed(1)}" y1="${y}" y2="${y}"/>`,
    before === undefined || before === null ? '' : `<circle class="before" cx="${place(axis, before).toFixed(1)}" cy="${y}" r="4"/>`,
    `<circle class="now" cx="${place(axis, value).toFixed(1)}" cy="${y}" r="4"/></g>`,
  ].join('')
}

/** Values with their intervals, one below the other. */
export const intervalPlot = (title: string, rows: readonly IntervalRow[], axis: Axis): string => {
  const height = TOP + rows.length * ROW + 4
  return `<svg role="img" aria-label="${escapeMarkup(title)}" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}">${grid(axis, height)}${rows.map((one, at) => row(axis, one, at)).join('')}</svg>`
}

/** A point of a line plot. */
export interface HistoryPoint {
  readonly value: number
  readonly interval: Interval | null
  readonly text: string
}

const HISTORY_HEIGHT = 160

/** Values over time with a band of their intervals; points stand at equal distances. */
export const historyPlot = (title: string, points: readonly HistoryPoint[], axis: Axis): string => {
  const x = (at: number): number => 48 + (points.length === 1 ? 0.5 : at / (points.length - 1)) * (WIDTH - 48 - RIGHT)
  const y = (value: number): number => HISTORY_HEIGHT - 12 - ((Math.min(axis.high, Math.max(axis.low, value)) - axis.low) / (axis.high - axis.low)) * (HISTORY_HEIGHT - 24)
  const xy = (at: number, value: number): string => `${x(at).toFixed(1)},${y(value).toFixed(1)}`
  const upper = points.map(({ value, interval }, at) => xy(at, interval?.[1] ?? value))
  const lower = points.map(({ value, interval }, at) => xy(at, interval?.[0] ?? value)).reverse()
  const ticks = [axis.low, (axis.low + axis.high) / 2, axis.high]
    .map((value) => `<line class="grid" x1="48" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}"/><text class="label" x="42" y="${y(value) + 4}">${escapeMarkup(axis.show(value))}</text>`)
    .join('')
  const dots = points.map(({ value, text }, at) => `<g><title>${escapeMarkup(text)}</title><circle class="now" cx="${x(at).toFixed(1)}" cy="${y(value).toFixed(1)}" r="3"/></g>`).join('')
  return `<svg role="img" aria-label="${escapeMarkup(title)}" viewBox="0 0 ${WIDTH} ${HISTORY_HEIGHT}" width="${WIDTH}" height="${HISTORY_HEIGHT}">${ticks}<polygon class="band" points="${[...upper, ...lower].join(' ')}"/><polyline class="line" points="${points.map(({ value }, at) => xy(at, value)).join(' ')}"/>${dots}</svg>`
}
