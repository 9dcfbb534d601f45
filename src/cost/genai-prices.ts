// List prices from `@pydantic/genai-prices`: offline, by provider, model and time. The package is 0.5 MB and takes some
// 30 ms to load, so nothing of it is touched before the first price is asked for.
import { readFileSync } from 'node:fs'
import { createRequire, findPackageJSON } from 'node:module'
import type { Price } from './usage.ts'

type Package = typeof import('@pydantic/genai-prices')
type ModelPrice = NonNullable<ReturnType<Package['calcPrice']>>['model_price']

/** A list price. Models that only read (embeddings) have none for output. */
export type ListPrice = Omit<Price, 'outputUsd'> & { readonly outputUsd?: number }

/** Which of the prices that an input of some length reaches: the one it pays, or the dearest on the way. */
export type Tier = 'paid' | 'dearest'

/** What is asked of the list. */
export interface ListQuestion {
  readonly provider: string
  readonly model: string
  /** Time of the call, milliseconds UTC. */
  readonly atMs: number
  /** Decides the tier. */
  readonly inputTokens: number
  readonly tier: Tier
}

/** The list, once loaded. */
export interface PriceList {
  /** Name and version, as `genai-prices@0.1.8`. */
  readonly source: string
  /** @returns undefined when the list does not know the model or gives no price per token for it. */
  find(question: ListQuestion): ListPrice | undefined
}

const tierOf = (value: ModelPrice[string], { inputTokens, tier }: ListQuestion): number | undefined => {
  if (value === undefined || typeof value === 'number') return value
  const above = [...value.tiers].sort((a, b) => a.start - b.start).filter(({ start }) => inputTokens > start)
  const reached = [value.base, ...above.map(({ price }) => price)]
  return tier === 'dearest' ? Math.max(...reached) : reached.at(-1)
}

const toPrice = (prices: ModelPrice, question: ListQuestion): ListPrice | undefined => {
  const at = (key: string): number | undefined => tierOf(prices[key], question)
  const [inputUsd, outputUsd, cachedUsd, cacheWriteUsd, perThousand] = ['input_mtok', 'output_mtok', 'cache_read_mtok', 'cache_write_mtok', 'requests_kcount'].map(at)
  // The package charges nothing for what has no price. A model without a price is unknown, not free.
  if (inputUsd === undefined) return undefined
  return {
    inputUsd,
    ...(outputUsd === undefined ? {} : { outputUsd }),
    ...(cachedUsd === undefined ? {} : { cachedUsd }),
    ...(cacheWriteUsd === undefined ? {} : { cacheWriteUsd }),
    ...(perThousand === undefined ? {} : { requestUsd: perThousand / 1000 }),
  }
}

/**
 * Loads the list now.
 * @param from the module whose dependency the package is.
 * @returns undefined, after a process warning, when the package cannot be loaded.
 */
export const loadPriceList = (from: string = import.meta.url): PriceList | undefined => {
  try {
    const require = createRequire(from)
    const { calcPrice } = require('@pydantic/genai-prices') as Package
    const manifest = findPackageJSON('@pydantic/genai-prices', from)
    const { version } = JSON.parse(readFileSync(manifest ?? require.resolve('@pydantic/genai-prices/package.json'), 'utf8')) as { readonly version: string }
    return {
      source: `genai-prices@${version}`,
      find(question) {
        const found = calcPrice({ input_tokens: 0 }, question.model, { providerId: question.provider, timestamp: new Date(question.atMs) })
        return found === null ? undefined : toPrice(found.model_price, question)
      },
    }
  } catch (error) {
    const seen = error instanceof Error ? error.message : String(error)
    process.emitWarning(`Model prices were looked up in @pydantic/genai-prices, which cannot be loaded (${seen}), so costs are unknown. Install it beside stateloop, or pass priceTable({ overrides, genai: false }).`, {
      code: 'STATELOOP_NO_PRICES',
    })
    return undefined
  }
}
