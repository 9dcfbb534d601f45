// What clients of the endpoint may do to it, and what it holds for them.
import { expect, test } from 'vitest'
import { mcpEndpoint } from 'stateloop/mcp'
import { boundedBody } from '../../src/mcp/serve/bounded-body.ts'
import { eventStore } from '../../src/mcp/serve/event-store.ts'
import { testServer, weather } from '../server/world.ts'

const message = (text: string) => ({ jsonrpc: '2.0', method: 'notifications/message', params: { level: 'info', data: text } }) as const

test('a client that reads nothing has no more kept for it than a bound, and its end is told once', async () => {
  let sent = 0
  let ends = 0
  let cancelled = false
  const endless = new ReadableStream<Uint8Array>({
    start: (controller) => {
      const more = (): void => {
        if (cancelled) return
        controller.enqueue(new Uint8Array(1_000))
        sent += 1_000
        setTimeout(more, 0)
      }
      more()
    },
    cancel: () => void (cancelled = true),
  })
  const response = boundedBody(new Response(endless), 50_000, () => (ends += 1))
  while (ends === 0) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(cancelled).toBe(true)
  expect(sent).toBeLessThan(60_000)
  await expect(response.bytes()).rejects.toThrow('left more than 50000 bytes unread')
  expect(ends).toBe(1)
})

test('a body that is read passes unchanged, and one that is left is let go', async () => {
  const ends: string[] = []
  expect(await boundedBody(new Response('hello'), 10, () => ends.push('read')).text()).toBe('hello')
  const left = boundedBody(new Response(new ReadableStream({ pull: () => new Promise(() => {}) })), 10, () => ends.push('left'))
  await left.body?.cancel()
  boundedBody(new Response(null), 10, () => ends.push('none'))
  await new Promise((resolve) => setTimeout(resolve, 0))
  expect(ends.toSorted()).toEqual(['left', 'none', 'read'])
})

test('a session keeps its newest messages up to a size, for the stream that they belong to', async () => {
  const store = eventStore(500)
  const first = await store.storeEvent('a', message('one'))
  const ids = [await store.storeEvent('a', message('two')), await store.storeEvent('b', message('other')), await store.storeEvent('a', message('three'))]
  const replayed: string[] = []
  const send = async (_id: string, sent: object): Promise<void> => void replayed.push(JSON.stringify(sent))
  expect(await store.replayEventsAfter(first, { send })).toBe('a')
  expect(replayed.map((text) => /"data":"(\w+)"/.exec(text)?.[1])).toEqual(['two', 'three'])
  expect(await store.getStreamIdForEventId?.(ids[1] ?? '')).toBe('b')
  for (let times = 0; times < 10; times++) await store.storeEvent('a', message('x'.repeat(100)))
  await expect(store.replayEventsAfter(first, { send })).rejects.toThrow('not kept any more')
  const huge = await store.storeEvent('a', message('x'.repeat(1_000)))
  await expect(store.replayEventsAfter(huge, { send })).rejects.toThrow('not kept any more')
})

test.for([
  ['no JSON', '{', 400],
  ['a list of too many', JSON.stringify(Array.from({ length: 5_000 }, (_, id) => ({ jsonrpc: '2.0', id, method: 'tools/list' }))), 400],
  ['a call before the greeting', '{"jsonrpc":"2.0","id":1,"method":"tools/list"}', 400],
  ['more than it takes', JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'x'.repeat(2_000_000) }), 413],
] as const)('a request with %s is refused, and opens no session', async ([, body, status]) => {
  const { runtime } = testServer()
  const endpoint = mcpEndpoint({ runtime, agents: [weather], sessions: 1 })
  const post = (text: string): Promise<Response> =>
    endpoint.fetch(new Request('http://127.0.0.1/mcp', { method: 'POST', body: text, headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream' } }))
  expect((await post(body)).status).toBe(status)
  const greeting = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } } }
  expect((await post(JSON.stringify(greeting))).status).toBe(200)
  await endpoint.close()
})

test.for([
  [{ host: 'evil.example' }, 403],
  [{ host: '127.0.0.1', origin: 'http://evil.example' }, 403],
  [{ host: '127.0.0.1', origin: 'null' }, 403],
  [{ host: 'localhost:1', origin: 'http://localhost:1' }, 404],
] as const)('an endpoint that knows its names answers %j with %i', async ([headers, status]) => {
  const { runtime } = testServer()
  const endpoint = mcpEndpoint({ runtime, agents: [weather], allowedHosts: ['127.0.0.1', 'localhost'] })
  expect((await endpoint.fetch(new Request('http://127.0.0.1/mcp', { headers: { ...headers, 'mcp-session-id': 'none' } }))).status).toBe(status)
})
