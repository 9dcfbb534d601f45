// An attacker with a token of their own, without one, or with a page that the victim opens. Each of these once went through.
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { setupAgent, systemClock, type RunEvent } from 'stateloop'
import { listen } from 'stateloop/server'
import { z } from 'zod'
import { payer, readEvents, testServer, TOKEN, weather } from './world.ts'

const START = '/v1/agents/weather/runs'
const ADA = { 'x-stateloop-user': 'ada' }
const BOB = { 'x-stateloop-user': 'bob' }

test('without the token no path answers but health and the page, however it is written', async () => {
  const { server } = testServer({ origins: ['https://app.example'], mount: { '/mcp': async () => new Response('in') } })
  const paths = [
    '/v1/runs',
    '/%76%31/runs',
    '//v1/runs',
    '/v1//runs',
    '/v1/runs/',
    '/V1/runs',
    '/v1/./runs',
    '/x/../v1/runs',
    '/v1%2fruns',
    '/v1/runs;a=b',
    '/mcp',
    '/mcp/',
    '/%6dcp',
    '/openapi.json',
    '/openapi.json/',
    '/%6fpenapi.json',
    '/v1/models',
    '/v1/chat/weather',
  ]
  for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'OPTIONS', 'TRACE2']) {
    for (const path of paths) {
      const { status } = await server.fetch(new Request(`http://test${path}`, { method, ...(method === 'POST' ? { body: '{}' } : {}), headers: { 'content-type': 'application/json' } }))
      expect([method, path, [401, 404].includes(status) || (method === 'OPTIONS' && status === 204)]).toEqual([method, path, true])
    }
  }
})

test.for([
  ['an empty user in a header', undefined, { 'x-stateloop-user': '' }, 400],
  ['a user with characters that command a terminal', undefined, { 'x-stateloop-user': 'a\u009b2J' }, 400],
  ['a hook that names a user without a value', () => ({ user: undefined }) as never, {}, 401],
  ['a hook whose user is empty', () => ({ user: '' }), {}, 401],
  ['a hook whose tenant is null', () => ({ user: 'ada', tenant: null }) as never, {}, 401],
] as const)('%s does not open the runs of everybody', async ([, identify, headers, status]) => {
  const { call, runtime } = testServer(identify === undefined ? {} : { identify })
  await (await runtime.start(weather, 'x', { user: 'ada' })).outcome()
  expect((await call('GET', '/v1/runs', undefined, headers)).status).toBe(status)
})

test('headers say nothing about a caller where a hook does, and what else a hook gives goes nowhere', async () => {
  const { call, runtime } = testServer({ identify: () => ({ user: 'ada', key: 'stolen', session: 'stolen', limits: {} }) as never })
  const first = await call('POST', START, { input: 'a' }, { ...BOB, 'x-stateloop-tenant': 'acme' })
  const second = await call('POST', START, { input: 'b' })
  expect([first.body.user, first.body.tenant, first.body.run === second.body.run]).toEqual(['ada', undefined, false])
  expect((await runtime.list()).map(({ session, key }) => [session, key])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
  ])
})

test('a session belongs to its user: another one with the same name hears nothing of it and does not hold it up', async () => {
  const t = setupAgent({ id: 'chatty', models: { fast: 'openai/gpt-5-mini' }, input: z.object({ say: z.string() }), onFailure: 'failed' })
  const chatty = t.createAgent({
    initial: 'talking',
    states: {
      talking: t.model('fast', { prompt: ({ context }) => context.say, thread: 'talk', save: ({ output }) => ({ say: output as string }), onDone: 'done' }),
      done: t.final({ output: ({ context }) => context.say }),
      failed: t.final({ outcome: 'failed' }),
    },
  })
  const heard: string[] = []
  const { call } = testServer({
    agents: [chatty],
    rules: (request) => {
      heard.push(JSON.stringify(request.messages))
      return { text: 'noted' }
    },
  })
  const say = (text: string, who: object) => call('POST', '/v1/agents/chatty/runs?waitMs=1000', { input: { say: text }, session: 'chat-1' }, who as never)
  await say('my secret is 42', ADA)
  const bobs = await say('what was said?', BOB)
  expect(heard[1]).not.toContain('42')
  expect(bobs.body).toMatchObject({ status: 'done', session: 'chat-1', user: 'bob' })
  expect((await say('and mine?', ADA)).body.status).toBe('done')
  expect(heard[2]).toContain('42')
  const listed = await call('GET', '/v1/runs?session=chat-1', undefined, BOB)
  expect(listed.body.runs.map(({ run }: { run: string }) => run)).toEqual([bobs.body.run])
})

