import { expect, test } from 'vitest'
import { fakeClock, memoryJournal, type FakeClock, type RunEvent } from 'stateloop'
import { Feed } from '../../src/server/feed.ts'
import { payer, readEvents, testServer, withTime, type Told } from './world.ts'

const typesOf = (told: readonly Told[]): readonly string[] => told.map(({ event }) => event.type)

test('a start that accepts events is answered with the whole run, tokens included', async () => {
  const { open } = testServer()
  const response = await open('/v1/agents/weather/runs', { method: 'POST', body: '{"input":"Rain?"}', headers: { 'content-type': 'application/json', accept: 'text/event-stream' } })
  expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  const told = await readEvents(response)
  expect(told[0]?.event).toMatchObject({ type: 'run.started', input: 'Rain?', run: response.headers.get('x-stateloop-run') })
  expect(told.at(-1)?.event).toMatchObject({ type: 'run.ended', outcome: 'done' })
  expect(typesOf(told)).toContain('token.delta')
  expect(told.filter(({ id }) => id === undefined).every(({ event }) => event.type === 'token.delta')).toBe(true)
})

test('after any event the stream goes on exactly where it was left', async () => {
  const { open, call } = testServer()
  const { body } = await call('POST', '/v1/agents/weather/runs?waitMs=1000', { input: 'Rain?' })
  const whole = await readEvents(await open(`/v1/runs/${body.run}/events`))
  expect(whole.length).toBeGreaterThan(10)
  for (const [at, { id }] of whole.entries()) {
    const rest = await readEvents(await open(`/v1/runs/${body.run}/events`, { headers: { 'last-event-id': id ?? '' } }))
    expect(rest).toEqual(whole.slice(at + 1))
  }
})

test('a client that comes back while the run waits hears what happens then', async () => {
  const { open, call } = testServer()
  const { body } = await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' })
  const before = await readEvents(await open(`/v1/runs/${body.run}/events`), ({ event }) => event.type === 'run.waiting')
  const last = before.at(-1)?.id ?? ''
  const rest = readEvents(await open(`/v1/runs/${body.run}/events?after=${last}`))
  await call('POST', `/v1/runs/${body.run}/approve`, { hashes: [body.waiting[0].calls[0].hash] })
  const told = await rest
  expect(typesOf(told)).toEqual(expect.arrayContaining(['tool.called', 'token.delta', 'run.ended']))
  const whole = await readEvents(await open(`/v1/runs/${body.run}/events`))
  expect([...before, ...told].filter(({ id }) => id !== undefined)).toEqual(whole)
})

test('what another process does to a run is told too', async () => {
  const clock = fakeClock()
  const journal = memoryJournal({ clock })
  const here = testServer({ clock, runtime: { journal } })
  const there = testServer({ clock, runtime: { journal } })
  const { body } = await there.call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' })
  const told = readEvents(await here.open(`/v1/runs/${body.run}/events`))
  await there.call('POST', `/v1/runs/${body.run}/approve`, { hashes: [body.waiting[0].calls[0].hash] })
  expect((await withTime(clock, told)).at(-1)?.event.type).toBe('run.ended')
})

test('an idle stream says that it is alive', async () => {
  const { open, call, clock } = testServer()
  const { body } = await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' })
  const response = await open(`/v1/runs/${body.run}/events?after=999.0`)
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const read = async (): Promise<string> => new TextDecoder().decode((await reader.read()).value)
  expect(await read()).toBe('retry: 1000\n\n')
  const beat = read()
  await (clock as FakeClock).advance(15_000)
  expect(await beat).toBe(':\n\n')
  await reader.cancel()
})

test('a client that reads nothing is let go, and its slot is free again', async () => {
  const { open, call, clock } = testServer({ limits: { stalledMs: 5_000, streams: 1 } })
  const { body } = await call('POST', '/v1/agents/weather/runs', { input: 'Rain?' })
  const stuck = await open(`/v1/runs/${body.run}/events`)
  const reader = (stuck.body as ReadableStream<Uint8Array>).getReader()
  await reader.read()
  expect((await call('GET', `/v1/runs/${body.run}/events`)).status).toBe(503)
  await (clock as FakeClock).advance(5_000)
  await expect(reader.read()).rejects.toThrow('read nothing for 5000 ms')
  expect((await readEvents(await open(`/v1/runs/${body.run}/events`))).at(-1)?.event.type).toBe('run.ended')
})

test('what may be shown is decided for each caller', async () => {
  const { open, call } = testServer({ show: (event, { user }) => (user === 'ada' && event.type === 'effect.started' ? undefined : event) })
  const { body } = await call('POST', '/v1/agents/weather/runs?waitMs=1000', { input: 'Rain?' }, { 'x-stateloop-user': 'ada' })
  const path = `/v1/runs/${body.run}/events`
  expect(typesOf(await readEvents(await open(path, { headers: { 'x-stateloop-user': 'ada' } })))).not.toContain('effect.started')
  expect(typesOf(await readEvents(await open(path)))).toContain('effect.started')
})

test('events of a changed agent are refused, not told wrongly', async () => {
  const { call, runtime } = testServer()
  const { body } = await call('POST', '/v1/agents/payer/runs?waitMs=1000', { input: 'Pay.' })
  const changed = { ...payer, machine: payer.machine.provide({ guards: { 'stateloop.calls': () => false } as never }) }
  const other = testServer({ agents: [changed], runtime: { journal: runtime.journal } })
  const answer = await other.call('GET', `/v1/runs/${body.run}/events`)
  expect([answer.status, answer.body.code]).toEqual([409, 'definition_changed'])
})

test('of an output that grows, a client that reads slowly gets the newest part, and no other is kept for it', async () => {
  const { runtime, clock } = testServer()
  const run = await runtime.start(payer, 'Pay.')
  await run.outcome()
  let hear = (_event: RunEvent): void => {}
  const watched = Object.assign(Object.create(runtime) as typeof runtime, {
    watch: (_run: string, take: (event: RunEvent) => void) => ((hear = take), () => {}),
    journal: runtime.journal,
    get: (id: string) => runtime.get(id),
  })
  const feed = new Feed({ runtime: watched, clock, run: run.id, agent: payer as never })
  await feed.loaded
  const reader = feed.read({ seq: 1_000, index: 0 })
  const common = { run: run.id, at: 0, seq: 1_000, actor: '', state: 'answering' }
  for (let n = 0; n < 500; n++) {
    hear({ ...common, type: 'token.delta', key: '/a#1', text: `${n}` })
    hear({ ...common, type: 'output.partial', key: '/a#1', value: { n } })
  }
  const told: RunEvent[] = []
  for (let frame = await reader.next(1); frame !== undefined && frame !== 'idle' && told.length < 501; frame = await reader.next(1)) {
    told.push(frame.event)
    if (told.length === 501) break
  }
  expect(told.filter(({ type }) => type === 'output.partial')).toMatchObject([{ value: { n: 499 } }])
  expect(told.filter(({ type }) => type === 'token.delta')).toHaveLength(500)
  feed.close()
})
