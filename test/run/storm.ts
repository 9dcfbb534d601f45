// Many runs at once in front of a provider that turns most calls away, over real sockets, and what the provider saw.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { seededRandom } from '../../src/clock/index.ts'
import { agent, createRuntime, openai } from '../../src/index.ts'

/** What came of a storm. */
export interface Storm {
  /** Runs by outcome, and failed ones by code. */
  readonly ends: { readonly [end: string]: number }
  readonly calls: number
  readonly turnedAway: number
  /** Attempts that came before the time that the answer to the one before had named. */
  readonly early: number
  /** Most connections open at once. */
  readonly connections: number
  /** Largest resident set, bytes. */
  readonly rssBytes: number
}

const REPLY = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 },
})
const REFUSAL = JSON.stringify({ error: { message: 'Slow down.', type: 'rate_limit_exceeded', code: 'rate_limit_exceeded' } })

/** A provider that answers `share` of all calls with 429 and asks to wait between 20 and 200 ms. */
const provider = async (seed: number, share: number) => {
  const random = seededRandom(seed)
  const notBefore = new Map<string, number>()
  const seen = { calls: 0, turnedAway: 0, early: 0, connections: 0 }
  let open = 0
  const server = createServer((request, response) => {
    const key = String(request.headers['x-client-request-id'])
    request.resume()
    request.on('end', () => {
      seen.calls++
      if (performance.now() < (notBefore.get(key) ?? 0)) seen.early++
      if (random() >= share) return void response.writeHead(200, { 'content-type': 'application/json' }).end(REPLY)
      seen.turnedAway++
      const waitMs = 20 + Math.floor(random() * 180)
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after-ms': String(waitMs) }).end(REFUSAL, () => notBefore.set(key, performance.now() + waitMs - 1))
    })
  })
  // As real providers do: a connection is kept longer than a busy client lets it rest.
  server.keepAliveTimeout = 60_000
  server.on('connection', (socket) => {
    seen.connections = Math.max(seen.connections, ++open)
    socket.on('close', () => open--)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 4_096, resolve))
  return {
    seen,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

/** Starts `runs` runs at once and waits for all. */
export const storm = async (runs: number, seed: number, share = 0.6): Promise<Storm> => {
  const server = await provider(seed, share)
  const runtime = createRuntime({ providers: [openai({ baseURL: server.url, apiKey: 'offline' })], limiter: { concurrency: 200, queue: 100_000 } })
  const asking = agent({ id: 'asking', model: 'openai/m', prompt: 'Answer.', retry: { attempts: 12, backoffMs: 20, maxBackoffMs: 400 }, timeout: { firstTokenMs: 300_000, totalMs: 900_000 } })
  const ends: { [end: string]: number } = {}
  let rssBytes = 0
  const one = async (index: number): Promise<void> => {
    const outcome = await (await runtime.start(asking, `question ${index}`)).outcome()
    const end = 'failure' in outcome ? `${outcome.outcome} ${outcome.failure.code}` : outcome.outcome
    ends[end] = (ends[end] ?? 0) + 1
    if (index % 100 === 0) rssBytes = Math.max(rssBytes, process.memoryUsage.rss())
  }
  try {
    await Promise.all(Array.from({ length: runs }, (_, index) => one(index)))
  } finally {
    await runtime.close()
    await server.close()
  }
  return { ends, ...server.seen, rssBytes: Math.max(rssBytes, process.memoryUsage.rss()) }
}
