import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { priceTable, type Usage } from '../../src/cost/index.ts'
import { loadPriceList } from '../../src/cost/genai-prices.ts'

const AT = Date.UTC(2026, 10, 1, 12)
const usage: Usage = { inputTokens: 1_000, outputTokens: 100 }
const UNKNOWN = { nano: null, source: 'unknown' }

const isLoaded = (): boolean => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('genai-prices'))

describe('loading', () => {
  it('happens when the first list price is asked for, not before', () => {
    const prices = priceTable({ overrides: { mine: { inputUsd: 1, outputUsd: 1 } } })
    prices.cost('local', 'mine', usage, AT)
    expect(isLoaded()).toBe(false)
    prices.cost('openai', 'gpt-5-mini', usage, AT)
    expect(isLoaded()).toBe(true)
  })

  it('warns and leaves prices unknown when the package is not there', async () => {
    const warned = new Promise<Error & { readonly code?: string }>((resolve) => process.once('warning', resolve))
    expect(loadPriceList(pathToFileURL(join(tmpdir(), 'nowhere', 'module.js')).href)).toBeUndefined()
    expect(await warned).toMatchObject({ code: 'STATELOOP_NO_PRICES', message: expect.stringContaining('costs are unknown') })
  })
})

describe('list prices', () => {
  const prices = priceTable()

  it('are found by provider and model, with the version of the list', () => {
    expect(prices.cost('openai', 'gpt-5-mini', { ...usage, cachedTokens: 100 }, AT)).toEqual({
      nano: 900 * 250 + 100 * 25 + 100 * 2_000,
      source: 'genai-prices@0.1.8',
    })
  })

  it('are those of the time of the call', () => {
    const costAt = (...time: [number, number, number, number]): number | null => prices.cost('deepseek', 'deepseek-v4-flash', usage, Date.UTC(...time)).nano
    expect(costAt(2026, 6, 1, 12)).toBe(1_000 * 140 + 100 * 280)
    expect(costAt(2026, 8, 1, 12)).toBe(1_000 * 220 + 100 * 660)
    expect(costAt(2026, 8, 1, 2)).toBe(1_000 * 440 + 100 * 1_320)
  })

  it('rise with the input where the list has tiers', () => {
    const costOf = (inputTokens: number): number | null => prices.cost('anthropic', 'claude-sonnet-4-5', { inputTokens, outputTokens: 1 }, AT).nano
    expect(costOf(200_000)).toBe(200_000 * 3_000 + 15_000)
    expect(costOf(200_001)).toBe(200_001 * 6_000 + 22_500)
  })

  it('include what a call costs by itself', () => {
    expect(prices.cost('perplexity', 'sonar', { inputTokens: 1, outputTokens: 1 }, AT).nano).toBe(1_000 + 1_000 + 12_000_000)
  })

  it('are those of the model that answered, where the one asked for is an alias', () => {
    expect(prices.cost('azure', 'my-deployment', usage, AT, 'gpt-4o-2024-08-06').nano).toBe(1_000 * 2_500 + 100 * 10_000)
    expect(prices.cost('openai', 'gpt-5-mini', usage, AT, 'gpt-unheard-of').nano).toBe(1_000 * 250 + 100 * 2_000)
  })

  it.each([
    ['a model nobody knows', 'openai', 'this-model-does-not-exist'],
    ['a provider nobody knows', 'my-own', 'gpt-5-mini'],
    ['a model the list names without a price', 'github-copilot', 'gpt-4o'],
    ['a model priced by the hour', 'groq', 'whisper-large-v3'],
  ])('are unknown, not zero, for %s', (_, provider, model) => {
    expect(prices.cost(provider, model, usage, AT)).toEqual(UNKNOWN)
    expect(prices.price(provider, model, AT)).toBeUndefined()
  })

  it('know models that only read, and nothing of what they would charge for writing', () => {
    expect(prices.cost('openai', 'text-embedding-3-small', { inputTokens: 1_000, outputTokens: 0 }, AT).nano).toBe(1_000 * 20)
    expect(prices.cost('openai', 'text-embedding-3-small', usage, AT)).toEqual(UNKNOWN)
  })

  it('know fine-tunes, dated snapshots and what gateways call a model', () => {
    const million = { inputTokens: 1_000_000, outputTokens: 0 }
    const usdOf = (provider: string, model: string): number | null => {
      const { nano } = prices.cost(provider, model, million, AT)
      return nano === null ? null : nano / 1e9
    }
    expect([usdOf('openai', 'gpt-4o-mini'), usdOf('openai', 'gpt-4o-mini-2024-07-18'), usdOf('openai', 'ft:gpt-4o-mini-2024-07-18:org::abc')]).toEqual([0.15, 0.15, 0.3])
    expect([usdOf('openrouter', 'openai/gpt-4o-mini'), usdOf('ollama', 'gpt-4o-mini'), usdOf('openai', 'gpt-4o-mini-of-my-own')]).toEqual([0.15, null, null])
  })

  it('can be left out', () => {
    expect(priceTable({ genai: false }).cost('openai', 'gpt-5-mini', usage, AT)).toEqual(UNKNOWN)
    expect(priceTable({ genai: false }).price('openai', 'gpt-5-mini', AT)).toBeUndefined()
  })
})

