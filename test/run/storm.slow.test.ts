import { expect, it } from 'vitest'
import { storm } from './storm.ts'

it('a thousand runs at once, most of their calls turned away: each ends typed, and none tries again too early', async () => {
  const seen = await storm(1_000, 7)
  expect(Object.keys(seen.ends).filter((end) => end !== 'done' && end !== 'failed rate_limited')).toEqual([])
  expect(Object.values(seen.ends).reduce((sum, count) => sum + count, 0)).toBe(1_000)
  expect(seen.ends['done']).toBeGreaterThan(950)
  expect(seen.turnedAway).toBeGreaterThan(1_000)
  expect([seen.early, seen.connections <= 1_000]).toEqual([0, true])
})
