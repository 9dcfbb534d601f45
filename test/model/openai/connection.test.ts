// What can go wrong with the connection and with time, over real sockets. Limits are milliseconds; nothing is timed.
import { createServer } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { expect, test } from 'vitest'
import { fakeClock } from '../../../src/clock/index.ts'
import { openai } from '../../../src/model/index.ts'
import { connectFault } from '../../../src/model/openai/network.ts'
import { faultServer, type Fault } from '../../../src/testing/index.ts'
import { ask, chunk, completion, events, io, listening, patience, rejection, usageChunk } from '../call.ts'

const options = { apiKey: 'test-key-1234' }
const whole = events(chunk({ role: 'assistant', content: '' }), chunk({ content: 'Hel' }), chunk({ content: 'lo' }), chunk({}, 'stop'), usageChunk, '[DONE]')

const failWith = async (fault: Fault, limits: Partial<typeof patience> = {}, streaming = false): Promise<Awaited<ReturnType<typeof rejection>>['failure']> => {
  await using server = await faultServer({ faults: [fault] })
  const given = { timeouts: { ...patience, ...limits } }
  return (await rejection(openai({ ...options, baseURL: server.url }).call(ask(), streaming ? listening(given) : io(given)))).failure
}

/** A port nobody listens on. */
const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

test.each([false, true])('a reset before the headers is a failed connection (streaming: %s)', async (streaming) => {
  const failure = await failWith({ connection: 'reset' }, {}, streaming)
  expect(failure).toMatchObject({ code: 'connection_failed', retryable: true })
})

test('a refused connection is a failed connection that names the address and the cause', async () => {
  const port = await freePort()
  const { failure } = await rejection(openai({ ...options, baseURL: `http://127.0.0.1:${port}/v1` }).call(ask(), io()))
  expect(failure).toMatchObject({ code: 'connection_failed', retryable: true, details: { errno: 'ECONNREFUSED' } })
  expect(failure.message).toContain(`127.0.0.1:${port}`)
})

test('a host that does not exist is a failed connection', async () => {
  const { failure } = await rejection(openai({ ...options, baseURL: 'http://no-such-host.invalid/v1' }).call(ask(), io()))
  expect(failure.code).toBe('connection_failed')
  expect(failure.details?.['errno']).toMatch(/ENOTFOUND|EAI_AGAIN/)
})

test('plain HTTP where TLS was expected is a failed connection that no retry repairs', async () => {
  await using server = await faultServer({ faults: [{ body: completion() }] })
  const { failure } = await rejection(openai({ ...options, baseURL: server.url.replace('http:', 'https:') }).call(ask(), io()))
  expect(failure).toMatchObject({ code: 'connection_failed', retryable: false })
})

test('a TLS handshake that fails is a failed connection that no retry repairs', async () => {
  // A server without a certificate shares no cipher with anybody.
  const server = createTlsServer({}, () => undefined)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const { failure } = await rejection(openai({ ...options, baseURL: `https://127.0.0.1:${port}/v1` }).call(ask(), io()))
  server.close()
  expect(failure).toMatchObject({ code: 'connection_failed', retryable: false })
})

test.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'])('the certificate fault %s is not retried', (code) => {
  const error = new TypeError('fetch failed', { cause: Object.assign(new Error('bad certificate'), { code }) })
  expect(connectFault(error)).toEqual({ code: 'connection_failed', retryable: false, errno: code, message: 'bad certificate' })
})

test('an answer that is no HTTP is malformed', async () => {
  expect((await failWith({ raw: 'SSH-2.0-OpenSSH_9.9\r\n' })).code).toBe('malformed_response')
  expect((await failWith({ connection: 'garbage' })).code).toBe('malformed_response')
})

test('headers that never end are malformed, not memory', async () => {
  const failure = await failWith({ raw: `HTTP/1.1 200 OK\r\n${'x-filler: y\r\n'.repeat(10_000)}` })
  expect(failure.code).toBe('malformed_response')
})

