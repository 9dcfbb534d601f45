// Requests that nobody friendly sends. Each is answered with a problem that has a code, and none reaches a run.
import { connect } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeInfo, type FakeClock } from 'stateloop'
import { createServer, listen } from 'stateloop/server'
import { readEvents, testServer, TOKEN, weather } from './world.ts'

const START = '/v1/agents/weather/runs'
const JSON_TYPE = { 'content-type': 'application/json' }

test.for([
  ['no header', {}],
  ['another token', { authorization: 'Bearer another-token-altogether' }],
  ['the token with more behind it', { authorization: `Bearer ${TOKEN}x` }],
  ['half of the token', { authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
  ['another scheme', { authorization: `Basic ${TOKEN}` }],
  ['the token alone', { authorization: TOKEN }],
  ['an empty token', { authorization: 'Bearer ' }],
  ['a cookie', { cookie: `token=${TOKEN}` }],
] as const)('a request with %s is not let in', async ([, headers]) => {
  const { server } = testServer()
  for (const path of ['/v1/runs', '/v1/agents/weather/runs', '/v1/nothing', '/openapi.json?token=x']) {
    const answer = await server.fetch(new Request(`http://test${path}`, { headers }))
    expect([path, answer.status, answer.headers.get('www-authenticate')]).toEqual([path, 401, 'Bearer'])
    expect(await answer.json()).toMatchObject({ code: 'unauthorized' })
  }
})

test('a server without a token, with a short one, or with two agents of one id is not made', () => {
  const { runtime } = testServer()
  const code = (make: () => unknown): unknown => {
    try {
      return make()
    } catch (error) {
      return (error as { readonly code?: string }).code
    }
  }
  expect(code(() => createServer({ runtime, agents: [weather] }))).toBe('usage')
  expect(code(() => createServer({ runtime, agents: [weather], token: 'short' }))).toBe('usage')
  expect(code(() => createServer({ runtime, agents: [weather, weather], token: TOKEN }))).toBe('usage')
})

test.for([
  ['no JSON', '{"input":', JSON_TYPE, 400, 'usage'],
  ['one key twice', '{"input":"a","input":"b"}', JSON_TYPE, 400, 'usage'],
  ['a prototype', '{"input":"a","__proto__":{"session":"x"}}', JSON_TYPE, 400, 'usage'],
  ['a bottomless document', `{"input":${'['.repeat(1_000)}`, JSON_TYPE, 400, 'usage'],
  ['a number without an end', '{"input":1e999}', JSON_TYPE, 400, 'usage'],
  ['an unknown field', '{"input":"a","user":"root"}', JSON_TYPE, 400, 'usage'],
  ['a list', '["input"]', JSON_TYPE, 400, 'usage'],
  ['a form', 'input=a', { 'content-type': 'application/x-www-form-urlencoded' }, 415, 'usage'],
  ['plain text, as a page of another origin may send it', '{"input":"a"}', { 'content-type': 'text/plain' }, 415, 'usage'],
  ['more than the limit', JSON.stringify({ input: 'x'.repeat(2_000) }), JSON_TYPE, 413, 'request_too_large'],
  ['a key that is too long', '{"input":"a"}', { ...JSON_TYPE, 'idempotency-key': 'k'.repeat(300) }, 400, 'usage'],
  ['a user that is too long', '{"input":"a"}', { ...JSON_TYPE, 'x-stateloop-user': 'u'.repeat(300) }, 400, 'usage'],
  ['an input of the wrong type', '{"input":{"toString":"x"}}', JSON_TYPE, 422, 'invalid_input'],
  ['nothing', '{}', JSON_TYPE, 422, 'invalid_input'],
] as const)('a start with %s is refused', async ([, body, headers, status, code]) => {
  const { call, runtime } = testServer({ limits: { bodyBytes: 1_500 } })
  const answer = await call('POST', START, body, headers)
  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(await runtime.list()).toEqual([])
})

test('a body that is not UTF-8, or has no length and no end, is refused', async () => {
  const { open } = testServer({ limits: { bodyBytes: 10_000 } })
  const post = (body: RequestInit['body']): Promise<Response> => open(START, { method: 'POST', body, headers: JSON_TYPE, duplex: 'half' } as RequestInit)
  expect((await post(Uint8Array.of(0x22, 0xff, 0xfe, 0x22))).status).toBe(400)
  let sent = 0
  const endless = new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array((sent += 1_000) && 1_000).fill(0x20)) })
  expect((await post(endless)).status).toBe(413)
  expect(sent).toBeLessThan(20_000)
})

