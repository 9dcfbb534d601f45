import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { failure, type FailureCode } from '../../src/failure/index.ts'
import { retryDelay, timeoutsOf, type RetryQuestion } from '../../src/policy/index.ts'

const delay = (code: FailureCode, question: Partial<RetryQuestion> & { readonly retryAfterMs?: number } = {}): number | undefined =>
  retryDelay({
    policy: {},
    attempt: 1,
    leftMs: 600_000,
    random: 0,
    defaultAttempts: 3,
    failure: failure(code, 'x', question.retryAfterMs === undefined ? {} : { provider: { retryAfterMs: question.retryAfterMs } }),
    ...question,
  })

describe('retryDelay', () => {
  it('doubles from attempt to attempt up to the longest backoff', () => {
    expect([1, 2, 3, 4].map((attempt) => delay('overloaded', { attempt, policy: { attempts: 9, backoffMs: 100, maxBackoffMs: 500 } }))).toEqual([100, 200, 400, 500])
  })

  it('takes off up to half as jitter', () => {
    expect(delay('overloaded', { random: 0.5 })).toBe(375)
    expect(delay('overloaded', { random: 0.999 })).toBeGreaterThanOrEqual(250)
  })

  it('gives up after the last attempt, or at once on what a retry cannot help', () => {
    expect(delay('overloaded', { attempt: 3 })).toBeUndefined()
    expect(delay('overloaded', { attempt: 1, policy: { attempts: 1 } })).toBeUndefined()
    expect(delay('refused')).toBeUndefined()
  })

  it('pays for an empty or malformed reply only once more, whatever the policy', () => {
    expect(delay('empty_response', { attempt: 1, policy: { attempts: 9 } })).toBe(500)
    expect(delay('empty_response', { attempt: 2, policy: { attempts: 9 } })).toBeUndefined()
  })

  it('obeys Retry-After above its own longest backoff, or does not begin a wait that passes the deadline', () => {
    expect(delay('rate_limited', { retryAfterMs: 120_000 })).toBe(120_000)
    expect(delay('rate_limited', { retryAfterMs: 120_000, leftMs: 119_999 })).toBeUndefined()
  })

  it('never comes back before Retry-After', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), fc.integer({ min: 1, max: 8 }), (retryAfterMs, random, attempt) => {
        expect(delay('rate_limited', { retryAfterMs, random, attempt, policy: { attempts: 20 } })).toBeGreaterThanOrEqual(retryAfterMs)
      }),
      { seed: 61 },
    )
  })
})

describe('timeoutsOf', () => {
  it('fills in defaults around what is given', () => {
    expect(timeoutsOf({ idleMs: 5 })).toEqual({ connectMs: 10_000, firstTokenMs: 60_000, idleMs: 5, totalMs: 120_000 })
  })
})