test.for([
  ['GET', '', undefined],
  ['GET', '/events', undefined],
  ['POST', '/events', { type: 'APPROVE', hash: 'HASH' }],
  ['POST', '/approve', { hashes: ['HASH'] }],
  ['POST', '/reject', { hashes: ['HASH'] }],
  ['POST', '/cancel', {}],
  ['POST', '/resume', {}],
] as const)('%s of another user%s is not found, and changes nothing', async ([method, path, body]) => {
  const { call } = testServer()
  const { body: waiting } = await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' }, ADA)
  const { hash } = waiting.waiting[0].calls[0]
  const answer = await call(method, `/v1/runs/${waiting.run}${path}`, body === undefined ? undefined : JSON.stringify(body).replace('HASH', hash), BOB)
  expect([answer.status, answer.body.code]).toEqual([404, 'run_not_found'])
  expect((await call('GET', `/v1/runs/${waiting.run}`, undefined, ADA)).body).toMatchObject({ status: 'waiting', toolCalls: 0 })
})

test('a decision of another user in the body of useChat is not taken', async () => {
  const { call } = testServer()
  const { body: waiting } = await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' }, ADA)
  const id = `${waiting.run}:${waiting.waiting[0].calls[0].hash}`
  const messages = [{ id: 'm', role: 'assistant', parts: [{ type: 'tool-pay', state: 'approval-responded', toolCallId: 'c', input: {}, approval: { id, approved: true } }] }]
  expect((await call('POST', '/v1/chat/payer', { messages }, BOB)).body.code).toBe('run_not_found')
  expect((await call('GET', `/v1/runs/${waiting.run}`, undefined, ADA)).body.status).toBe('waiting')
})

test('two users who choose one idempotency key get a run each, in every way in', async () => {
  const { call, runtime } = testServer()
  const key = { 'idempotency-key': 'same' }
  const ada = await call('POST', START, { input: 'a' }, { ...ADA, ...key })
  const bob = await call('POST', START, { input: 'b' }, { ...BOB, ...key })
  expect([ada.status, bob.status, ada.body.run === bob.body.run]).toEqual([201, 201, false])
  await call('POST', '/v1/chat/completions', { model: 'weather', messages: [{ role: 'user', content: 'x' }] }, { ...ADA, 'idempotency-key': 'other' })
  await call('POST', '/v1/chat/completions', { model: 'weather', messages: [{ role: 'user', content: 'x' }] }, { ...BOB, 'idempotency-key': 'other' })
  expect((await runtime.list()).map(({ user }) => user).toSorted()).toEqual(['ada', 'ada', 'bob', 'bob'])
})

test.for([
  ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
  ['another site, in a browser that says no more', { origin: 'https://evil.example' }, 403],
  ['a page without an origin', { origin: 'null' }, 403],
  ['a neighbour of the same site', { origin: 'http://other.test', 'sec-fetch-site': 'same-site' }, 403],
  ['the page of the server', { origin: 'http://test', 'sec-fetch-site': 'same-origin' }, 200],
  ['the page of the server behind a proxy that changes its name', { origin: 'https://agents.example', 'sec-fetch-site': 'same-origin' }, 200],
  ['a page that was named', { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }, 200],
  ['a program', {}, 200],
] as const)('a request from %s with the cookies of the victim: %s', async ([, headers, status]) => {
  const { server, runtime } = testServer({ token: '', authenticate: (request) => request.headers.get('cookie') === 'session=victim', origins: ['https://app.example'] })
  const run = await runtime.start(payer, 'Pay.')
  await run.outcome()
  // A form can send this without asking first: no body, no type.
  const answer = await server.fetch(new Request(`http://test/v1/runs/${run.id}/cancel`, { method: 'POST', headers: { cookie: 'session=victim', ...headers } }))
  expect(answer.status).toBe(status)
  expect((await runtime.get(run.id))?.status).toBe(status === 200 ? 'cancelled' : 'waiting')
})

test('a bug inside a run is told to callers as a bug, in every way that a run is told', async () => {
  const { call, open } = testServer({
    onDefect: () => {},
    rules: () => {
      throw new Error('cannot open /srv/secret/key.pem')
    },
  })
  const { body } = await call('POST', `${START}?waitMs=1000`, { input: 'x' })
  const events = await readEvents(await open(`/v1/runs/${body.run}/events`))
  const chat = await call('POST', '/v1/chat/completions', { model: 'weather', messages: [{ role: 'user', content: 'x' }] })
  const ui = await (
    await open('/v1/chat/weather', { method: 'POST', body: JSON.stringify({ messages: [{ role: 'user', parts: [{ type: 'text', text: 'x' }] }] }), headers: { 'content-type': 'application/json' } })
  ).text()
  for (const told of [body, events.map(({ event }) => event), chat.body, ui]) {
    expect(JSON.stringify(told)).not.toContain('/srv/secret')
    expect(JSON.stringify(told)).toContain('bug')
  }
})

