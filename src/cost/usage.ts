// Token counts of one call and what it cost, in integer nano-dollars (1 USD = 1e9), rounded once per attempt.

/** Tokens of one model call. Cached and cache-write tokens are part of `inputTokens`; reasoning tokens of `outputTokens`. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens?: number
  readonly cacheWriteTokens?: number
  readonly reasoningTokens?: number
}

/** A price per million tokens, USD. */
export interface Price {
  readonly inputUsd: number
  readonly outputUsd: number
  /** Defaults to `inputUsd`. */
  readonly cachedUsd?: number
  /** Defaults to `inputUsd`. */
  readonly cacheWriteUsd?: number
}

/** What a call cost. */
export interface Cost {
  /** Nano-dollars; null when the price is not known. */
  readonly nano: number | null
  /** Where the price came from, with its version: `table`, `genai-prices@0.1.8`, `scripted`, `unknown`. */
  readonly source: string
}

/** Looks prices up. Must not throw; an unknown model costs `{ nano: null, source: 'unknown' }`. */
export interface PricePort {
  /** Cost of a finished call. @param atMs time of the call: prices change. */
  cost(provider: string, model: string, usage: Usage, atMs: number): Cost
  /** Cost of one million input and output tokens, for worst-case reservations; undefined when unknown. */
  price(provider: string, model: string, atMs: number): Price | undefined
}

/** Nano-dollars of a usage at a price, rounded once. */
export const nanoOf = (price: Price, usage: Usage): number => {
  const cached = usage.cachedTokens ?? 0
  const written = usage.cacheWriteTokens ?? 0
  const plain = Math.max(0, usage.inputTokens - cached - written)
  // USD per million tokens is nano-dollars per token times 1000.
  const perThousand =
    plain * price.inputUsd + cached * (price.cachedUsd ?? price.inputUsd) + written * (price.cacheWriteUsd ?? price.inputUsd) + usage.outputTokens * price.outputUsd
  return Math.round(perThousand * 1000)
}

/** Nano-dollars as USD, for people and public results. */
export const toUsd = (nano: number): number => nano / 1e9