test.for([
  ['GET', '/v1/runs/00000000-0000-7000-8000-000000000000', 404, 'run_not_found'],
  ['GET', '/v1/runs/%00', 404, 'run_not_found'],
  ['GET', `/v1/runs/${'a'.repeat(5_000)}`, 404, 'run_not_found'],
  ['GET', '/v1/runs/..%2f..%2fetc%2fpasswd', 404, 'run_not_found'],
  ['GET', "/v1/runs/x'%20OR%201=1--", 404, 'run_not_found'],
  ['POST', '/v1/agents/__proto__/runs', 404, 'agent_not_found'],
  ['POST', '/v1/agents/constructor/runs', 404, 'agent_not_found'],
  ['POST', '/v1/agents/..%2fweather/runs', 404, 'agent_not_found'],
  ['POST', `${START}?waitMs=-1`, 400, 'usage'],
  ['POST', `${START}?waitMs=99999999`, 400, 'usage'],
  ['POST', `${START}?waitMs=1e3`, 400, 'usage'],
  ['GET', '/v1/runs?limit=501', 400, 'usage'],
  ['GET', '/v1/runs?status=done,secret', 400, 'usage'],
  ['GET', '/v1/runs?since=NaN', 400, 'usage'],
  ['DELETE', '/v1/runs', 404, 'usage'],
  ['PUT', START, 404, 'usage'],
  ['GET', '/v1', 404, 'usage'],
  ['GET', '/.env', 404, 'usage'],
] as const)('%s %s is refused', async ([method, path, status, code]) => {
  const { call, runtime } = testServer()
  const answer = await call(method, path, method === 'POST' ? { input: 'a' } : undefined)
  expect([answer.status, answer.body.code]).toEqual([status, code])
  expect(answer.body.detail.length).toBeLessThan(500)
  expect(await runtime.list()).toEqual([])
})

test.for(['xstate.done.actor.0.payer.approving', 'xstate.error.actor.x', 'stateloop.cancel', 'stateloop.migrated', '*', 'xstate.*', '', 'APPROVE', 'NOT_DECLARED', '__proto__'])(
  'the event %j cannot be smuggled into a run',
  async (type) => {
    const { call } = testServer()
    const { body } = await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' })
    const answer = await call('POST', `/v1/runs/${body.run}/events`, { type, output: 'approved', reason: 'x' })
    expect([400, 422]).toContain(answer.status)
    expect((await call('GET', `/v1/runs/${body.run}`)).body).toMatchObject({ status: 'waiting', toolCalls: 0 })
  },
)

test('HEAD of an event stream leaves nothing open, and neither does an id that is none', async () => {
  const { call, open } = testServer({ limits: { streams: 1 } })
  const { body } = await call('POST', '/v1/agents/payer/runs', { input: 'Pay.' })
  const path = `/v1/runs/${body.run}/events`
  for (let times = 0; times < 3; times++) {
    expect((await open(path, { method: 'HEAD' })).status).toBe(200)
    expect((await call('GET', path, undefined, { 'last-event-id': '1; DROP TABLE' })).status).toBe(400)
  }
  expect((await readEvents(await open(path), ({ event }) => event.type === 'run.waiting')).length).toBeGreaterThan(3)
})

