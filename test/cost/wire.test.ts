// Costs and bounds against recorded traffic of real providers, read here by an independent reader. The recordings live
// beside the repository and are not part of it.
import { describe, expect, it } from 'vitest'
import { inputTokenBound, priceTable, type InputText } from '../../src/cost/index.ts'
import { hasShared } from '../wire/recordings.ts'
import { dataAt, exactNano, isData, listed, recordedCalls, type Data } from './recorded.ts'

if (!hasShared) console.log('Recorded traffic is not there (../shared/wire), so costs are not compared with it.')

const recorded = recordedCalls()

describe.skipIf(!hasShared)('the cost of recorded calls', () => {
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

describe.skipIf(!hasShared)('the bound of input tokens', () => {
  it('holds for every recorded request of text', () => {
    const requests = recorded.flatMap(({ request, usage, file, answered }) => {
      const text = textIn(request)
      return text === undefined ? [] : [{ text, usage, name: `${file}: ${answered}` }]
    })
    expect(requests.length).toBeGreaterThan(700)
    for (const { text, usage, name } of requests) expect(inputTokenBound(text), name).toBeGreaterThanOrEqual(usage.inputTokens)
  })
})
