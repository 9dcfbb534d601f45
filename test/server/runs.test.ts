import { expect, test } from 'vitest'
import { payer, testServer, weather } from './world.ts'

test('an agent is started, and the request waits for its output', async () => {
  const { call } = testServer()
  const { status, headers, body } = await call('POST', '/v1/agents/weather/runs?waitMs=1000', { input: 'Rain in Bern?' })
  expect(status).toBe(201)
  expect(headers.get('location')).toBe(`/v1/runs/${body.run}`)
  expect(body).toMatchObject({ agent: 'weather', status: 'done', state: 'done', output: 'The tool said: {"city":"Bern","sky":"rain"}', modelCalls: 2, toolCalls: 1 })
  expect((await call('GET', `/v1/runs/${body.run}`)).body).toEqual(body)
})

test('a call that cannot be undone is approved by its hash, and the run goes on', async () => {
  const { call } = testServer()
  const waiting = (await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay 3.' })).body
  expect(waiting).toMatchObject({ status: 'waiting', waiting: [{ for: 'approval', calls: [{ name: 'pay', args: { amount: 3 } }] }] })
  const { hash } = waiting.waiting[0].calls[0]
  const wrong = await call('POST', `/v1/runs/${waiting.run}/approve`, { hashes: ['another'] })
  expect([wrong.status, wrong.body.code]).toEqual([409, 'event_not_accepted'])
  const done = await call('POST', `/v1/runs/${waiting.run}/approve?waitMs=1000`, { hashes: [hash] })
  expect([done.status, done.body.status, done.body.output]).toEqual([200, 'done', 'The tool said: {"paid":3}'])
  expect((await call('POST', `/v1/runs/${waiting.run}/approve`, { hashes: [hash] })).body.code).toBe('run_ended')
})

test('a rejected call is not performed, and the model is told why', async () => {
  const { call } = testServer()
  const waiting = (await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay 3.' })).body
  const { hash } = waiting.waiting[0].calls[0]
  const done = await call('POST', `/v1/runs/${waiting.run}/reject?waitMs=1000`, { hashes: [hash], reason: 'too much' })
  expect(done.body).toMatchObject({ status: 'done', toolCalls: 0 })
  expect(done.body.output).toContain('too much')
})

test('the same Idempotency-Key gives the same run, and is refused with another input', async () => {
  const { call } = testServer()
  const key = { 'idempotency-key': 'order-7' }
  const first = await call('POST', '/v1/agents/weather/runs', { input: 'Rain in Bern?' }, key)
  const again = await call('POST', '/v1/agents/weather/runs', { input: 'Rain in Bern?' }, key)
  expect([first.status, again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 200, 'true'])
  expect(again.body.run).toBe(first.body.run)
  const other = await call('POST', '/v1/agents/weather/runs', { input: 'Sun in Rome?' }, key)
  expect([other.status, other.body.code]).toEqual([422, 'invalid_input'])
  const byAnotherUser = await call('POST', '/v1/agents/weather/runs', { input: 'Sun in Rome?' }, { ...key, 'x-stateloop-user': 'bob' })
  expect(byAnotherUser.status).toBe(201)
})

test('runs are listed newest first, by status and agent, and only those of the caller', async () => {
  const { call, clock } = testServer()
  const ada = { 'x-stateloop-user': 'ada' }
  const first = (await call('POST', '/v1/agents/weather/runs?waitMs=1000', { input: 'one' }, ada)).body
  await (clock as { advance?: (ms: number) => Promise<void> }).advance?.(10)
  const second = (await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'two' }, ada)).body
  await call('POST', '/v1/agents/weather/runs', { input: 'three' }, { 'x-stateloop-user': 'bob' })
  const ids = async (query: string): Promise<readonly string[]> => (await call('GET', `/v1/runs${query}`, undefined, ada)).body.runs.map(({ run }: { readonly run: string }) => run)
  expect(await ids('')).toEqual([second.run, first.run])
  expect(await ids('?status=waiting')).toEqual([second.run])
  expect(await ids('?agent=weather&limit=5')).toEqual([first.run])
  expect(await ids('?agent=nobody')).toEqual([])
})

test('a run of another user or tenant is answered like one that does not exist', async () => {
  const { call } = testServer()
  const { body } = await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'x' }, { 'x-stateloop-user': 'ada', 'x-stateloop-tenant': 'acme' })
  const seen = { 'x-stateloop-user': 'ada', 'x-stateloop-tenant': 'acme' }
  expect((await call('GET', `/v1/runs/${body.run}`, undefined, seen)).status).toBe(200)
  for (const headers of [{ 'x-stateloop-user': 'bob' }, { 'x-stateloop-tenant': 'other' }]) {
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/events'],
      ['POST', '/events'],
      ['POST', '/approve'],
      ['POST', '/cancel'],
      ['POST', '/resume'],
    ] as const) {
      const answer = await call(method, `/v1/runs/${body.run}${path}`, method === 'POST' ? { type: 'X', hashes: ['x'] } : undefined, headers)
      const problem = path === '/cancel' || path === '/approve' ? await call(method, `/v1/runs/${body.run}${path}`, path === '/cancel' ? {} : { hashes: ['x'] }, headers) : answer
      expect([path, problem.status, problem.body.code]).toEqual([path, 404, 'run_not_found'])
    }
  }
})

test('a cancelled run ends, and a failed one says why without a stack', async () => {
  const { call } = testServer({
    rules: () => {
      throw new Error('a bug at /secret/path')
    },
  })
  const failed = await call('POST', '/v1/agents/weather/runs?waitMs=1000', { input: 'x' })
  expect(failed.body).toMatchObject({ status: 'failed', failureCode: 'defect' })
  expect(failed.body.failure.cause).toBeUndefined()
  const other = testServer()
  const waiting = (await other.call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'x' })).body
  const cancelled = await other.call('POST', `/v1/runs/${waiting.run}/cancel?waitMs=1000`, { reason: 'changed my mind' })
  expect(cancelled.body).toMatchObject({ status: 'cancelled', failure: { code: 'cancelled', message: 'The run was cancelled: changed my mind.' } })
})

test('a run that a restart left behind is resumed by request', async () => {
  const { call, runtime } = testServer()
  const waiting = (await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'x' })).body
  const restarted = testServer({ runtime: { journal: runtime.journal } })
  expect((await restarted.call('POST', `/v1/runs/${waiting.run}/resume?waitMs=1000`)).body).toMatchObject({ run: waiting.run, status: 'waiting' })
})

test('a run of an agent that the server does not serve is not shown', async () => {
  const { call, runtime } = testServer({ agents: [weather] })
  const run = await runtime.start(payer, 'x')
  await run.outcome()
  expect((await call('GET', `/v1/runs/${run.id}`)).status).toBe(404)
  expect((await call('GET', '/v1/runs')).body.runs).toEqual([])
})

test('an input that does not match is refused with where and why', async () => {
  const { call } = testServer()
  const { status, headers, body } = await call('POST', '/v1/agents/weather/runs', { input: { question: 'Rain?' } })
  expect(status).toBe(422)
  expect(headers.get('content-type')).toBe('application/problem+json')
  expect(body).toMatchObject({ type: 'urn:stateloop:failure:invalid_input', status: 422, code: 'invalid_input', retryable: false, details: { issues: [{ path: '' }] } })
})
