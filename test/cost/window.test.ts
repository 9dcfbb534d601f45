import { describe, expect, it } from 'vitest'
import { spanOf, type LimitWindow } from '../../src/cost/index.ts'

const HOUR_MS = 3_600_000
const at = (text: string): number => Date.parse(text)
const shown = (window: LimitWindow, text: string, timezone?: string): readonly [string, string] => {
  const { startMs, endMs } = spanOf(window, at(text), timezone)
  return [new Date(startMs).toISOString(), new Date(endMs).toISOString()]
}

describe('a window', () => {
  it('is a minute or an hour of UTC, or a day or a month of its zone', () => {
    expect(shown('minute', '2026-03-01T10:20:30Z')).toEqual(['2026-03-01T10:20:00.000Z', '2026-03-01T10:21:00.000Z'])
    expect(shown('hour', '2026-03-01T10:20:30Z')).toEqual(['2026-03-01T10:00:00.000Z', '2026-03-01T11:00:00.000Z'])
    expect(shown('day', '2026-03-01T23:30:00Z', 'Europe/Zurich')).toEqual(['2026-03-01T23:00:00.000Z', '2026-03-02T23:00:00.000Z'])
    expect(shown('day', '2026-03-01T12:00:00Z', 'Asia/Kolkata')).toEqual(['2026-02-28T18:30:00.000Z', '2026-03-01T18:30:00.000Z'])
    expect(shown('month', '2026-12-31T23:30:00Z', 'Europe/Zurich')).toEqual(['2026-12-31T23:00:00.000Z', '2027-01-31T23:00:00.000Z'])
    expect(shown('month', '2026-02-10T00:00:00Z')).toEqual(['2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'])
  })

  it('of a day is 23 or 25 hours long where the clocks change', () => {
    const hours = (text: string, timezone: string): number => {
      const { startMs, endMs } = spanOf('day', at(text), timezone)
      return (endMs - startMs) / HOUR_MS
    }
    expect([hours('2026-03-29T12:00:00Z', 'Europe/Zurich'), hours('2026-10-25T12:00:00Z', 'Europe/Zurich'), hours('2026-03-08T12:00:00Z', 'America/New_York')]).toEqual([23, 25, 23])
  })

  it('begins where the clocks go on when they skip midnight, and at the first of two midnights', () => {
    // In Beirut the clocks went from 00:00 to 01:00 on 27 March 2022; in Havana from 01:00 back to 00:00 on 1 November 2026.
    expect(shown('day', '2022-03-27T12:00:00Z', 'Asia/Beirut')[0]).toBe('2022-03-26T22:00:00.000Z')
    expect(shown('day', '2026-11-01T12:00:00Z', 'America/Havana')).toEqual(['2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'])
  })

  it('follows the one before without a gap, over three years of days and months in zones that change', () => {
    for (const timezone of ['Europe/Zurich', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'Pacific/Apia', 'America/Havana']) {
      for (const window of ['day', 'month'] as const) {
        let moment = at('2024-12-15T00:00:00Z')
        while (moment < at('2027-12-15T00:00:00Z')) {
          const span = spanOf(window, moment, timezone)
          expect(span.startMs <= moment && moment < span.endMs, `${timezone} ${new Date(moment).toISOString()}`).toBe(true)
          expect(spanOf(window, span.endMs, timezone).startMs, `${timezone} ${new Date(span.endMs).toISOString()}`).toBe(span.endMs)
          moment = span.endMs
        }
      }
    }
  })

  it('is refused in a zone that does not exist', () => {
    expect(() => spanOf('day', 0, 'Europe/Bern')).toThrow('no time zone "Europe/Bern"')
  })
})
