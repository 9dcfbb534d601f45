// The official inspector's own client and receiver on one side, ours on the other, over real sockets on loopback.
import { createWebSocketInspector, createWebSocketReceiver, type StatelyInspectionEvent } from '@statelyai/inspect'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createActor, createMachine, fromPromise, setup, assign } from 'xstate'
import { graphOf } from '../../src/agent/index.ts'
import { inspector, type OfficialFrame } from '../../src/inspector/index.ts'
import type { Overview, Step } from '../../src/inspector/page/wire.ts'
import { memoryJournal } from '../../src/journal/index.ts'
import { travel, travelRuntime } from './travel.ts'
import { ask, messagesIn, opened, playedRun, withToken } from './world.ts'

const travelled = async () => {
  const journal = memoryJournal()
  const runtime = travelRuntime(journal)
  const run = await runtime.start(travel, { question: 'A weekend away?', city: 'Lisbon' })
  await run.outcome()
  return { journal, run: run.id }
}

const framesOf = async (journal: ReturnType<typeof memoryJournal>, run: string): Promise<readonly OfficialFrame[]> => {
  const frames: OfficialFrame[] = []
  await inspector({ journal, send: (frame) => void frames.push(frame) }).follow(run, travel)
  return frames
}

/** A relay as the official server is one: what one connection says, the others hear. */
const relay = async (): Promise<string> => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  server.on('connection', (socket) => socket.on('message', (data) => server.clients.forEach((other) => other !== socket && other.send(String(data)))))
  onTestFinished(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  await new Promise((resolve) => server.once('listening', resolve))
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What our inspector has of the machine that reported last. */
const reported = async (door: {
  readonly port: number
  readonly token: string
}): Promise<{ readonly run: Overview['runs'][number] | undefined; readonly steps: readonly Step[]; readonly states: readonly string[]; readonly notes: readonly string[] }> => {
  const { runs } = JSON.parse((await ask(door.port, '/api/overview', withToken(door))).text) as Overview
  const [run] = runs
  if (run === undefined || run.from !== 'xstate') return { run: undefined, steps: [], states: [], notes: [] }
  const response = await fetch(`http://127.0.0.1:${door.port}/api/runs/${run.id}/stream`, { headers: withToken(door), signal: AbortSignal.timeout(4_000) })
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    if (text.includes('"type":"steps"')) break
  }
  const messages = messagesIn(text)
  return {
    run,
    steps: messages.flatMap((message) => (message.type === 'steps' ? message.steps : [])),
    states: messages.flatMap((message) => (message.type === 'drawing' ? message.drawing.states.map(({ path }) => path) : [])),
    notes: messages.flatMap((message) => (message.type === 'head' ? message.notes : [])),
  }
}

const order = setup({ actors: { pay: fromPromise(async () => ({ receipt: 7 })) } }).createMachine({
  id: 'order',
  initial: 'cart',
  context: { items: 1, receipt: null as unknown },
  states: {
    cart: { on: { ADD: { actions: assign({ items: ({ context }) => context.items + 1 }) }, PAY: 'paying' } },
    paying: { invoke: { src: 'pay', id: 'pay', onDone: { target: 'paid', actions: assign({ receipt: ({ event }) => event.output }) } } },
    paid: { type: 'final' },
  },
})

