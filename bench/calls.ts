// CPU of one model call over a loopback socket: bare fetch, the bare OpenAI SDK, our provider alone, and a whole call with
// every policy on. Only the ratios within one run mean anything. Run: npm run bench:calls
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import OpenAI from 'openai'
import { client, openai } from '../src/index.ts'
import { timeoutsOf } from '../src/policy/index.ts'

const REPLY = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-5-mini',
  choices: [{ index: 0, message: { role: 'assistant', content: 'A sentence that is as long as an answer often is.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 50, completion_tokens: 12, total_tokens: 62 },
})

const server = createServer((request, response) => {
  request.resume()
  request.on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(REPLY))
})
server.keepAliveTimeout = 60_000
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`

const messages = [{ role: 'user' as const, content: 'Say something of the length of a question.' }]
const sdk = new OpenAI({ baseURL, apiKey: 'offline', maxRetries: 0 })
const provider = openai({ baseURL, apiKey: 'offline' })
const plain = client({ models: { m: 'openai/gpt-5-mini' }, providers: [provider], breaker: false, limiter: false })
const full = client({ models: { m: 'openai/gpt-5-mini' }, providers: [openai({ baseURL, apiKey: 'offline' })] })
let count = 0

const variants: { readonly [name: string]: () => Promise<unknown> } = {
  'fetch by hand': async () =>
    (await fetch(`${baseURL}/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: 'Bearer offline' }, body: JSON.stringify({ model: 'm', messages }) })).json(),
  'OpenAI SDK': () => sdk.chat.completions.create({ model: 'm', messages }),
  'our provider alone': () => provider.call({ model: 'gpt-5-mini', messages, params: { maxOutputTokens: 100 } }, { signal: new AbortController().signal, timeouts: timeoutsOf(), key: `k${count++}` }),
  'client.call, breaker and limiter off': () => plain.call({ model: 'm', prompt: messages[0]?.content ?? '', user: 'u', route: '/r' }),
  'client.call, all policies, cache (misses), USD limit': () =>
    full.call({ model: 'm', prompt: `${messages[0]?.content ?? ''} ${count++}`, user: 'u', route: '/r', cache: { ttlMs: 60_000 }, limits: { costUsd: 0.1 }, retry: { attempts: 3 } }),
  'client.call, answered from the cache': () => full.call({ model: 'm', prompt: 'always the same', cache: { ttlMs: 600_000 } }),
}

const CALLS = 400
const ROUNDS = 5
const measure = async (call: () => Promise<unknown>): Promise<number> => {
  const before = process.cpuUsage()
  for (let done = 0; done < CALLS; done++) await call()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / CALLS
}
const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

for (const call of Object.values(variants)) for (let warm = 0; warm < 200; warm++) await call()
const results = new Map<string, number[]>(Object.keys(variants).map((name) => [name, []]))
for (let round = 0; round < ROUNDS; round++) for (const [name, call] of Object.entries(variants)) results.get(name)?.push(await measure(call))
const bare = median(results.get('OpenAI SDK') ?? [])
console.log(`${'CPU microseconds per call, server included'.padEnd(56)}${'µs'.padStart(8)}${'× SDK'.padStart(8)}`)
for (const [name, rounds] of results) console.log(name.padEnd(56) + median(rounds).toFixed(0).padStart(8) + (median(rounds) / bare).toFixed(2).padStart(8))
await plain.close()
await full.close()
server.close()
server.closeAllConnections()
