// Options, environment, Azure, embeddings, the size limit, and what must never be in a failure.
import { inspect } from 'node:util'
import { afterEach, expect, test, vi } from 'vitest'
import { FailureError } from '../../../src/failure/index.ts'
import { openai } from '../../../src/model/index.ts'
import { faultServer } from '../../../src/testing/index.ts'
import { ask, chunk, completion, events, io, listening, rejection } from '../call.ts'

afterEach(() => vi.unstubAllEnvs())

test('key and address come from the environment', async () => {
  await using server = await faultServer({ faults: [{ body: completion() }] })
  vi.stubEnv('OPENAI_API_KEY', ' key-from-env-1234\n')
  vi.stubEnv('OPENAI_BASE_URL', server.url)
  const provider = openai()
  expect(provider).toMatchObject({ id: 'openai', baseUrl: server.url })
  await provider.call(ask(), io())
  expect(server.requests[0]?.headers['authorization']).toBe('Bearer key-from-env-1234')
})

test('the attempt key goes along as idempotency key and client request id', async () => {
  await using server = await faultServer({ faults: [{ body: completion() }] })
  const provider = openai({ baseURL: server.url, headers: { 'x-team': 'a' } })
  await provider.call(ask(), io({ key: 'run/asking#1.1' }))
  await provider.call(ask(), io({ key: 'läuft nicht in header\n' }))
  expect(server.requests[0]?.headers).toMatchObject({ 'idempotency-key': 'run/asking#1.1', 'x-client-request-id': 'run/asking#1.1', 'x-team': 'a' })
  expect(server.requests[1]?.headers).not.toHaveProperty('idempotency-key')
})

test('a server elsewhere needs no key, OpenAI does', async () => {
  vi.stubEnv('OPENAI_API_KEY', '')
  await using server = await faultServer({ faults: [{ body: completion() }] })
  await openai({ baseURL: server.url }).call(ask(), io())
  expect(server.requests).toHaveLength(1)
  const { failure } = await rejection(openai({ baseURL: 'https://api.openai.com/v1' }).call(ask(), io()))
  expect(failure.code).toBe('auth_failed')
  expect(failure.message).toContain('OPENAI_API_KEY')
})

test('a key that no header can carry fails without being shown', async () => {
  const key = 'secret-part-one\nsecret-part-two'
  const { failure } = await rejection(openai({ baseURL: 'http://127.0.0.1:9/v1', apiKey: key }).call(ask(), io()))
  expect(failure.code).toBe('auth_failed')
  expect(JSON.stringify(failure)).not.toContain('secret-part')
})

test('a key function is asked before every call, and one that throws is a failed authentication', async () => {
  await using server = await faultServer({ faults: [{ body: completion() }] })
  let serial = 0
  const provider = openai({ baseURL: server.url, apiKey: async () => `rotating-${++serial}` })
  await provider.call(ask(), io())
  await provider.call(ask(), io())
  expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual(['Bearer rotating-1', 'Bearer rotating-2'])
  const broken = openai({
    baseURL: server.url,
    apiKey: () => {
      throw new Error('vault says s3cr3t')
    },
  })
  const { failure } = await rejection(broken.call(ask(), io()))
  expect(failure.code).toBe('auth_failed')
  expect(JSON.stringify(failure)).not.toContain('s3cr3t')
})

test.each(['not a url', 'ftp://example.com/v1'])('the base URL %j is refused when the provider is made', (baseURL) => {
  expect(() => openai({ baseURL })).toThrow(FailureError)
})

test('credentials in a base URL are not shown', () => {
  expect(openai({ baseURL: 'https://user:pass-word@example.com/v1/?key=1' }).baseUrl).toBe('https://example.com/v1')
})

test('Azure gets its header, version and deployment', async () => {
  await using server = await faultServer({ faults: [{ body: completion() }] })
  const base = server.url.replace('/v1', '/openai')
  await openai({ baseURL: base, apiKey: 'azure-key-1234', azure: { apiVersion: '2024-10-21' } }).call(ask(), io())
  await openai({ baseURL: base, apiKey: 'azure-key-1234', azure: { apiVersion: '2024-10-21', deployment: 'mine' } }).call(ask(), io())
  expect(server.requests.map(({ path }) => path)).toEqual(['/openai/deployments/test-model/chat/completions?api-version=2024-10-21', '/openai/deployments/mine/chat/completions?api-version=2024-10-21'])
  expect(server.requests[0]?.headers['api-key']).toBe('azure-key-1234')
  expect(server.requests[0]?.headers).not.toHaveProperty('authorization')
})