test('a body that is packed is not unpacked', async () => {
  const { call } = testServer()
  const packed = await new Response(new Blob([JSON.stringify({ input: 'x'.repeat(10_000) })]).stream().pipeThrough(new CompressionStream('gzip'))).bytes()
  const { open } = testServer()
  expect((await open(START, { method: 'POST', body: packed, headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' } })).status).toBe(415)
  expect((await call('POST', START, `[${'0,'.repeat(400_000)}0]`)).status).toBe(400)
})

test('a caller is counted, however many others there were', async () => {
  const { call } = testServer({ limits: { requestsPerMinute: 2 } })
  const as = (user: string) => call('GET', '/v1/runs?agent=nobody', undefined, { 'x-stateloop-user': user }).then(({ status }) => status)
  for (let user = 0; user < 10_050; user++) await as(`u${user}`)
  expect([await as('u10049'), await as('u10049')]).toEqual([200, 429])
})

test('routes that were mounted are counted as streams, take nothing on while the server drains, and see who calls', async () => {
  const seen: unknown[] = []
  const mount = {
    '/extra': async (_request: Request, identity: object) => {
      seen.push(identity)
      return new Response(new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1)) }))
    },
  }
  const { open, server } = testServer({ mount, limits: { streams: 1 } })
  const first = await open('/extra', { headers: ADA })
  expect((await open('/extra', { headers: BOB })).status).toBe(503)
  await first.body?.cancel()
  expect((await open('/extra', { headers: BOB })).status).toBe(200)
  expect(seen).toEqual([{ user: 'ada' }, { user: 'bob' }])
  void server.drain(0)
  expect((await open('/extra', { method: 'POST', headers: BOB })).status).toBe(503)
})

test('one user with many streams leaves room for others, and gets the room back', async () => {
  const { call, open } = testServer({ limits: { streams: 5, streamsPerCaller: 2 } })
  const { body } = await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' }, ADA)
  const { body: bobs } = await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' }, BOB)
  const watch = (run: string, headers: object): Promise<Response> => open(`/v1/runs/${run}/events`, { headers: { ...headers } })
  const [first, second, third] = [await watch(body.run, ADA), await watch(body.run, ADA), await watch(body.run, ADA)]
  expect([first.status, second.status, third.status, (await watch(bobs.run, BOB)).status]).toEqual([200, 200, 503, 200])
  await first.body?.cancel()
  expect((await watch(body.run, ADA)).status).toBe(200)
})

test('a server that knows its names answers to no other, which keeps a rebound name out', async () => {
  const { server } = testServer({ token: '', authenticate: () => true, hosts: ['localhost'] })
  const status = async (url: string): Promise<number> => (await server.fetch(new Request(url))).status
  expect([await status('http://localhost:8080/v1/runs'), await status('http://evil.example:8080/v1/runs')]).toEqual([200, 403])
})

test('clients that go away before their answer leave no slot taken', async () => {
  const { server, runtime } = testServer({ clock: systemClock, limits: { streams: 2 } })
  await using listening = await listen(server, { port: 0 })
  const port = Number(new URL(listening.url).port)
  const run = await runtime.start(payer, 'Pay.')
  await run.outcome()
  for (let times = 0; times < 20; times++) {
    await new Promise<void>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.write(`GET /v1/runs/${run.id}/${times % 2 === 0 ? 'events' : '../../runs?limit=5'} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n\r\n`)
        socket.destroy()
      })
      socket.on('close', () => resolve()).on('error', () => {})
    })
  }
  const headers = { authorization: `Bearer ${TOKEN}` }
  const told: RunEvent[] = []
  for (let tries = 0; told.length === 0 && tries < 200; tries++) {
    const answer = await fetch(`${listening.url}/v1/runs/${run.id}/events`, { headers })
    if (answer.status === 200) told.push(...(await readEvents(answer, ({ event }) => event.type === 'run.waiting')).map(({ event }) => event))
    else await answer.body?.cancel().then(() => new Promise((resolve) => setTimeout(resolve, 10)))
  }
  expect(told.at(-1)?.type).toBe('run.waiting')
})
