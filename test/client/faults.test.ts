// The client behind a network that cuts, refuses and holds back. Every event of a step comes exactly once and in order.
import { expect, test } from 'vitest'
import { systemClock, type RunEvent } from 'stateloop'
import { client, ProblemError } from 'stateloop/client'
import { listen } from 'stateloop/server'
import { faultProxy, type Fault } from '../server/fault-proxy.ts'
import { testServer, TOKEN } from '../server/world.ts'

/** A run that has ended, behind a proxy. */
const behind = async (faultOf: (connection: number) => Fault) => {
  const { call, server } = testServer({ clock: systemClock })
  const { body } = await call('POST', '/v1/agents/payer/runs?waitMs=5000', { input: 'Pay.' })
  await call('POST', `/v1/runs/${body.run}/approve?waitMs=5000`, { hashes: [body.waiting[0].calls[0].hash] })
  const listening = await listen(server, { port: 0 })
  const proxy = await faultProxy(listening.url, faultOf)
  const all = async (url: string): Promise<readonly RunEvent[]> => {
    const events: RunEvent[] = []
    for await (const event of client({ url, agent: 'payer', token: TOKEN }).run(body.run)) events.push(event)
    return events
  }
  return { listening, proxy, run: body.run as string, all, [Symbol.asyncDispose]: async () => (await proxy[Symbol.asyncDispose](), await listening.close(10)) }
}

test('connections that are cut anywhere, refused, or held back to their end lose nothing and repeat nothing', async () => {
  let state = 12
  const random = (): number => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647
  await using world = await behind((connection) => (connection === 2 ? { refuse: true } : connection > 5 ? { holdBack: true } : { cutAfterBytes: 900 + Math.floor(random() * 2_500) }))
  expect(await world.all(world.proxy.url)).toEqual(await world.all(world.listening.url))
  expect(world.proxy.connections()).toBeGreaterThan(3)
}, 60_000)

/** A client whose server answers with whatever the test says. */
const answered = (...answers: readonly (() => Response)[]) => {
  let asked = 0
  const ids: (string | null)[] = []
  const made = client({
    url: 'http://test',
    agent: 'x',
    fetch: async (url, init) => {
      ids.push(new Request(url as string, init).headers.get('last-event-id'))
      return (answers[Math.min(asked++, answers.length - 1)] ?? (() => new Response()))()
    },
  })
  return { made, ids, asked: () => asked }
}

const EVENTS = { headers: { 'content-type': 'text/event-stream' } }
const frame = (id: string, data: string): string => `id: ${id}\ndata: ${data}\n\n`
const END = '{"type":"run.ended"}'

test('an event that arrives damaged is asked for again, not passed over', async () => {
  const { made, ids } = answered(
    () => new Response(`retry: 1\n\n${frame('0.0', '{"type":"run.started"}')}${frame('0.1', '{"type":')}`, EVENTS),
    () => new Response(`${frame('0.1', '{"type":"state.entered"}')}${frame('0.2', END)}`, EVENTS),
  )
  const types: string[] = []
  for await (const { type } of made.run('r')) types.push(type)
  expect(types).toEqual(['run.started', 'state.entered', 'run.ended'])
  expect(ids).toEqual([null, '0.0'])
})

test('an answer that is no stream of events is an error with what it was, not something to wait for', async () => {
  const { made, asked } = answered(() => new Response('<html>Sign in</html>', { headers: { 'content-type': 'text/html' } }))
  const watching = made.run('r')[Symbol.asyncIterator]().next()
  await expect(watching).rejects.toMatchObject({ name: 'ProblemError', code: 'provider_error', message: expect.stringContaining('text/html') })
  expect(asked()).toBe(1)
})

test('a line without an end is given up before it fills the memory', async () => {
  let sent = 0
  const endless = (): Response => new Response(new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array((sent += 1_000_000) && 1_000_000).fill(0x61)) }), EVENTS)
  const { made } = answered(endless)
  await expect(made.run('r')[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(ProblemError)
  expect(sent).toBeLessThan(100_000_000)
}, 20_000)

test('a large event in small pieces is read in one pass', async () => {
  const large = `data: {"type":"run.ended","text":"${'x'.repeat(4_000_000)}"}\n\n`
  const pieces = Array.from({ length: Math.ceil(large.length / 500) }, (_, at) => new TextEncoder().encode(large.slice(at * 500, at * 500 + 500)))
  const { made } = answered(() => new Response(ReadableStream.from(pieces), EVENTS))
  const types: string[] = []
  for await (const { type } of made.run('r')) types.push(type)
  expect(types).toEqual(['run.ended'])
}, 20_000)

test('an id cannot lead a request to another route, and a server cannot have the client wait for ever or not at all', async () => {
  const seen: string[] = []
  const made = client({
    url: 'http://test',
    agent: 'x',
    fetch: async (url) => {
      seen.push(new URL(url as string).pathname)
      return Response.json({ code: 'throttled', detail: 'Later.', details: { retryAfterMs: 1e15 } }, { status: 429 })
    },
  })
  await expect(made.run('../agents/x/runs?a=').get()).rejects.toMatchObject({ code: 'throttled' })
  expect(seen).toEqual(['/v1/runs/..%2Fagents%2Fx%2Fruns%3Fa%3D'])
})
