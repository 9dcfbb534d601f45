// Costs and bounds against recorded traffic of real providers, read here by an independent reader. The recordings live
// beside the repository and are not part of it.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { calcPrice } from '@pydantic/genai-prices'
import { describe, expect, it } from 'vitest'
import { inputTokenBound, priceTable, type InputText, type Usage } from '../../src/cost/index.ts'

const WIRE = new URL('../../../shared/wire/', import.meta.url)
const isThere = existsSync(WIRE)
if (!isThere) console.log('Recorded traffic is not there (../shared/wire), so costs are not compared with it.')

type Data = { readonly [key: string]: unknown }
const isData = (value: unknown): value is Data => typeof value === 'object' && value !== null && !Array.isArray(value)
const dataAt = (value: unknown, key: string): Data => (isData(value) && isData(value[key]) ? value[key] : {})
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

interface Recorded {
  readonly file: string
  readonly provider: string
  readonly asked: string
  readonly answered: string
  readonly atMs: number
  readonly usage: Usage
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

const readLine = (file: string, line: string): readonly Recorded[] => {
  const entry = JSON.parse(line) as { readonly request: { readonly url: string; readonly body: unknown }; readonly response: { readonly body: string } }
  const last = bodiesOf(entry.response.body).findLast((body) => isData(body['usage']))
  if (last === undefined) return []
  const reported = dataAt(last, 'usage')
  const details = { ...dataAt(reported, 'prompt_tokens_details'), ...dataAt(reported, 'input_tokens_details') }
  const host = entry.request.url.split('/')[2] ?? ''
  const request = isData(entry.request.body) ? entry.request.body : {}
  const answered = String(last['model'])
  return [
    {
      file,
      provider: PROVIDERS.find(([pattern]) => pattern.test(host))?.[1] ?? 'other',
      asked: typeof request['model'] === 'string' ? request['model'] : answered,
      answered,
      atMs: countAt(last, 'created', 'created_at') * 1000,
      usage: {
        inputTokens: countAt(reported, 'prompt_tokens', 'input_tokens'),
        outputTokens: countAt(reported, 'completion_tokens', 'output_tokens'),
        cachedTokens: countAt(details, 'cached_tokens'),
        cacheWriteTokens: countAt(details, 'cache_write_tokens'),
      },
      reported,
      request,
    },
  ]
}

const filesIn = (directory: URL): readonly URL[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => new URL(name, directory))
const files = isThere ? [...filesIn(WIRE), ...filesIn(new URL('loops/', WIRE))] : []
const recorded = files.flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .flatMap((line) => readLine(file.pathname.split('/').at(-1) ?? '', line)),
)

/** The price set of the list, or null where the list has no price for a token. */
const listed = (provider: string, model: string, atMs: number): Data | null => {
  const prices = calcPrice({ input_tokens: 0 }, model, { providerId: provider, timestamp: new Date(atMs) })?.model_price
  return prices?.['input_mtok'] === undefined || prices['output_mtok'] === undefined ? null : prices
}

/** Nano-dollars in whole-number arithmetic on millionths of a dollar. */
const exactNano = (prices: Data, { inputTokens, outputTokens, cachedTokens = 0, cacheWriteTokens = 0 }: Usage): number => {
  const micro = (key: string): bigint => {
    const value = prices[key] ?? prices['input_mtok']
    return BigInt(Math.round(Number(isData(value) ? value['base'] : value) * 1e6))
  }
  const beside = cachedTokens + cacheWriteTokens > inputTokens
  const plain = beside ? inputTokens : inputTokens - cachedTokens - cacheWriteTokens
  const pico = BigInt(plain) * micro('input_mtok') + BigInt(cachedTokens) * micro('cache_read_mtok') + BigInt(cacheWriteTokens) * micro('cache_write_mtok') + BigInt(outputTokens) * micro('output_mtok')
  return Number((pico + 500n) / 1000n)
}

describe.skipIf(!isThere)('the cost of recorded calls', () => {
  const prices = priceTable()

  it('is read from enough of them to mean something', () => {
    expect(recorded.length).toBeGreaterThan(750)
    expect(new Set(recorded.map(({ file }) => file)).size).toBeGreaterThan(150)
  })

  it('equals an independent computation for every call whose price is known, and is null for every other', () => {
    const known = recorded.filter(({ provider, asked, answered, atMs, usage, file }) => {
      const list = listed(provider, answered, atMs) ?? listed(provider, asked, atMs)
      const cost = prices.cost(provider, asked, usage, atMs, answered)
      expect(cost, `${file}: ${provider}/${answered}`).toEqual(list === null ? { nano: null, source: 'unknown' } : { nano: exactNano(list, usage), source: 'genai-prices@0.1.8' })
      return list !== null
    })
    expect(known.length).toBeGreaterThan(700)
    expect(recorded.length - known.length).toBeGreaterThan(10)
  })

  it('equals what xAI says it charged', () => {
    const charged = recorded.filter(({ provider, reported }) => provider === 'x-ai' && typeof reported['cost_in_usd_ticks'] === 'number')
    expect(charged.length).toBeGreaterThan(30)
    for (const { asked, usage, atMs, reported } of charged) {
      // A tick is a tenth of a nano-dollar.
      expect(prices.cost('x-ai', asked, usage, atMs).nano).toBe(Math.round(Number(reported['cost_in_usd_ticks']) / 10))
    }
  })
})

/** The text of a recorded request; undefined where more than its text was read: images, server tools, stored state. */
const textIn = (request: Data): InputText | undefined => {
  const { messages, input, instructions, tools, functions, response_format: format, text } = request
  const items = typeof input === 'string' ? [input] : (messages ?? input)
  const more = ['previous_response_id', 'conversation', 'prompt', 'plugins'].some((key) => key in request)
  const offered = (tools ?? functions ?? []) as readonly Data[]
  if (!Array.isArray(items) || more || offered.some(({ type = 'function' }) => type !== 'function')) return undefined
  if (/"(?:image_url|input_image|input_file|input_audio|file|image)"/.test(JSON.stringify(items))) return undefined
  const all = [...(items as readonly unknown[]), ...(instructions === undefined || instructions === null ? [] : [instructions])]
  const contents = all.map((item) => (isData(item) && typeof item['content'] === 'string' && item['tool_calls'] === undefined ? item['content'] : JSON.stringify(item)))
  const output = { ...dataAt(format, 'json_schema'), ...dataAt(text, 'format') }
  return { messages: contents.map((content) => ({ role: 'user', content })), tools: offered, ...(Object.keys(output).length === 0 ? {} : { output }) }
}

describe.skipIf(!isThere)('the bound of input tokens', () => {
  it('holds for every recorded request of text', () => {
    const requests = recorded.flatMap(({ request, usage, file, answered }) => {
      const text = textIn(request)
      return text === undefined ? [] : [{ text, usage, name: `${file}: ${answered}` }]
    })
    expect(requests.length).toBeGreaterThan(700)
    for (const { text, usage, name } of requests) expect(inputTokenBound(text), name).toBeGreaterThanOrEqual(usage.inputTokens)
  })
})
