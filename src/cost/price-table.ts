// The price of a model at a time: the user's own table first, then public list prices. A price that nobody knows is
// null, never 0, and looking one up never throws.
import { fail } from '../failure/index.ts'
import { shortHash } from '../schema/index.ts'
import { loadPriceList, type ListPrice, type PriceList, type Tier } from './genai-prices.ts'
import { nanoOf, type Cost, type Price, type PricePort, type Usage } from './usage.ts'

/** What a price table is made of. */
export interface PriceTableOptions {
  /**
   * Prices that win over the list. A key with a slash is `provider/model`; a key without one is a model of any provider.
   * @example { 'openai/gpt-5-mini': { inputUsd: 0.2, outputUsd: 1.6 }, 'my-local-model': { inputUsd: 0, outputUsd: 0 } }
   */
  readonly overrides?: { readonly [model: string]: Price }
  /** Whether to use the list prices of `@pydantic/genai-prices`. Default true. */
  readonly genai?: boolean
}

const UNKNOWN: Cost = { nano: null, source: 'unknown' }

const isAmount = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0

const isUsable = (usage: Usage): boolean => isAmount(usage.inputTokens) && isAmount(usage.outputTokens) && [usage.cachedTokens, usage.cacheWriteTokens].every((count) => count === undefined || isAmount(count))

const isComplete = (price: ListPrice): price is Price => price.outputUsd !== undefined

interface Entry {
  readonly price: Price
  readonly source: string
}

const readOverrides = (overrides: { readonly [model: string]: Price }): ReadonlyMap<string, Entry> => {
  const wrong = Object.entries(overrides).flatMap(([model, price]) =>
    (['inputUsd', 'outputUsd', 'cachedUsd', 'cacheWriteUsd', 'requestUsd'] as const)
      .filter((field) => (price[field] === undefined ? field === 'inputUsd' || field === 'outputUsd' : !isAmount(price[field])))
      .map((field) => `${model}.${field} is ${price[field]}`),
  )
  if (wrong.length > 0) fail('usage', `Prices are USD, finite and not negative, but ${wrong.join(', ')}. Correct them in priceTable({ overrides }).`)
  return new Map(Object.entries(overrides).map(([model, price]) => [model, { price: { ...price }, source: `table@${shortHash(price).slice(0, 8)}` }]))
}

const namesOf = (model: string, answeredBy: string | undefined): readonly string[] => (answeredBy === undefined || answeredBy === model ? [model] : [model, answeredBy])

/**
 * Makes the table of what models cost: public list prices, and your own. Overrides come first, for the model asked for and then for the one that answered; then the list,
 * for the one that answered and then the one asked for, since only the provider knows what an alias stood for.
 * A usage with a count that is negative or not a number costs `null`.
 *
 * @example priceTable({ overrides: { 'openai/gpt-5-mini': { inputUsd: 0.2, outputUsd: 1.6 } } })
 * @throws FailureError `usage` when a price is negative or not a number.
 */
export const priceTable = ({ overrides = {}, genai = true }: PriceTableOptions = {}): PricePort => {
  const table = readOverrides(overrides)
  let list: PriceList | undefined
  let loaded = !genai
  const ofTable = (provider: string, models: readonly string[]): Entry | undefined => {
    const keys = models.flatMap((model) => (model.includes('/') ? [`${provider}/${model}`] : [`${provider}/${model}`, model]))
    const key = keys.find((candidate) => table.has(candidate))
    return key === undefined ? undefined : table.get(key)
  }
  const ofList = (provider: string, model: string, atMs: number, inputTokens: number, tier: Tier): ListPrice | undefined => {
    if (!loaded) list = loadPriceList()
    loaded = true
    try {
      return list?.find({ provider, model, atMs, inputTokens, tier })
    } catch {
      return undefined
    }
  }
  return {
    cost(provider, model, usage, atMs, answeredBy) {
      if (!isUsable(usage)) return UNKNOWN
      const own = ofTable(provider, namesOf(model, answeredBy))
      if (own !== undefined) return { nano: nanoOf(own.price, usage), source: own.source }
      for (const name of namesOf(model, answeredBy).toReversed()) {
        const found = ofList(provider, name, atMs, usage.inputTokens, 'paid')
        if (found !== undefined && (usage.outputTokens === 0 || isComplete(found))) return { nano: nanoOf({ outputUsd: 0, ...found }, usage), source: list?.source ?? 'unknown' }
      }
      return UNKNOWN
    },
    price(provider, model, atMs, inputTokens = Infinity) {
      const own = ofTable(provider, [model])
      if (own !== undefined) return own.price
      const found = ofList(provider, model, atMs, inputTokens, 'dearest')
      return found === undefined ? undefined : { outputUsd: 0, ...found }
    },
  }
}
