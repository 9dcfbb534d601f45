// Clients on real sockets that read slowly, stop, cut or leave. What the server holds for them is counted, not timed.
import { connect, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { agent, createRuntime, fakeClock, systemClock, type Clock, type ModelProvider } from 'stateloop'
import { createServer, listen, type Listening, type ServerOptions } from 'stateloop/server'
import { payer, readEvents, testServer, TOKEN } from './world.ts'

/** A model that says what the test tells it to, for as long as the test lets it. */
const puppet = (): ModelProvider & { readonly say: (text: string) => void; readonly finish: () => void; readonly asked: Promise<void> } => {
  const asked = Promise.withResolvers<void>()
  const finished = Promise.withResolvers<void>()
  let say = (_text: string): void => {}
  return {
    id: 'puppet',
    asked: asked.promise,
    say: (text) => say(text),
    finish: () => finished.resolve(),
    call: async (_request, { onDelta }) => {
      say = (text) => onDelta?.({ type: 'text', text })
      asked.resolve()
      await finished.promise
      return { message: { role: 'assistant', content: 'done' }, finish: 'stop', usage: null, model: 'puppet' }
    },
  }
}

const speaker = agent({ id: 'speaker', model: 'puppet/one', prompt: 'Talk.', timeout: { totalMs: 120_000, idleMs: 60_000, firstTokenMs: 60_000 } })

/** A server on a port whose bodies are counted on their way out of it. */
const speaking = async (limits: ServerOptions['limits'] = {}, clock: Clock = systemClock) => {
  const model = puppet()
  const runtime = createRuntime({ providers: [model], agents: [speaker], limiter: false })
  const server = createServer({ runtime, agents: [speaker], token: TOKEN, limits, clock })
  const counts = { taken: 0, ended: 0 }
  const counted = (response: Response): Response => {
    if (response.body === null) return response
    const reader = response.body.getReader()
    let over = false
    const end = (): void => {
      counts.ended += over ? 0 : 1
      over = true
    }
    const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
      const { done, value } = await reader.read()
      if (done) {
        end()
        return controller.close()
      }
      counts.taken += value.length
      controller.enqueue(value)
    }
    const cancel = (reason: unknown): Promise<void> => {
      end()
      return reader.cancel(reason)
    }
    return new Response(new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 }), response)
  }
  const listening = await listen({ ...server, fetch: async (request, connection) => counted(await server.fetch(request, connection)) }, { port: 0 })
  const run = await runtime.start(speaker, 'Talk.', { stream: true })
  await model.asked
  return { model, runtime, server, listening, run, counts, end: async () => (model.finish(), await listening.close(10), await runtime.close()) }
}

