import { expect, it } from 'vitest'
import { storm } from './storm.ts'

it.each([1, 2, 3])('ten thousand runs at once, most of their calls turned away: each ends typed, none tries again too early, memory stays under a gigabyte (seed %i)', async (seed) => {
  const seen = await storm(10_000, seed)
  console.log(JSON.stringify(seen))
  expect(Object.keys(seen.ends).filter((end) => end !== 'done' && end !== 'failed rate_limited')).toEqual([])
  expect(Object.values(seen.ends).reduce((sum, count) => sum + count, 0)).toBe(10_000)
  expect([seen.early, seen.connections <= 1_000]).toEqual([0, true])
  expect(seen.rssBytes).toBeLessThan(1_000_000_000)
})