test.each([false, true])('a server that never answers runs into the first-token limit (streaming: %s)', async (streaming) => {
  const silent = await failWith({ connection: 'silence' }, { firstTokenMs: 30 }, streaming)
  expect(silent).toMatchObject({ code: 'timeout', retryable: true, details: { phase: 'first_token', limitMs: 30 } })
  const slow = await failWith({ delayMs: 5_000, body: completion() }, { firstTokenMs: 30 }, streaming)
  expect(slow).toMatchObject({ code: 'timeout', details: { phase: 'first_token' } })
})

test('a plain reply that drips runs into the limit for the whole body', async () => {
  const failure = await failWith({ body: completion(), dripMs: 20 }, { firstTokenMs: 80, idleMs: 5 })
  expect(failure).toMatchObject({ code: 'timeout', details: { phase: 'first_token', limitMs: 80 } })
})

test('a stream that stalls after its first token runs into the idle limit', async () => {
  const failure = await failWith({ body: whole, cut: { atByte: whole.indexOf('lo"'), how: 'stall' } }, { idleMs: 40 }, true)
  expect(failure).toMatchObject({ code: 'timeout', retryable: true, details: { phase: 'idle', limitMs: 40 } })
})

test('a stream of keep-alive comments is a stall, not progress', async () => {
  const comments = Array.from({ length: 2_000 }, () => ': keep-alive\n\n')
  const before = await failWith({ headers: { 'content-type': 'text/event-stream' }, body: comments, dripMs: 2 }, { firstTokenMs: 60 }, true)
  expect(before).toMatchObject({ code: 'timeout', details: { phase: 'first_token' } })
  const after = await failWith({ body: [events(chunk({ content: 'Hi' })), ...comments], dripMs: 2 }, { idleMs: 60 }, true)
  expect(after).toMatchObject({ code: 'timeout', details: { phase: 'idle' } })
})

test('a role without a token does not end the wait for the first token', async () => {
  const failure = await failWith({ body: events(chunk({ role: 'assistant', content: '' })), cut: { atByte: 10_000, how: 'stall' } }, { firstTokenMs: 50, idleMs: 5_000 }, true)
  expect(failure).toMatchObject({ code: 'timeout', details: { phase: 'first_token' } })
})

test('a stream that drips slower than nothing but faster than its idle limit arrives', async () => {
  await using server = await faultServer({ faults: [{ body: whole, dripMs: 0 }] })
  const reply = await openai({ ...options, baseURL: server.url }).call(ask(), listening())
  expect(reply.message.content).toBe('Hello')
})

test.each(['reset', 'close'] as const)('a plain reply cut by %s is truncated', async (how) => {
  const failure = await failWith({ body: completion(), cut: { atByte: 40, how } })
  expect(failure).toMatchObject({ code: 'stream_truncated', retryable: true })
})

test('a plain reply that ends early without an error of the connection is malformed', async () => {
  expect((await failWith({ body: completion(), cut: { atByte: 40, how: 'end' } })).code).toBe('malformed_response')
})

test('a length that promises more than is sent is truncated', async () => {
  const failure = await failWith({ raw: `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000\r\n\r\n${completion()}` })
  expect(failure.code).toBe('stream_truncated')
})

test('a body that claims to be gzip and is not is malformed', async () => {
  expect((await failWith({ headers: { 'content-encoding': 'gzip' }, body: completion() })).code).toBe('malformed_response')
})

test('a connect timeout names its phase', () => {
  const error = new TypeError('fetch failed', { cause: Object.assign(new Error('Connect Timeout Error'), { code: 'UND_ERR_CONNECT_TIMEOUT' }) })
  expect(connectFault(error).code).toBe('timeout')
})

