// The fault server itself: that it does what it is told, seen through the platform's own fetch.
import { expect, test } from 'vitest'
import { fakeClock } from '../../src/clock/index.ts'
import { faultServer } from '../../src/testing/index.ts'

const get = (url: string): Promise<Response> => fetch(url, { headers: { connection: 'close' } })

test('faults come in order, one per request, and the last one stays', async () => {
  await using server = await faultServer({
    faults: [{ status: 503 }, { status: 429, headers: { 'retry-after': '2' }, body: '{}' }, (request) => ({ body: request.path })],
  })
  expect((await get(server.url)).status).toBe(503)
  const limited = await get(server.url)
  expect([limited.status, limited.headers.get('retry-after'), limited.headers.get('content-type'), await limited.text()]).toEqual([429, '2', 'application/json', '{}'])
  expect(await (await get(`${server.url}/a`)).text()).toBe('/v1/a')
  expect(await (await get(`${server.url}/b`)).text()).toBe('/v1/b')
})

test('requests are remembered with time, path, headers and body', async () => {
  const clock = fakeClock()
  await using server = await faultServer({ faults: [{}], clock })
  await fetch(`${server.url}/x`, { method: 'POST', body: 'hällo', headers: { 'x-a': '1' } })
  await clock.advance(250)
  await fetch(`${server.url}/y`)
  expect(server.requests.map(({ atMs, method, path, body }) => [atMs, method, path, body])).toEqual([
    [0, 'POST', '/v1/x', 'hällo'],
    [250, 'GET', '/v1/y', ''],
  ])
  expect(server.requests[0]?.headers['x-a']).toBe('1')
})

test('bodies that begin like an event stream are one', async () => {
  await using server = await faultServer({ faults: [{ body: 'data: 1\n\n' }, { body: ['event: x\n', 'data: 1\n\n'] }, { body: new Uint8Array([1, 2]) }] })
  expect((await get(server.url)).headers.get('content-type')).toBe('text/event-stream')
  expect((await get(server.url)).headers.get('content-type')).toBe('text/event-stream')
  expect(new Uint8Array(await (await get(server.url)).arrayBuffer())).toEqual(new Uint8Array([1, 2]))
})

test('a body can end, close and break after any byte', async () => {
  await using server = await faultServer({ faults: (['end', 'close', 'reset'] as const).map((how) => ({ body: ['abc', 'def'], cut: { atByte: 4, how } })) })
  expect(await (await get(server.url)).text()).toBe('abcd')
  await expect(get(server.url).then((response) => response.text())).rejects.toThrow()
  await expect(get(server.url).then((response) => response.text())).rejects.toThrow()
})

test('connections can be reset, answered with garbage, or left in silence', async () => {
  await using server = await faultServer({
    faults: [{ connection: 'reset' }, { connection: 'garbage' }, { raw: 'HTTP/1.1 299 Odd\r\ncontent-length: 2\r\n\r\nok' }, { connection: 'silence' }],
  })
  await expect(get(server.url)).rejects.toThrow()
  await expect(get(server.url)).rejects.toThrow()
  const odd = await get(server.url)
  expect([odd.status, await odd.text()]).toEqual([299, 'ok'])
  const controller = new AbortController()
  const silent = fetch(server.url, { signal: controller.signal })
  setImmediate(() => controller.abort())
  await expect(silent).rejects.toThrow()
})

test('delays and drips follow the clock', async () => {
  const clock = fakeClock()
  await using server = await faultServer({ faults: [{ body: 'ab', delayMs: 1000, dripMs: 500 }], clock })
  const arrived: string[] = []
  const reading = get(server.url).then(async (response) => {
    arrived.push('headers')
    arrived.push(await response.text())
  })
  while (clock.nextDue() === undefined) await new Promise((resolve) => setImmediate(resolve))
  expect(arrived).toEqual([])
  await clock.advance(1000)
  while (clock.nextDue() === undefined) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(500)
  await reading
  expect(arrived).toEqual(['headers', 'ab'])
})

test('closing ends what is still under way', async () => {
  const server = await faultServer({ faults: [{ body: 'abc', cut: { atByte: 1, how: 'stall' } }] })
  const reading = get(server.url).then((response) => response.text())
  while (server.sentBytes === 0) await new Promise((resolve) => setImmediate(resolve))
  await server.close()
  await expect(reading).rejects.toThrow()
})