test('Azure without a version or an address is refused when the provider is made', () => {
  vi.stubEnv('OPENAI_API_VERSION', '')
  vi.stubEnv('AZURE_OPENAI_ENDPOINT', '')
  expect(() => openai({ azure: {} })).toThrow(/API version/)
  expect(() => openai({ azure: { apiVersion: '2024-10-21' } })).toThrow(/AZURE_OPENAI_ENDPOINT/)
  vi.stubEnv('AZURE_OPENAI_ENDPOINT', 'https://res.openai.azure.com/')
  expect(openai({ azure: { apiVersion: '2024-10-21' } }).baseUrl).toBe('https://res.openai.azure.com/openai')
})

test('whatever a server echoes, no failure holds the key, a header or an object of the SDK', async () => {
  const apiKey = 'sk-test-0123456789abcdef'
  const echo = JSON.stringify({
    error: { message: `Incorrect API key provided: ${apiKey}. Also Bearer ${apiKey} and sk-proj-someoneelse99.`, code: apiKey, type: 'x' },
  })
  await using server = await faultServer({
    faults: [
      { status: 401, headers: { 'x-request-id': apiKey, 'set-cookie': 'session=cookie-value' }, body: echo },
      { body: events(chunk({ content: 'A' }), { error: { message: `key ${apiKey}`, code: apiKey } }) },
      { status: 500, headers: { 'content-type': 'text/html' }, body: `<p>${apiKey}</p>` },
    ],
  })
  const provider = openai({ baseURL: server.url, apiKey })
  for (const attempt of [io(), listening(), io()]) {
    const error = await rejection(provider.call(ask(), attempt))
    const shown = inspect(error, { depth: 12, showHidden: true }) + JSON.stringify(error)
    expect(shown).not.toContain('0123456789abcdef')
    expect(shown).not.toContain('someoneelse99')
    expect(shown).not.toContain('cookie-value')
    expect(error.cause).toBeUndefined()
  }
})

test.each([false, true])('a reply above the size limit fails typed and is not read to its end (streaming: %s)', async (streaming) => {
  const piece = 'x'.repeat(65_536)
  const body = streaming ? Array.from({ length: 800 }, () => events(chunk({ content: piece }))) : ['{"choices":[{"index":0,"message":{"content":"', ...Array.from({ length: 800 }, () => piece)]
  await using server = await faultServer({ faults: [{ body }] })
  const { failure } = await rejection(openai({ baseURL: server.url, apiKey: 'test-key-1234', maxReplyBytes: 1_000_000 }).call(ask(), streaming ? listening() : io()))
  expect(failure).toMatchObject({ code: 'malformed_response', details: { maxReplyBytes: 1_000_000 } })
  // 52 MB are on offer; what left is the limit and what the sockets between hold.
  expect(server.sentBytes).toBeLessThan(26_000_000)
})

test('a compressed reply counts by what it unpacks to', async () => {
  const { gzipSync } = await import('node:zlib')
  const bomb = gzipSync(`{"choices":[{"index":0,"message":{"content":"${'x'.repeat(30_000_000)}"},"finish_reason":"stop"}]}`)
  await using server = await faultServer({ faults: [{ headers: { 'content-encoding': 'gzip' }, body: bomb }] })
  const { failure } = await rejection(openai({ baseURL: server.url, apiKey: 'test-key-1234' }).call(ask(), io()))
  expect(failure).toMatchObject({ code: 'malformed_response', details: { maxReplyBytes: 10_000_000 } })
})

test('texts are embedded in order', async () => {
  const data = [
    { index: 1, embedding: [0.3, 0.4] },
    { index: 0, embedding: [0.1, 0.2] },
  ]
  await using server = await faultServer({
    faults: [{ body: JSON.stringify({ object: 'list', data, model: 'e', usage: { prompt_tokens: 4, total_tokens: 4 } }) }],
  })
  const embed = openai({ baseURL: server.url, apiKey: 'test-key-1234' }).embed
  expect(await embed?.({ model: 'e', texts: ['a', 'b'] }, io())).toEqual({
    vectors: [
      [0.1, 0.2],
      [0.3, 0.4],
    ],
    usage: { inputTokens: 4, outputTokens: 0 },
  })
  expect(JSON.parse(server.requests[0]?.body ?? '')).toEqual({ model: 'e', input: ['a', 'b'], encoding_format: 'float' })
})

test.each([
  ['a vector missing', { data: [{ index: 0, embedding: [1] }] }],
  [
    'a vector of something else',
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: ['x'] },
      ],
    },
  ],
  [
    'an empty vector',
    {
      data: [
        { index: 0, embedding: [1] },
        { index: 1, embedding: [] },
      ],
    },
  ],
  ['no object', [1]],
])('embeddings with %s are malformed', async (_what, body) => {
  await using server = await faultServer({ faults: [{ body: JSON.stringify(body) }] })
  const provider = openai({ baseURL: server.url, apiKey: 'test-key-1234' })
  expect((await rejection(provider.embed?.({ model: 'e', texts: ['a', 'b'] }, io()) ?? Promise.resolve())).failure.code).toBe('malformed_response')
})
