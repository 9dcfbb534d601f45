// Recorded calls as an independent reader sees them: who was asked, what usage was reported, and what the list of prices makes
// of it in whole numbers. Nothing here uses the code under test.
import { calcPrice } from '@pydantic/genai-prices'
import { allRecordings, type Recording } from '../wire/recordings.ts'

/** Data of any shape. */
export type Data = { readonly [key: string]: unknown }
export const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value)
export const dataAt = (value: unknown, key: string): Data => (isData(value) && isData(value[key]) ? value[key] : {})
const countAt = (value: Data, ...keys: readonly string[]): number => keys.map((key) => value[key]).find((count): count is number => typeof count === 'number') ?? 0

/** Host of the request → provider id. Everybody else is called `other`, which has no list prices. */
const PROVIDERS: readonly (readonly [RegExp, string])[] = [
  [/azure\.com$/, 'azure'],
  [/^api\.openai\.com$/, 'openai'],
  [/^api\.anthropic\.com$/, 'anthropic'],
  [/^api\.deepseek\.com$/, 'deepseek'],
  [/^api\.groq\.com$/, 'groq'],
  [/^api\.mistral\.ai$/, 'mistral'],
  [/^api\.x\.ai$/, 'x-ai'],
  [/^openrouter\.ai$/, 'openrouter'],
  [/^generativelanguage\.googleapis\.com$/, 'google'],
]

/** Tokens as they were reported, each 0 where nothing was. */
export interface Tokens {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cachedTokens: number
  readonly cacheWriteTokens: number
  readonly reasoningTokens: number
}

/** A recorded call with usage. */
export interface Recorded {
  readonly recording: Recording
  readonly file: string
  readonly provider: string
  readonly asked: string
  readonly answered: string
  readonly atMs: number
  readonly usage: Tokens
  readonly reported: Data
  readonly request: Data
}

/** Bodies of one response: the JSON, or each event of a stream. */
const bodiesOf = (body: string): readonly Data[] => {
  const texts = /^\s*(?:data|event|id|:)/.test(body) ? [...body.matchAll(/^data: ?(\{.*)$/gm)].map(([, text = '']) => text) : [body]
  return texts.flatMap((text) => {
    try {
      const parsed: unknown = JSON.parse(text)
      return isData(parsed) ? [isData(parsed['response']) ? parsed['response'] : parsed] : []
    } catch {
      return []
    }
  })
}

const tokensOf = (reported: Data): Tokens => {
  const input = { ...dataAt(reported, 'prompt_tokens_details'), ...dataAt(reported, 'input_tokens_details') }
  const output = { ...dataAt(reported, 'completion_tokens_details'), ...dataAt(reported, 'output_tokens_details') }
  return {
    inputTokens: countAt(reported, 'prompt_tokens', 'input_tokens'),
    outputTokens: countAt(reported, 'completion_tokens', 'output_tokens'),
    cachedTokens: countAt({ ...reported, ...input }, 'cached_tokens', 'prompt_cache_hit_tokens'),
    cacheWriteTokens: countAt(input, 'cache_write_tokens'),
    reasoningTokens: countAt(output, 'reasoning_tokens'),
  }
}

const readCall = (recording: Recording): readonly Recorded[] => {
  const last = bodiesOf(recording.response.body).findLast((body) => isData(body['usage']))
  if (last === undefined) return []
  const host = recording.request.url.split('/')[2] ?? ''
  const request = isData(recording.request.body) ? recording.request.body : {}
  const answered = String(last['model'])
  const reported = dataAt(last, 'usage')
  return [
    {
      recording,
      file: recording.file.split('/').at(-1) ?? '',
      provider: PROVIDERS.find(([pattern]) => pattern.test(host))?.[1] ?? 'other',
      asked: typeof request['model'] === 'string' ? request['model'] : answered,
      answered,
      atMs: countAt(last, 'created', 'created_at') * 1000,
      usage: tokensOf(reported),
      reported,
      request,
    },
  ]
}

/** Every recorded call that reports usage. */
export const recordedCalls = (): readonly Recorded[] => allRecordings().flatMap(([, recordings]) => recordings.flatMap(readCall))

/** The price set of the list, or null where the list has no price for a token. */
export const listed = (provider: string, model: string, atMs: number): Data | null => {
  const prices = calcPrice({ input_tokens: 0 }, model, { providerId: provider, timestamp: new Date(atMs) })?.model_price
  return prices?.['input_mtok'] === undefined || prices['output_mtok'] === undefined ? null : prices
}

/** Nano-dollars in whole-number arithmetic on millionths of a dollar. */
export const exactNano = (prices: Data, { inputTokens, outputTokens, cachedTokens, cacheWriteTokens }: Tokens): number => {
  const micro = (key: string): bigint => {
    const value = prices[key] ?? prices['input_mtok']
    return BigInt(Math.round(Number(isData(value) ? value['base'] : value) * 1e6))
  }
  const beside = cachedTokens + cacheWriteTokens > inputTokens
  const plain = beside ? inputTokens : inputTokens - cachedTokens - cacheWriteTokens
  const pico = BigInt(plain) * micro('input_mtok') + BigInt(cachedTokens) * micro('cache_read_mtok') + BigInt(cacheWriteTokens) * micro('cache_write_mtok') + BigInt(outputTokens) * micro('output_mtok')
  return Number((pico + 500n) / 1000n)
}
