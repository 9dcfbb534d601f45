import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { assign, bucketOf, kill, rollOut, type Lock, type PromptAssignment } from '../../../src/prompt/index.ts'
import { first, second, split, third } from './sample.ts'

const forUser = (lock: Lock, user: string | undefined): PromptAssignment => assign(lock.prompts['greet']!, { run: 'r', ...(user === undefined ? {} : { user }) })
const users = Array.from({ length: 20_000 }, (_, index) => `user-${index}`)

describe('a bucket', () => {
  it('is the first 64 bits of SHA-256 modulo 10,000, as any other program computes it', () => {
    const digest = createHash('sha256').update('salt:experiment:ada').digest()
    expect(bucketOf('salt', 'experiment', 'ada')).toBe(Number(digest.readBigUInt64BE(0) % 10_000n))
    expect(bucketOf('salt', 'experiment', 'ada')).toBe(7487)
  })

  it('is spread evenly: 20,000 users over 10 tenths pass a chi-squared test at 0.1 %', () => {
    const counts = Array.from({ length: 10 }, () => 0)
    for (const user of users) counts[Math.floor(bucketOf('s', 'e', user) / 1_000)]! += 1
    const chiSquared = counts.reduce((sum, count) => sum + (count - 2_000) ** 2 / 2_000, 0)
    expect(chiSquared).toBeLessThan(27.88)
  })

  it('has nothing to do with the one in another experiment', () => {
    const both = users.filter((user) => bucketOf('s', 'a', user) < 5_000 && bucketOf('s', 'b', user) < 5_000).length
    expect(Math.abs(both - 5_000)).toBeLessThan(300)
  })
})

describe('an assignment', () => {
  it('names the experiment, the variant and what it sticks to', () => {
    const variants = new Set(users.slice(0, 100).map((user) => JSON.stringify(forUser(split(50), user))))
    expect([...variants].map((text) => JSON.parse(text) as unknown).toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))).toEqual(
      [
        { hash: first.hash, experiment: 'greet', variant: 'control', unit: 'user' },
        { hash: second.hash, experiment: 'greet', variant: 'b', unit: 'user' },
      ].toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
    )
  })

  it('is the active version, outside of the experiment, for a run without the unit', () => {
    expect(forUser(split(100), undefined)).toEqual({ hash: first.hash })
  })

  it('is the active version for everybody while the kill switch is on', () => {
    for (const user of users.slice(0, 50)) expect(forUser(kill(split(100), 'greet', true), user)).toEqual({ hash: first.hash })
  })

  it('gives a variant its share within half a percent', () => {
    const share = users.filter((user) => forUser(split(10), user).variant === 'b').length / users.length
    expect(Math.abs(share - 0.1)).toBeLessThan(0.005)
  })

  it('moves a unit only between control and the variant that is ramped, in one direction', () => {
    const steps = fc.array(fc.record({ variant: fc.constantFrom('b', 'c'), percent: fc.integer({ min: 0, max: 50 }) }), { maxLength: 12 })
    const some = users.slice(0, 300)
    fc.assert(
      fc.property(steps, (changes) => {
        let lock = split(0)
        const shares: { [name: string]: number } = { b: 0, c: 0 }
        for (const { variant, percent } of changes) {
          const next = rollOut(lock, 'greet', (variant === 'b' ? second : third).document, { percent, variant })
          const grows = percent > shares[variant]!
          for (const user of some) {
            const [was, is] = [forUser(lock, user).variant, forUser(next, user).variant]
            if (was !== is) expect([was, is]).toEqual(grows ? ['control', variant] : [variant, 'control'])
          }
          lock = next
          shares[variant] = percent
        }
      }),
      { seed: 7, numRuns: 30 },
    )
  })
})
