import { expect, test } from 'vitest'
import { replyText, type FakeClock } from 'stateloop'
import { listen } from 'stateloop/server'
import { obedient, readEvents, testServer, TOKEN, withTime } from './world.ts'

test('a server that drains finishes what is at work, refuses new runs, ends its streams and still answers reads', async () => {
  const { server, call, open, clock } = testServer({ rules: () => replyText('slowly', { delayMs: 2_000 }) })
  const { body } = await call('POST', '/v1/agents/weather/runs', { input: 'x' })
  const waiting = await testServer({ rules: obedient }).call('GET', '/health/ready')
  expect([waiting.status, waiting.body.status]).toEqual([200, 'ready'])
  const told = readEvents(await open(`/v1/runs/${body.run}/events`))
  const drained = server.drain()
  expect((await call('GET', '/health/ready')).body).toEqual({ status: 'draining' })
  expect((await call('GET', '/health/live')).status).toBe(200)
  const refused = await call('POST', '/v1/agents/weather/runs', { input: 'y' })
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([503, 'draining', '1'])
  await withTime(clock as FakeClock, drained)
  expect((await told).at(-1)?.event).toMatchObject({ type: 'run.ended', outcome: 'done' })
  expect((await call('GET', `/v1/runs/${body.run}`)).body.status).toBe('done')
})

test('a drain does not wait longer than it may', async () => {
  const { server, call, clock } = testServer({ rules: () => replyText('slowly', { delayMs: 60_000 }) })
  await call('POST', '/v1/agents/weather/runs', { input: 'x' })
  const before = clock.now()
  await withTime(clock as FakeClock, server.drain(3_000))
  expect(clock.now() - before).toBeLessThan(10_000)
})

test('a journal that cannot be read makes the server not ready', async () => {
  const { call, runtime } = testServer()
  await runtime.close()
  expect(await call('GET', '/health/ready')).toMatchObject({ status: 503, body: { status: 'journal_unavailable' } })
})

test('over a port of this machine: runs, streams, and the end of both', async () => {
  const { server, runtime } = testServer({ clock: (await import('stateloop')).systemClock })
  const listening = await listen(server, { port: 0 })
  const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
  const started = (await (await fetch(`${listening.url}/v1/agents/payer/runs?waitMs=5000`, { method: 'POST', headers, body: '{"input":"Pay."}' })).json()) as {
    readonly run: string
    readonly waiting: readonly { readonly calls: readonly { readonly hash: string }[] }[]
  }
  const stream = await fetch(`${listening.url}/v1/runs/${started.run}/events`, { headers })
  const told = readEvents(stream)
  await fetch(`${listening.url}/v1/runs/${started.run}/approve`, { method: 'POST', headers, body: JSON.stringify({ hashes: [started.waiting[0]?.calls[0]?.hash] }) })
  expect((await told).at(-1)?.event).toMatchObject({ type: 'run.ended', outcome: 'done' })
  const idle = await fetch(`${listening.url}/v1/runs/${started.run}/events?after=0.0`, { headers })
  await listening.close(1_000)
  await readEvents(idle).catch(() => {})
  await expect(fetch(`${listening.url}/health/live`)).rejects.toThrow()
  await runtime.close()
})
