import { expect, expectTypeOf, test } from 'vitest'
import { replyText, setupAgent, systemClock, type AnyAgent } from 'stateloop'
import { client, ProblemError, type ClientOptions } from 'stateloop/client'
import { listen } from 'stateloop/server'
import { z } from 'zod'
import { obedient, testServer, TOKEN, type payer, type TestServer, type weather } from '../server/world.ts'

type Answer = (request: Request) => Promise<Response>

/** A client of a server in this process; `between` stands where the network is. */
const clientOf = <A = AnyAgent>({ server }: TestServer, agent: string, between: (answer: Answer) => Answer = (answer) => answer, more: Partial<ClientOptions> = {}) => {
  const answer = between((request) => server.fetch(request))
  return client<A>({ url: 'http://test', agent, token: TOKEN, fetch: (url, init) => answer(new Request(url as string, init)), ...more })
}

test('a run is started, watched to its end and asked for its outcome', async () => {
  const desk = clientOf<typeof weather>(testServer(), 'weather')
  const run = await desk.start('Rain in Bern?')
  const types: string[] = []
  for await (const event of run) types.push(event.type)
  expect(types[0]).toBe('run.started')
  expect(types.at(-1)).toBe('run.ended')
  const outcome = await run.outcome()
  expectTypeOf(outcome.output).toEqualTypeOf<string | undefined>()
  expect(outcome).toMatchObject({ status: 'done', output: 'The tool said: {"city":"Bern","sky":"rain"}' })
  expect(await desk.list({ status: ['done'] })).toMatchObject([{ run: run.id }])
})

test('input, output and events are those of the agent', () => {
  const t = setupAgent({ id: 'desk', models: {}, input: z.object({ question: z.string() }), events: { ANSWER: z.object({ text: z.string() }) }, output: z.object({ ok: z.boolean() }), onFailure: 'failed' })
  const desk = t.createAgent({ initial: 'asking', states: { asking: t.human({ on: { ANSWER: 'answered' } }), answered: t.final({ output: () => ({ ok: true }) }), failed: t.final({ outcome: 'failed' }) } })
  const remote = clientOf<typeof desk>(testServer({ agents: [desk] }), 'desk')
  expectTypeOf(remote.start).parameter(0).toEqualTypeOf<{ question: string }>()
  type Run = Awaited<ReturnType<typeof remote.start>>
  expectTypeOf<Awaited<ReturnType<Run['outcome']>>['output']>().toEqualTypeOf<{ ok: boolean } | undefined>()
  expectTypeOf<{ type: 'ANSWER'; text: string }>().toExtend<Parameters<Run['send']>[0]>()
})

test('a call is approved, rejected or cancelled from afar, by another client too', async () => {
  const made = testServer()
  const desk = clientOf<typeof payer>(made, 'payer')
  const { id } = await desk.start('Pay 3.')
  const waiting = await desk.run(id).outcome()
  const hash = waiting.waiting?.[0]?.calls?.[0]?.hash ?? ''
  await expect(desk.run(id).approve('another')).rejects.toMatchObject({ name: 'ProblemError', code: 'event_not_accepted', status: 409 })
  await desk.run(id).approve(hash)
  expect(await desk.run(id).outcome()).toMatchObject({ status: 'done', output: 'The tool said: {"paid":3}' })
  const second = await desk.start('Pay 3.')
  await second.outcome()
  expect(await second.cancel('enough')).toMatchObject({ run: second.id })
  expect(await second.outcome()).toMatchObject({ status: 'cancelled', failure: { code: 'cancelled' } })
})

test('a stream that breaks after any number of bytes is taken up again, with nothing lost and nothing twice', async () => {
  const made = testServer()
  const { run: id } = (await made.call('POST', '/v1/agents/weather/runs?waitMs=1000', { input: 'x' })).body
  const whole: unknown[] = []
  for await (const event of clientOf(made, 'weather').run(id)) whole.push(event)
  let streams = 0
  const cut = (bytes: number) => (answer: Answer) => async (request: Request) => {
    const response = await answer(request)
    if (!request.url.endsWith('/events')) return response
    streams += 1
    const [body] = [await new Response(response.body).bytes()]
    const pieces = Array.from(body.slice(0, bytes), (byte) => Uint8Array.of(byte))
    return new Response(ReadableStream.from(pieces), { headers: response.headers })
  }
  for (const bytes of [1_501, 2_048]) {
    const heard: unknown[] = []
    let breaks = 0
    for await (const event of clientOf(made, 'weather', cut(bytes))
      .run(id)
      .watch({ onReconnect: () => (breaks += 1) }))
      heard.push(event)
    expect(heard).toEqual(whole)
    expect(breaks).toBeGreaterThan(0)
  }
  expect(streams).toBeGreaterThan(4)
}, 60_000)