test("a caller's abort is thrown as the signal's own reason, before, during and after the headers", async () => {
  class Cancelled extends Error {}
  const abortWhen = async (when: 'before' | 'waiting' | 'streaming'): Promise<unknown> => {
    const controller = new AbortController()
    const reason = new Cancelled(when)
    await using server = await faultServer({
      faults: [
        () => {
          if (when === 'waiting') controller.abort(reason)
          return when === 'streaming' ? { body: whole, cut: { atByte: whole.indexOf('lo"'), how: 'stall' } } : { connection: 'silence' }
        },
      ],
    })
    if (when === 'before') controller.abort(reason)
    const onDelta = (): void => {
      if (when === 'streaming') controller.abort(reason)
    }
    const thrown: unknown = await openai({ ...options, baseURL: server.url })
      .call(ask(), { ...io(), signal: controller.signal, onDelta })
      .catch((error: unknown) => error)
    expect(thrown).toBe(reason)
    return server.requests.length
  }
  expect(await abortWhen('before')).toBe(0)
  expect(await abortWhen('waiting')).toBe(1)
  expect(await abortWhen('streaming')).toBe(1)
})

test('after an abort no further delta is delivered', async () => {
  const controller = new AbortController()
  const heard: string[] = []
  await using server = await faultServer({ faults: [{ body: [whole] }] })
  const onDelta = (delta: { readonly type: string }): void => {
    heard.push(delta.type)
    controller.abort(new Error('enough'))
  }
  await expect(openai({ ...options, baseURL: server.url }).call(ask(), { ...io(), signal: controller.signal, onDelta })).rejects.toThrow('enough')
  expect(heard).toEqual(['text'])
})

test('a listener that throws is a bug and comes out as it is', async () => {
  await using server = await faultServer({ faults: [{ body: whole }] })
  const onDelta = (): void => {
    throw new RangeError('my own bug')
  }
  await expect(openai({ ...options, baseURL: server.url }).call(ask(), { ...io(), onDelta })).rejects.toThrow(RangeError)
})

test('a fetch of the caller is used instead, and one that ignores its signal cannot hold the call', async () => {
  const fetch = (() => new Promise(() => undefined)) as typeof globalThis.fetch
  const { failure } = await rejection(openai({ ...options, baseURL: 'http://127.0.0.1:9/v1', fetch }).call(ask(), io({ timeouts: { ...patience, firstTokenMs: 20 } })))
  expect(failure.code).toBe('timeout')
})

test('connections are used again after plain replies and after streams', async () => {
  await using server = await faultServer({ faults: [{ body: completion() }, { body: whole }, { body: completion() }] })
  const provider = openai({ ...options, baseURL: server.url })
  await provider.call(ask(), io())
  await provider.call(ask(), listening())
  await new Promise((resolve) => setImmediate(resolve))
  await provider.call(ask(), io())
  expect(server.requests).toHaveLength(3)
  expect(server.connections).toBeLessThan(3)
})

test('more calls than connections wait for a free one', async () => {
  await using server = await faultServer({ faults: [{ body: completion() }] })
  const provider = openai({ ...options, baseURL: server.url, maxConnections: 2 })
  await Promise.all(Array.from({ length: 12 }, () => provider.call(ask(), io())))
  expect(server.requests).toHaveLength(12)
  expect(server.connections).toBe(2)
})

test('an error whose body stalls is still reported with its status and its wait', async () => {
  const clock = fakeClock()
  await using server = await faultServer({
    faults: [{ status: 429, headers: { 'retry-after': '3' }, body: '{"error":{"message":"slow down"}}', cut: { atByte: 12, how: 'stall' } }],
  })
  const call = rejection(openai({ ...options, baseURL: server.url, clock }).call(ask(), io()))
  // The patience for the rest of an error is far shorter than the limit for the first token.
  while ((clock.nextDue() ?? Infinity) - clock.now() > 1000) await new Promise((resolve) => setImmediate(resolve))
  await clock.advance(1000)
  expect((await call).failure).toMatchObject({ code: 'rate_limited', provider: { status: 429, retryAfterMs: 3000 } })
})
