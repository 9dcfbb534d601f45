// When the hour, day or month of a limit begins and ends, in the time zone it is declared for. Invariant: windows of one kind
// follow each other without a gap, also where a day has 23 or 25 hours.
import { fail } from '../failure/index.ts'

/** Windows that a limit can be counted over. `call` is each call by itself, `total` everything, `now` what is at work. */
export type LimitWindow = 'call' | 'minute' | 'hour' | 'day' | 'month' | 'total' | 'now'

/** From when until when, milliseconds UTC; the end is not part of it. */
export interface Span {
  readonly startMs: number
  readonly endMs: number
}

const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** The end of what has none. */
const NEVER = Number.MAX_SAFE_INTEGER

const formats = new Map<string, Intl.DateTimeFormat>()

/** @throws FailureError `usage` when there is no such zone. */
const formatOf = (timezone: string): Intl.DateTimeFormat => {
  const known = formats.get(timezone)
  if (known !== undefined) return known
  try {
    const made = new Intl.DateTimeFormat('en-US', { timeZone: timezone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' })
    formats.set(timezone, made)
    return made
  } catch {
    return fail('usage', `There is no time zone ${JSON.stringify(timezone)}. Name one of the IANA database, such as Europe/Zurich or UTC.`)
  }
}

/** Checks that a zone exists. @throws FailureError `usage`. */
export const checkTimezone = (timezone: string): void => void formatOf(timezone)

/** What the clocks of a zone show, as if it were UTC. */
const wallOf = (atMs: number, timezone: string): number => {
  const part: { [name: string]: number } = {}
  for (const { type, value } of formatOf(timezone).formatToParts(atMs)) part[type] = Number(value)
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part
  return Date.UTC(year, month - 1, day, hour, minute, second)
}

/** The first moment at which the clocks of a zone show this time or a later one. */
const momentOf = (wallMs: number, timezone: string): number => {
  const offsets = [wallMs - DAY_MS, wallMs + DAY_MS].map((near) => wallOf(near, timezone) - near)
  const candidates = offsets.map((offset) => wallMs - offset).filter((moment) => wallOf(moment, timezone) === wallMs)
  if (candidates.length > 0) return Math.min(...candidates)
  // The clocks skip this time: they go on from it at the moment of the change.
  let [before, after] = [wallMs - Math.max(...offsets) - DAY_MS, wallMs - Math.min(...offsets) + DAY_MS]
  while (after - before > 1) {
    const middle = Math.floor((before + after) / 2)
    if (wallOf(middle, timezone) < wallMs) before = middle
    else after = middle
  }
  return after
}

const calendar = (window: 'day' | 'month', atMs: number, timezone: string): Span => {
  const wall = new Date(wallOf(atMs, timezone))
  const [year, month, day] = [wall.getUTCFullYear(), wall.getUTCMonth(), wall.getUTCDate()]
  const [start, end] = window === 'day' ? [Date.UTC(year, month, day), Date.UTC(year, month, day + 1)] : [Date.UTC(year, month), Date.UTC(year, month + 1)]
  return { startMs: momentOf(start, timezone), endMs: momentOf(end, timezone) }
}

const aligned = (atMs: number, lengthMs: number): Span => {
  const startMs = Math.floor(atMs / lengthMs) * lengthMs
  return { startMs, endMs: startMs + lengthMs }
}

const spans = new Map<string, Span>()

/**
 * The window that holds a time. Days and months begin at midnight of the zone; minutes and hours are those of UTC.
 * @throws FailureError `usage` for a time zone that does not exist.
 */
export const spanOf = (window: LimitWindow, atMs: number, timezone = 'UTC'): Span => {
  switch (window) {
    case 'minute':
      return aligned(atMs, MINUTE_MS)
    case 'hour':
      return aligned(atMs, HOUR_MS)
    case 'day':
    case 'month': {
      // Found once a window: every call asks for it.
      const id = `${window} ${timezone}`
      const known = spans.get(id)
      if (known !== undefined && atMs >= known.startMs && atMs < known.endMs) return known
      const span = calendar(window, atMs, timezone)
      spans.set(id, span)
      return span
    }
    case 'call':
    case 'total':
    case 'now':
      return { startMs: 0, endMs: NEVER }
  }
}