describe('frames of a run', () => {
  it('are those of the official protocol: machines, events and snapshots, and nothing in them of our own', async () => {
    const { journal, run } = await travelled()
    const frames = await framesOf(journal, run)
    expect(new Set(frames.map(({ type }) => type))).toEqual(new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot']))
    const known = new Set(['type', '_version', 'createdAt', 'sessionId', 'rootId', 'id', 'name', 'parentId', 'definition', 'snapshot', 'event', 'sourceId'])
    expect(frames.flatMap((frame) => Object.keys(frame).filter((key) => !known.has(key)))).toEqual([])
    expect(JSON.stringify(frames)).not.toContain('$run')
    expect(frames.filter(({ type }) => type === '@xstate.actor').map((frame) => frame.sessionId.slice(run.length))).toEqual(['', '/gathering.hotels.reviewing#1:0', '/gathering.hotels.reviewing#1:1'])
    expect(frames.at(-1)).toMatchObject({ type: '@xstate.snapshot', snapshot: { status: 'done', value: 'sent', output: expect.stringContaining('Casa do Rio') } })
  })

  it('carry the whole machine, however deep', async () => {
    const { journal, run } = await travelled()
    const [first] = await framesOf(journal, run)
    const definition = JSON.parse(first?.type === '@xstate.actor' ? first.definition : '{}') as object
    expect(graphOf(createMachine(definition as never) as never).edges.map(({ id, targets }) => [id, targets])).toEqual(graphOf(travel.machine).edges.map(({ id, targets }) => [id, targets]))
  })

  it('arrive at the official receiver through the official client', async () => {
    const { journal, run } = await travelled()
    const url = await relay()
    const got: StatelyInspectionEvent[] = []
    createWebSocketReceiver({ server: url }).subscribe((event) => void got.push(event as StatelyInspectionEvent))
    await new Promise((resolve) => setTimeout(resolve, 100))
    const official = createWebSocketInspector({ url })
    onTestFinished(() => official.stop())
    const frames = await framesOf(journal, run)
    await inspector({ journal, send: (frame) => official.adapter.send(frame as never) }).follow(run, travel)
    await expect.poll(() => got.length, { timeout: 4_000 }).toBe(frames.length)
    expect(got.map(({ type, sessionId }) => [type, sessionId])).toEqual(frames.map(({ type, sessionId }) => [type, sessionId]))
  })

  it('shown in our own inspector again give the same states as the run itself', async () => {
    const { journal, run } = await travelled()
    const door = await opened({ journal: memoryJournal() })
    const official = createWebSocketInspector({ url: door.reportTo })
    onTestFinished(() => official.stop())
    const frames = await framesOf(journal, run)
    await inspector({ journal, send: (frame) => official.adapter.send(frame as never) }).follow(run, travel)
    await expect.poll(async () => (await reported(door)).run?.steps, { timeout: 4_000 }).toBe(frames.length)
    const { steps, run: summary } = await reported(door)
    expect(summary).toMatchObject({ agent: 'travel', status: 'done', state: 'sent' })
    const root = steps.flatMap(({ changes }) => changes.filter(({ path }) => path === '').map(({ active }) => active.at(-1)))
    expect(root.filter((state, index) => state !== root[index - 1])).toEqual(['understanding', 'gathering.hotels.searching', 'gathering.hotels.reviewing', 'answering', 'acting', 'answering', 'sent'])
  })

  it('follow a run that is still at work, and stop when they are told to', async () => {
    const { journal, agent, run } = await playedRun(1)
    const frames: OfficialFrame[] = []
    const waiting = { ...journal, get: async (id: string) => ({ ...(await journal.get(id))!, status: 'waiting' as const }) }
    const watching = inspector({ journal: waiting, pollMs: 5, send: (frame) => void (frames.push(frame), frames.length === 3 && watching.close()) })
    await watching.follow(run, agent)
    expect(frames.length).toBeGreaterThanOrEqual(3)
  })
})

describe('any XState machine', () => {
  it('shows up with its chart, its states, its context and the edge it took', async () => {
    const door = await opened({ journal: memoryJournal() })
    const official = createWebSocketInspector({ url: door.reportTo, serializationDepthLimit: 60 })
    onTestFinished(() => official.stop())
    const actor = createActor(order, { inspect: official.inspect }).start()
    actor.send({ type: 'ADD' })
    actor.send({ type: 'PAY' })
    await expect.poll(async () => (await reported(door)).run?.status, { timeout: 4_000 }).toBe('done')
    const { steps, states } = await reported(door)
    expect(states.toSorted()).toEqual(['', 'cart', 'paid', 'paying'])
    const changes = steps.flatMap(({ changes: all }) => all.filter(({ path }) => path === ''))
    expect(changes.map(({ set }) => set?.['items']).filter((items) => items !== undefined)).toContain(2)
    expect(changes.at(-1)).toMatchObject({ active: ['', 'paid'], set: { receipt: { receipt: 7 } } })
    const edges = steps.flatMap(({ happenings }) => happenings.flatMap((one) => (one['edges'] as readonly string[] | undefined) ?? []))
    expect(edges).toEqual(['cart/PAY/0', 'paying/xstate.done.actor.pay/0'])
  })

  it('whose definition was cut off is shown without a chart, with what to do about it', async () => {
    const door = await opened({ journal: memoryJournal() })
    const socket = new WebSocket(door.reportTo)
    await new Promise((resolve) => socket.once('open', resolve))
    const definition = JSON.stringify({ id: 'deep', initial: 'a', states: { a: { on: { GO: { target: '[Object]' } } } } })
    socket.send(JSON.stringify({ type: '@xstate.actor', _version: '0.7.2', createdAt: '1', sessionId: 'x:0', rootId: 'x:0', id: null, name: 'deep', definition, snapshot: { status: 'active', value: 'a', context: {} } }))
    await expect.poll(async () => (await reported(door)).notes, { timeout: 4_000 }).toEqual([expect.stringContaining('serializationDepthLimit: 60')])
    socket.terminate()
  })

  it('cannot hurt with frames that are none, too large, or hostile', async () => {
    const door = await opened({ journal: memoryJournal() })
    const socket = new WebSocket(door.reportTo)
    await new Promise((resolve) => socket.once('open', resolve))
    const base = { _version: '0.7.2', createdAt: 'now', sessionId: 's', rootId: 's', id: null }
    const frames: readonly unknown[] = [
      '',
      'x',
      'null',
      '[]',
      '{"type":"@xstate.actor"}',
      { ...base, type: '@xstate.other' },
      { ...base, type: '@xstate.snapshot', snapshot: { value: { ['__proto__']: 'x' } } },
      '{"type":"@xstate.actor","sessionId":"s","rootId":"s","snapshot":{"value":"a","context":{"__proto__":{"polluted":true}}},"definition":"{\\"__proto__\\":{\\"polluted\\":1},\\"states\\":{}}"}',
      { ...base, type: '@xstate.actor', definition: '{', name: 5 },
      { ...base, type: '@xstate.event', event: 5 },
      { ...base, type: '@xstate.snapshot', snapshot: 5, event: { type: 7 } },
      { ...base, type: '@xstate.actor', definition: JSON.stringify({ id: 'big', states: Object.fromEntries(Array.from({ length: 1_500 }, (_, at) => [`s${at}`, {}])) }) },
    ]
    for (const frame of frames) socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame))
    socket.send(Buffer.from([1, 2, 3]))
    await expect.poll(async () => (await reported(door)).run?.steps, { timeout: 4_000 }).toBeGreaterThan(2)
    expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined()
    const closed = new Promise<number>((resolve) => socket.once('close', resolve))
    socket.send('x'.repeat(1_100_000))
    expect(await closed).toBe(1009)
    expect((await ask(door.port, '/api/overview', withToken(door))).status).toBe(200)
  })
})