/** Opens a stream of events by hand. */
const openSocket = (listening: Listening, path: string, headers = ''): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const { port } = new URL(listening.url)
    const socket = connect({ port: Number(port), host: '127.0.0.1' }, () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\n${headers}\r\n`, () => resolve(socket)))
    socket.on('error', reject)
  })

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => void socket.on('close', () => resolve()).on('error', () => {}))

const soon = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('a client that stops reading costs what its socket takes, is let go, and its slot is free again', async () => {
  const clock = fakeClock()
  const { model, listening, run, counts, end } = await speaking({ streams: 1, stalledMs: 60_000 }, clock)
  const socket = await openSocket(listening, `/v1/runs/${run.id}/events`)
  socket.pause()
  const gone = closed(socket)
  const text = 'x'.repeat(2_000)
  let said = 0
  // The socket's buffers fill up, and from then on nothing more is taken out of the feed.
  for (let before = -1; before !== counts.taken || said < 30_000_000;) {
    before = counts.taken
    for (let times = 0; times < 500; times++) model.say(text)
    said += 500 * text.length
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  expect(counts.taken).toBeLessThan(said / 2)
  expect(counts.ended).toBe(0)
  await clock.advance(60_000)
  await soon(() => counts.ended > 0)
  socket.resume()
  await gone
  await soon(
    async () => (await fetch(`${listening.url}/v1/runs/${run.id}/events`, { method: 'GET', headers: { authorization: `Bearer ${TOKEN}` } }).then(async (answer) => (await answer.body?.cancel(), answer.status))) === 200,
  )
  await end()
}, 30_000)

test('a client that is more tokens behind than are kept is let go, however fast it reads then', async () => {
  const { model, listening, run, counts, end } = await speaking()
  const slow = await fetch(`${listening.url}/v1/runs/${run.id}/events`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const reader = (slow.body as ReadableStream<Uint8Array>).getReader()
  await reader.read()
  const text = 'x'.repeat(20_000)
  for (let times = 0; times < 10_000; times++) model.say(text)
  let heard = 0
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) heard += piece.value.length
  expect(counts.ended).toBe(1)
  expect(heard).toBeLessThan(10_000 * text.length)
  await end()
}, 30_000)

test('wherever a socket is cut, a client that comes back with the last id it has hears everything exactly once', async () => {
  const { call, server } = testServer({ clock: systemClock })
  const { body } = await call('POST', '/v1/agents/payer/runs?waitMs=5000', { input: 'Pay.' })
  await call('POST', `/v1/runs/${body.run}/approve?waitMs=5000`, { hashes: [body.waiting[0].calls[0].hash] })
  await using listening = await listen(server, { port: 0 })
  const path = `/v1/runs/${body.run}/events`
  const whole = await readEvents(await fetch(`${listening.url}${path}`, { headers: { authorization: `Bearer ${TOKEN}` } }))
  for (const step of [97, 331, 1_009]) {
    const heard: string[] = []
    let last = ''
    for (let cut = step; heard.at(-1) !== whole.at(-1)?.id; cut += step) {
      const socket = await openSocket(listening, path, `Connection: close\r\n${last === '' ? '' : `Last-Event-ID: ${last}\r\n`}`)
      let text = ''
      for await (const piece of socket) {
        text += String(piece)
        if (text.length >= cut) break
      }
      socket.destroy()
      // Only what was ended by an empty line counts, as the standard says.
      for (const [, id = ''] of text.slice(0, Math.min(cut, text.length)).matchAll(/id: ([\d.]+)\ndata: [^\n]*\n\n/g)) {
        heard.push(id)
        last = id
      }
    }
    expect(heard).toEqual(whole.map(({ id }) => id))
  }
})

test('a client that closes its half of the connection has left, and holds no slot', async () => {
  const { listening, run, counts, end } = await speaking({ streams: 1 })
  const socket = await openSocket(listening, `/v1/runs/${run.id}/events`)
  await new Promise((resolve) => socket.once('data', resolve))
  socket.resume().end()
  await soon(() => counts.ended === 1)
  const again = await fetch(`${listening.url}/v1/runs/${run.id}/events`, { headers: { authorization: `Bearer ${TOKEN}` } })
  expect(again.status).toBe(200)
  await again.body?.cancel()
  await end()
})

test('a request that waits for a run and whose client leaves holds no slot', async () => {
  const { listening, run, end } = await speaking({ streams: 1 })
  for (let times = 0; times < 5; times++) {
    const socket = await openSocket(listening, `/v1/runs/${run.id}?waitMs=60000`)
    socket.destroy()
    await closed(socket)
  }
  const headers = { authorization: `Bearer ${TOKEN}` }
  await soon(async () => (await fetch(`${listening.url}/v1/runs/${run.id}?waitMs=1`, { headers })).status === 200)
  await end()
})

test('a server that drains ends every stream after what it had to say, and clients find all of it with the next server', async () => {
  const first = testServer({ clock: systemClock })
  const { body } = await first.call('POST', '/v1/agents/payer/runs?waitMs=5000', { input: 'Pay.' })
  const before = await listen(first.server, { port: 0 })
  const headers = { authorization: `Bearer ${TOKEN}` }
  const streams = await Promise.all(Array.from({ length: 20 }, () => fetch(`${before.url}/v1/runs/${body.run}/events`, { headers })))
  const heard = Promise.all(streams.map((stream) => readEvents(stream)))
  await before.close(50)
  const parts = await heard
  expect(new Set(parts.map((part) => part.at(-1)?.event.type))).toEqual(new Set(['run.waiting']))
  const second = testServer({ clock: systemClock, agents: [payer], runtime: { journal: first.runtime.journal } })
  await second.call('POST', `/v1/runs/${body.run}/approve?waitMs=5000`, { hashes: [body.waiting[0].calls[0].hash] })
  await using after = await listen(second.server, { port: 0 })
  const whole = await readEvents(await fetch(`${after.url}/v1/runs/${body.run}/events`, { headers }))
  for (const part of parts) {
    const rest = await readEvents(await fetch(`${after.url}/v1/runs/${body.run}/events`, { headers: { ...headers, 'last-event-id': part.at(-1)?.id ?? '' } }))
    expect([...part, ...rest]).toEqual(whole)
  }
})