test('a start whose answer is lost on the way is sent again and gives one run', async () => {
  const made = testServer()
  let lost = 0
  const lossy = (answer: Answer) => async (request: Request) => {
    const response = await answer(request)
    if (request.method === 'POST' && lost++ === 0) throw new TypeError('fetch failed')
    return response
  }
  const run = await clientOf<typeof weather>(made, 'weather', lossy).start('Rain?')
  expect(lost).toBe(2)
  expect(await made.runtime.list()).toMatchObject([{ id: run.id }])
})

test('what the server refuses is an error with a code and details, and is not sent again', async () => {
  const made = testServer()
  let asked = 0
  const counted = (answer: Answer) => (request: Request) => {
    asked += 1
    return answer(request)
  }
  const desk = clientOf(made, 'weather', counted)
  const refused = (await desk.start({ wrong: true }).catch((error: unknown) => error)) as ProblemError
  expect(refused).toBeInstanceOf(ProblemError)
  expect([refused.code, refused.status, refused.details]).toMatchObject(['invalid_input', 422, { issues: [{ path: '' }] }])
  expect(asked).toBe(1)
  await expect(desk.run('00000000-0000-7000-8000-000000000000')[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'run_not_found' })
  await expect(clientOf(made, 'weather', undefined, { token: 'not the right token' }).list()).rejects.toMatchObject({ code: 'unauthorized', status: 401 })
})

test('a server that is not there, or a proxy that answers instead, is told apart from one that refuses', async () => {
  const down = clientOf(testServer(), 'weather', () => () => Promise.reject(new TypeError('fetch failed')))
  await expect(down.run('x').approve('h')).rejects.toMatchObject({ code: 'connection_failed', status: 0 })
  const proxy = clientOf(testServer(), 'weather', () => async () => new Response('<html>Not found</html>', { status: 404 }))
  await expect(proxy.list()).rejects.toMatchObject({ code: 'provider_error', status: 404 })
})

test('an iteration ends when its signal says so', async () => {
  const made = testServer()
  const desk = clientOf<typeof payer>(made, 'payer')
  const run = await desk.start('Pay.')
  const stop = new AbortController()
  const seen: string[] = []
  const watching = (async () => {
    for await (const event of run.watch({ signal: stop.signal })) {
      seen.push(event.type)
      if (event.type === 'run.waiting') stop.abort(new Error('enough'))
    }
  })()
  await expect(watching).rejects.toThrow('enough')
  expect(seen.at(-1)).toBe('run.waiting')
})

test('over a real connection that the server closes, the iteration goes on with the next server', async () => {
  const before = testServer({ clock: systemClock, rules: () => replyText('slowly but surely', { delayMs: 300 }) })
  const first = await listen(before.server, { port: 0 })
  const port = Number(new URL(first.url).port)
  const desk = client<typeof payer>({ url: first.url, agent: 'payer', token: TOKEN })
  const made = testServer({ clock: systemClock, runtime: { journal: before.runtime.journal }, rules: obedient })
  const waiting = (await made.call('POST', '/v1/agents/payer/runs?waitMs=5000', { input: 'Pay.' })).body
  const types: string[] = []
  const watched = (async () => {
    for await (const event of desk.run(waiting.run)) types.push(event.type)
  })()
  while (!types.includes('run.waiting')) await new Promise((resolve) => setTimeout(resolve, 5))
  await first.close(10)
  const second = await listen(made.server, { port })
  await made.call('POST', `/v1/runs/${waiting.run}/approve`, { hashes: [waiting.waiting[0].calls[0].hash] })
  await watched
  expect(types.at(-1)).toBe('run.ended')
  expect(types.filter((type) => type === 'run.started')).toHaveLength(1)
  await second.close(10)
}, 30_000)