describe('limits', () => {
  test('a caller that comes too fast is told when to come back, and others are not held up', async () => {
    const { call, clock } = testServer({ limits: { requestsPerMinute: 3 } })
    const as = (user: string) => call('GET', '/v1/runs', undefined, { 'x-stateloop-user': user })
    const codes = [await as('ada'), await as('ada'), await as('ada'), await as('ada'), await as('bob')].map(({ status }) => status)
    expect(codes).toEqual([200, 200, 200, 429, 200])
    const refused = await as('ada')
    expect([refused.body.code, refused.headers.get('retry-after')]).toEqual(['throttled', '20'])
    await (clock as FakeClock).advance(20_000)
    expect((await as('ada')).status).toBe(200)
  })

  test('more runs at work than the limit are refused, and a run that waits for a person is not at work', async () => {
    const { call } = testServer({ limits: { runs: 1 } })
    const waiting = (await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' })).body
    const [first, second] = await Promise.all([call('POST', START, { input: 'a' }), call('POST', START, { input: 'b' })])
    expect([first.status, second.status].sort()).toEqual([201, 503])
    const { run } = (first.status === 201 ? first : second).body
    await call('GET', `/v1/runs/${run}?waitMs=1000`)
    expect((await call('POST', `${START}?waitMs=1000`, { input: 'c' })).body.status).toBe('done')
    expect((await call('POST', `/v1/runs/${waiting.run}/approve?waitMs=1000`, { hashes: [waiting.waiting[0].calls[0].hash] })).body.status).toBe('done')
  })
})

test('a bug in a hook is reported to the operator and not to the caller', async () => {
  const reported: [unknown, string][] = []
  const { call } = testServer({
    identify: () => {
      throw new Error('the password is hunter2')
    },
    onDefect: (error, id) => reported.push([error, id]),
  })
  const { status, body } = await call('GET', '/v1/runs')
  expect([status, body.code, body.detail]).toEqual([500, 'defect', 'A bug stopped this request. It was reported to the operator.'])
  expect(body.instance).toBe(`urn:uuid:${reported[0]?.[1]}`)
  expect(String(reported[0]?.[0])).toContain('hunter2')
})

test('other origins are let in when they are named, and only then', async () => {
  const preflight = (origins: readonly string[], origin: string): Promise<Response> =>
    testServer({ origins }).server.fetch(new Request('http://test/v1/runs', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' } }))
  expect((await preflight(['https://app.example'], 'https://app.example')).headers.get('access-control-allow-origin')).toBe('https://app.example')
  expect((await preflight(['https://app.example'], 'https://evil.example')).headers.get('access-control-allow-origin')).toBeNull()
  expect((await preflight([], 'https://app.example')).headers.get('access-control-allow-origin')).toBeNull()
})

test('whatever is asked, the answer is a document or a problem with a known code', async () => {
  const { server, clock } = testServer({ page: false, limits: { requestsPerMinute: 1_000_000 } })
  const segment = fc.oneof(
    fc.constantFrom('v1', 'runs', 'agents', 'weather', 'payer', 'events', 'approve', 'cancel', 'health', 'ready', '%2e%2e', '%ff', '__proto__'),
    fc.string({ maxLength: 12 }).map(encodeURIComponent),
  )
  const asked = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'),
    path: fc.array(segment, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`),
    query: fc.dictionary(fc.constantFrom('waitMs', 'limit', 'status', 'after', 'agent', 'x'), fc.string({ maxLength: 8 }), { maxKeys: 2 }),
    body: fc.oneof(fc.json(), fc.string(), fc.constant(undefined)),
    type: fc.constantFrom('application/json', 'text/plain', ''),
  })
  await fc.assert(
    fc.asyncProperty(asked, async ({ method, path, query, body, type }) => {
      const search = new URLSearchParams(Object.entries(query).filter(([name, value]) => name !== 'waitMs' || !/^\d+$/.test(value))).toString()
      const request = new Request(`http://test${path}?${search}`, { method, headers: { authorization: `Bearer ${TOKEN}`, 'content-type': type }, ...(method === 'GET' || body === undefined ? {} : { body }) })
      const answer = await server.fetch(request)
      const document = (await answer.json()) as { readonly code?: string }
      if (answer.status < 400) return
      expect(answer.status).toBeLessThan(500)
      expect(codeInfo(document.code ?? '')).toBeDefined()
    }),
    { numRuns: 400, seed: 9 },
  )
  expect(clock.now()).toBeGreaterThan(0)
})

test('bytes that are no HTTP end their own connection and disturb nobody', async () => {
  const { server } = testServer()
  await using listening = await listen(server, { port: 0 })
  const port = Number(new URL(listening.url).port)
  const say = (bytes: string): Promise<string> =>
    new Promise((resolve) => {
      let heard = ''
      const socket = connect(port, '127.0.0.1', () => socket.end(bytes, 'latin1'))
      socket.setEncoding('latin1').on('data', (text: string) => (heard += text))
      socket.on('close', () => resolve(heard)).on('error', () => {})
    })
  const head = 'Host: x\r\nConnection: close\r\n'
  for (const bytes of [
    '\x00\x01\x02\r\n\r\n',
    'GET\r\n\r\n',
    `GET / HTTP/1.1\r\n${head}X: ${'a'.repeat(100_000)}\r\n\r\n`,
    `POST ${START} HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `GET /v1/runs HTTP/1.1\r\n${head}\r\n`,
  ]) {
    expect(await say(bytes)).toMatch(/^(HTTP\/1\.1 4\d\d |$)/)
  }
  expect((await fetch(`${listening.url}/health/ready`)).status).toBe(200)
})
