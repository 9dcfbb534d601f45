// Periods as people write them on the command line: how long ago something began, or when.
import { fail } from '../failure/index.ts'

const UNITS_MS: { readonly [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/**
 * A time: `7d`, `24h`, `30m` or `2w` before now, or a date in ISO format.
 * @param flag the option it was given with, for the message.
 * @returns milliseconds UTC.
 * @throws FailureError `usage`.
 */
export const timeOf = (text: string, nowMs: number, flag: string): number => {
  const [, count, unit = ''] = /^(\d{1,5})([mhdw])$/.exec(text) ?? []
  if (count !== undefined) return nowMs - Number(count) * (UNITS_MS[unit] ?? 0)
  const at = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(at) ? fail('usage', `${flag} takes a time ago (7d, 24h, 30m, 2w) or a date (2026-03-01, 2026-03-01T12:00Z), not ${JSON.stringify(text)}.`) : at
}
