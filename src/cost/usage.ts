// Token counts of one call and what it cost, in integer nano-dollars (1 USD = 1e9), rounded once per attempt.

/** Tokens of one model call. Cached and cache-write tokens are part of `inputTokens`; reasoning tokens of `outputTokens`. */
export interface Usage {
  /** Tokens of the request, those from the provider's cache included. */
  readonly inputTokens: number
  /** Tokens of the reply, those of reasoning included. */
  readonly outputTokens: number
  /** Part of `inputTokens`: read from the provider's cache. Absent when not reported. */
  readonly cachedTokens?: number
  /** Part of `inputTokens`: written to the provider's cache. Absent when not reported. */
  readonly cacheWriteTokens?: number
  /** Part of `outputTokens`: reasoning that is not shown. Absent when not reported. */
  readonly reasoningTokens?: number
}

/** A price per million tokens, USD. */
export interface Price {
  /** For input, USD per million tokens. */
  readonly inputUsd: number
  /** For output, USD per million tokens. */
  readonly outputUsd: number
  /** For input from the provider's cache, USD per million tokens. Default: `inputUsd`. */
  readonly cachedUsd?: number
  /** For input that the provider writes to its cache, USD per million tokens. Default: `inputUsd`. */
  readonly cacheWriteUsd?: number
  /** USD for the call itself, whatever its size. Default 0. */
  readonly requestUsd?: number
}

/** What a call cost. */
export interface Cost {
  /** Nano-dollars; null when the price is not known. */
  readonly nano: number | null
  /** Where the price came from, with its version: `table@5f1c09aa`, `genai-prices@0.1.8`, `scripted`, `unknown`. */
  readonly source: string
}

/** Looks prices up. Must not throw; an unknown model costs `{ nano: null, source: 'unknown' }`. */
export interface PricePort {
  /**
   * Cost of a finished call.
   * @param model the model asked for.
   * @param atMs time of the call: prices change.
   * @param answeredBy the model that answered, as the provider names it; used where the one asked for is an alias.
   */
  cost(provider: string, model: string, usage: Usage, atMs: number, answeredBy?: string): Cost
  /**
   * Price of one million input and output tokens, for worst-case reservations; undefined when unknown.
   * @param inputTokens bound of the input, where long inputs are dearer; without it the dearest tier.
   */
  price(provider: string, model: string, atMs: number, inputTokens?: number): Price | undefined
}

/** A price per million tokens as pico-dollars per token: an integer for every price of at most six decimals. */
const picoPerToken = (usd: number): number => Math.round(usd * 1e6)

/**
 * Nano-dollars of a usage at a price: summed as integer pico-dollars, rounded once, half up.
 * Exact for attempts below 1,000 USD. Reasoning tokens cost what other output tokens cost.
 *
 * Cached and cache-write tokens that add up to more than the input were counted beside it (Azure does so for Grok), so
 * then they are added to it.
 *
 * Sums of such integers are exact up to `Number.MAX_SAFE_INTEGER`, about 9 million USD.
 */
export const nanoOf = (price: Price, usage: Usage): number => {
  const cached = usage.cachedTokens ?? 0
  const written = usage.cacheWriteTokens ?? 0
  const plain = usage.inputTokens >= cached + written ? usage.inputTokens - cached - written : usage.inputTokens
  const input = picoPerToken(price.inputUsd)
  const pico =
    plain * input +
    cached * (price.cachedUsd === undefined ? input : picoPerToken(price.cachedUsd)) +
    written * (price.cacheWriteUsd === undefined ? input : picoPerToken(price.cacheWriteUsd)) +
    usage.outputTokens * picoPerToken(price.outputUsd) +
    Math.round((price.requestUsd ?? 0) * 1e12)
  return Math.round(pico / 1000)
}

/**
 * The most a call can cost: every input token at the dearest input price and every output token there may be, rounded up.
 * A cache write can be dearer than plain input, so the bound counts with it.
 * @param inputTokensBound see `inputTokenBound`.
 */
export const worstCaseNano = (price: Price, inputTokensBound: number, maxOutputTokens: number): number => {
  const input = Math.max(price.inputUsd, price.cachedUsd ?? 0, price.cacheWriteUsd ?? 0)
  const pico = inputTokensBound * picoPerToken(input) + maxOutputTokens * picoPerToken(price.outputUsd) + Math.round((price.requestUsd ?? 0) * 1e12)
  return Math.ceil(pico / 1000)
}

/** Nano-dollars as USD, for people and public results. */
export const toUsd = (nano: number): number => nano / 1e9
