import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/clock/index.ts'
import { nanoOf, toUsd, worstCaseNano, type Price, type Usage } from '../../src/cost/index.ts'

/** The cost by the book: fractions of whole numbers, rounded once, half up. Prices have at most six decimals. */
const exactNano = (price: Price, usage: Usage): bigint => {
  const micro = (usd: number): bigint => BigInt(Math.round(usd * 1e6))
  const [cached, written] = [usage.cachedTokens ?? 0, usage.cacheWriteTokens ?? 0]
  const pico =
    BigInt(usage.inputTokens - cached - written) * micro(price.inputUsd) +
    BigInt(cached) * micro(price.cachedUsd ?? price.inputUsd) +
    BigInt(written) * micro(price.cacheWriteUsd ?? price.inputUsd) +
    BigInt(usage.outputTokens) * micro(price.outputUsd)
  return (pico + 500n) / 1000n
}

const usd = fc.integer({ min: 0, max: 150_000_000 }).map((micro) => micro / 1e6)
const price: fc.Arbitrary<Price> = fc.record({ inputUsd: usd, outputUsd: usd, cachedUsd: usd, cacheWriteUsd: usd }, { requiredKeys: ['inputUsd', 'outputUsd'] })
const usage: fc.Arbitrary<Usage> = fc.tuple(fc.nat(1_000_000), fc.nat(500_000), fc.nat(500_000), fc.nat(200_000)).map(([plain, cachedTokens, cacheWriteTokens, outputTokens]) => ({
  inputTokens: plain + cachedTokens + cacheWriteTokens,
  outputTokens,
  cachedTokens,
  cacheWriteTokens,
}))

describe('nanoOf', () => {
  it('charges cached and cache-write tokens their own price and the rest of the input the plain one', () => {
    const sonnet: Price = { inputUsd: 3, outputUsd: 15, cachedUsd: 0.3, cacheWriteUsd: 3.75 }
    expect(nanoOf(sonnet, { inputTokens: 1_000, outputTokens: 100, cachedTokens: 600, cacheWriteTokens: 200 })).toBe(200 * 3_000 + 600 * 300 + 200 * 3_750 + 100 * 15_000)
  })

  it('charges cached tokens the plain price when there is no other, and a call its own price', () => {
    expect(nanoOf({ inputUsd: 1, outputUsd: 1, requestUsd: 0.012 }, { inputTokens: 10, outputTokens: 0, cachedTokens: 10 })).toBe(10_000 + 12_000_000)
  })

  it('charges reasoning tokens as the output tokens they are part of', () => {
    const spent = { inputTokens: 0, outputTokens: 100 }
    expect(nanoOf({ inputUsd: 1, outputUsd: 2 }, { ...spent, reasoningTokens: 90 })).toBe(nanoOf({ inputUsd: 1, outputUsd: 2 }, spent))
  })

  it('adds cached tokens to the input when a provider counted them beside it', () => {
    expect(nanoOf({ inputUsd: 1, outputUsd: 0, cachedUsd: 0.1 }, { inputTokens: 293, outputTokens: 0, cachedTokens: 387 })).toBe(293 * 1_000 + 387 * 100)
  })

  it('rounds once, half up, to the nano-dollar', () => {
    expect(nanoOf({ inputUsd: 0.0375, outputUsd: 0 }, { inputTokens: 1, outputTokens: 0 })).toBe(38)
    expect(nanoOf({ inputUsd: 0.0375, outputUsd: 0.0375 }, { inputTokens: 1, outputTokens: 1 })).toBe(75)
    expect(nanoOf({ inputUsd: 0.0004, outputUsd: 0 }, { inputTokens: 1, outputTokens: 0 })).toBe(0)
  })

  it('equals exact arithmetic for every price of six decimals', () => {
    fc.assert(
      fc.property(price, usage, (at, spent) => {
        expect(BigInt(nanoOf(at, spent))).toBe(exactNano(at, spent))
      }),
      { seed: 4, numRuns: 2_000 },
    )
  })

  it('does not drift over ten million entries', () => {
    const random = seededRandom(4)
    const upTo = (limit: number): number => Math.floor(random() * limit)
    const kinds = Array.from({ length: 1_000 }, () => {
      const at: Price = { inputUsd: upTo(3_000_000) / 1e6, outputUsd: upTo(15_000_000) / 1e6, cachedUsd: upTo(300_000) / 1e6 }
      const inputTokens = 1 + upTo(20_000)
      const spent: Usage = { inputTokens, cachedTokens: upTo(inputTokens), outputTokens: upTo(4_000) }
      return { nano: nanoOf(at, spent), exact: exactNano(at, spent), entries: 0n }
    })
    let sum = 0
    let usdSum = 0
    for (let chunk = 0; chunk < 10_000; chunk++) {
      const kind = kinds[upTo(kinds.length)]
      if (kind === undefined) throw new Error('no such kind')
      for (let entry = 0; entry < 1_000; entry++) {
        sum += kind.nano
        usdSum += toUsd(kind.nano)
      }
      kind.entries += 1_000n
    }
    const exact = kinds.reduce((total, kind) => total + kind.exact * kind.entries, 0n)
    expect(BigInt(sum)).toBe(exact)
    expect(Number.isSafeInteger(sum)).toBe(true)
    // The same entries as floating dollars: what integers are for.
    expect(Math.round(usdSum * 1e9)).not.toBe(sum)
  })
})

describe('worstCaseNano', () => {
  it('is never below what a call within its bounds costs', () => {
    fc.assert(
      fc.property(price, usage, fc.nat(1_000), fc.nat(1_000), (at, spent, moreInput, moreOutput) => {
        expect(worstCaseNano(at, spent.inputTokens + moreInput, spent.outputTokens + moreOutput)).toBeGreaterThanOrEqual(nanoOf(at, spent))
      }),
      { seed: 4, numRuns: 2_000 },
    )
  })

  it('counts all input at the price of a cache write where that is the dearest, and rounds up', () => {
    expect(worstCaseNano({ inputUsd: 3, outputUsd: 15, cachedUsd: 0.3, cacheWriteUsd: 3.75 }, 1_000, 100)).toBe(1_000 * 3_750 + 100 * 15_000)
    expect(worstCaseNano({ inputUsd: 0.0001, outputUsd: 0 }, 1, 0)).toBe(1)
  })
})