describe('usage that makes no sense', () => {
  const prices = priceTable({ overrides: { local: { inputUsd: 1, outputUsd: 1, cachedUsd: 0.1 } } })

  it.each<[string, Usage]>([
    ['not a number', { inputTokens: Number.NaN, outputTokens: 1 }],
    ['negative', { inputTokens: 1, outputTokens: -1 }],
    ['infinite', { inputTokens: Infinity, outputTokens: 1 }],
    ['missing', { inputTokens: 1 } as Usage],
    ['wrong in its cached tokens', { inputTokens: 1, outputTokens: 1, cachedTokens: -1 }],
  ])('costs an unknown amount when it is %s', (_, wrong) => {
    expect(prices.cost('any', 'local', wrong, AT)).toEqual(UNKNOWN)
    expect(prices.cost('openai', 'gpt-5-mini', wrong, AT)).toEqual(UNKNOWN)
  })

  it('costs both counts when more was cached than read', () => {
    expect(prices.cost('any', 'local', { inputTokens: 10, outputTokens: 0, cachedTokens: 20 }, AT).nano).toBe(10 * 1_000 + 20 * 100)
    expect(prices.cost('openai', 'gpt-5-mini', { inputTokens: 10, outputTokens: 0, cachedTokens: 20 }, AT).nano).toBe(10 * 250 + 20 * 25)
  })

  it('costs an unknown amount at a time that is none', () => {
    expect(prices.cost('deepseek', 'deepseek-v4-flash', usage, Number.NaN)).toEqual(UNKNOWN)
    expect(prices.price('deepseek', 'deepseek-v4-flash', Number.NaN)).toBeUndefined()
  })
})

describe('overrides', () => {
  const price = (inputUsd: number): { inputUsd: number; outputUsd: number } => ({ inputUsd, outputUsd: 0 })
  const prices = priceTable({
    overrides: { 'openai/gpt-5-mini': price(1), 'gpt-5-mini': price(2), 'openai/gpt-4o': price(3), 'azure/mine': price(4), free: price(0) },
  })
  const inputUsdOf = (provider: string, model: string, answeredBy?: string): number | null | undefined => {
    const { nano, source } = prices.cost(provider, model, { inputTokens: 1_000, outputTokens: 0 }, AT, answeredBy)
    return source.startsWith('table@') && nano !== null ? nano / 1e6 : undefined
  }

  it('win over the list: first provider and model, then the model of any provider', () => {
    expect([inputUsdOf('openai', 'gpt-5-mini'), inputUsdOf('azure', 'gpt-5-mini'), inputUsdOf('azure', 'gpt-4o')]).toEqual([1, 2, undefined])
    expect(prices.price('openai', 'gpt-5-mini', AT)).toEqual(price(1))
  })

  it('win for the model asked for before the one that answered', () => {
    expect([inputUsdOf('azure', 'mine', 'gpt-5-mini'), inputUsdOf('azure', 'other', 'gpt-5-mini')]).toEqual([4, 2])
  })

  it('with a slash are never taken for a model of another provider', () => {
    expect(inputUsdOf('openrouter', 'openai/gpt-4o')).toBeUndefined()
    expect(prices.cost('openrouter', 'openai/gpt-4o', usage, AT).source).toBe('genai-prices@0.1.8')
  })

  it('of zero are a known price', () => {
    expect(prices.cost('local', 'free', usage, AT).nano).toBe(0)
  })

  it('carry a version that changes with the price and only with it', () => {
    const sourceOf = (inputUsd: number, name: string): string => priceTable({ overrides: { [name]: price(inputUsd) } }).cost('local', name, usage, AT).source
    expect(sourceOf(1, 'a')).toMatch(/^table@[0-9a-f]{8}$/)
    expect([sourceOf(1, 'b'), sourceOf(2, 'a')]).toEqual([sourceOf(1, 'a'), expect.not.stringContaining(sourceOf(1, 'a'))])
  })

  it('that are not amounts are refused, all at once', () => {
    const wrong = { a: { inputUsd: -1, outputUsd: Number.NaN }, b: { inputUsd: 1 } as never, c: { inputUsd: 1, outputUsd: 1, cachedUsd: Infinity } }
    expect(() => priceTable({ overrides: wrong })).toThrow('usage: Prices are USD, finite and not negative, but a.inputUsd is -1, a.outputUsd is NaN, b.outputUsd is undefined, c.cachedUsd is Infinity.')
  })
})

describe('price, for reservations', () => {
  const prices = priceTable()

  it('is the dearest tier that the input can reach', () => {
    expect(prices.price('anthropic', 'claude-sonnet-4-5', AT)).toMatchObject({ inputUsd: 6, outputUsd: 22.5, cacheWriteUsd: 7.5 })
    expect(prices.price('anthropic', 'claude-sonnet-4-5', AT, 200_000)).toMatchObject({ inputUsd: 3, outputUsd: 15, cacheWriteUsd: 3.75 })
  })
})
