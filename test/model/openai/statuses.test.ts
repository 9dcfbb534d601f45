// Every error status and every known shape of error body, over a real socket.
import { expect, test } from 'vitest'
import type { FailureCode } from '../../../src/failure/index.ts'
import { openai } from '../../../src/model/index.ts'
import { faultServer, type Fault } from '../../../src/testing/index.ts'
import { ask, completion, io, listening, rejection } from '../call.ts'

const failWith = async (fault: Fault, streaming = false): Promise<Awaited<ReturnType<typeof rejection>>> => {
  await using server = await faultServer({ faults: [fault] })
  const provider = openai({ baseURL: server.url, apiKey: 'test-key-1234' })
  const error = await rejection(provider.call(ask(), streaming ? listening() : io()))
  expect(server.requests).toHaveLength(1)
  return error
}

const error = (body: object): string => JSON.stringify({ error: body })

const STATUSES: readonly (readonly [number, FailureCode, boolean])[] = [
  [301, 'invalid_request', false],
  [400, 'invalid_request', false],
  [401, 'auth_failed', false],
  [402, 'quota_exhausted', false],
  [403, 'auth_failed', false],
  [404, 'model_not_found', false],
  [405, 'invalid_request', false],
  [408, 'provider_error', true],
  [409, 'provider_error', true],
  [413, 'context_overflow', false],
  [415, 'invalid_request', false],
  [418, 'invalid_request', false],
  [422, 'invalid_request', false],
  [424, 'provider_error', true],
  [425, 'provider_error', true],
  [429, 'rate_limited', true],
  [498, 'overloaded', true],
  [500, 'provider_error', true],
  [501, 'provider_error', true],
  [502, 'provider_error', true],
  [503, 'overloaded', true],
  [504, 'provider_error', true],
  [520, 'provider_error', true],
  [529, 'overloaded', true],
]

test.each(STATUSES)('HTTP %i without a body is %s', async (status, code, retryable) => {
  const { failure } = await failWith({ status, ...(status === 301 ? { headers: { location: '/elsewhere' } } : {}) })
  expect(failure).toMatchObject({ code, retryable, provider: { provider: 'openai', model: 'test-model', status } })
  expect(failure.message).toContain(`HTTP ${status}`)
})

test('every status from 400 to 529 is a typed failure, streaming or not', async () => {
  let status = 400
  await using server = await faultServer({ faults: [() => ({ status })] })
  const provider = openai({ baseURL: server.url, apiKey: 'test-key-1234' })
  for (; status <= 529; status++) {
    for (const attempt of [io(), listening()]) {
      const { failure } = await rejection(provider.call(ask(), attempt))
      // fetch acts on these two itself, and may make errors of the connection of them.
      if (status === 407 || status === 421) expect(['connection_failed', 'invalid_request']).toContain(failure.code)
      else expect(failure.provider?.status).toBe(status)
    }
  }
})

const BODIES: readonly (readonly [string, Fault, FailureCode, string])[] = [
  [
    'an object with a string code',
    { status: 400, body: error({ message: 'Unknown parameter: foo', type: 'invalid_request_error', param: 'foo', code: 'unknown_parameter' }) },
    'invalid_request',
    'Unknown parameter: foo',
  ],
  ['a numeric code', { status: 429, body: error({ code: 429, message: 'Provider returned error', metadata: { raw: 'temporarily rate-limited upstream' } }) }, 'rate_limited', 'rate-limited upstream'],
  ['a string error', { status: 404, body: JSON.stringify({ error: 'model "x" not found, try pulling it first' }) }, 'model_not_found', 'try pulling it first'],
  ['an array', { status: 400, body: JSON.stringify([{ error: { code: 400, message: 'API key not valid.', status: 'INVALID_ARGUMENT' } }]) }, 'invalid_request', 'API key not valid.'],
  ['a detail text', { status: 401, body: JSON.stringify({ detail: 'Invalid API Key' }) }, 'auth_failed', 'Invalid API Key'],
  ['a list of details', { status: 422, body: JSON.stringify({ detail: [{ loc: ['body', 'model'], msg: 'Field required', type: 'missing' }] }) }, 'invalid_request', 'body.model: Field required'],
  [
    'details below message',
    {
      status: 422,
      body: JSON.stringify({ object: 'error', message: { detail: [{ loc: ['body', 'n'], msg: 'Extra inputs' }] }, type: 'invalid_request_error' }),
    },
    'invalid_request',
    'body.n: Extra inputs',
  ],
  ['a list of errors', { status: 500, body: JSON.stringify({ errors: [{ message: 'upstream died' }] }) }, 'provider_error', 'upstream died'],
  [
    'an HTML page',
    {
      status: 503,
      headers: { 'content-type': 'text/html' },
      body: '<html><head><style>p{}</style></head><body><h1>503</h1> Service Unavailable</body></html>',
    },
    'overloaded',
    '503 Service Unavailable',
  ],
  ['plain text', { status: 500, headers: { 'content-type': 'text/plain' }, body: 'Internal   Server\nError' }, 'provider_error', 'Internal Server Error'],
  ['cut JSON', { status: 500, body: '{"error":{"mess' }, 'provider_error', 'HTTP 500'],
  ['a JSON scalar', { status: 400, body: '"nope"' }, 'invalid_request', 'nope'],
  ['a body cut by a reset', { status: 500, body: 'x'.repeat(1000), cut: { atByte: 10, how: 'reset' } }, 'provider_error', 'HTTP 500'],
  ['exhausted quota', { status: 429, body: error({ message: 'You exceeded your current quota', type: 'insufficient_quota', code: 'insufficient_quota' }) }, 'quota_exhausted', 'current quota'],
  ['a spend limit', { status: 403, body: error({ message: 'Limit reached', code: 'project_spend_limit_exceeded' }) }, 'quota_exhausted', 'Limit reached'],
  ['a low credit balance', { status: 400, body: error({ message: 'Your credit balance is too low to access the API.', type: 'invalid_request_error' }) }, 'quota_exhausted', 'credit balance'],
  ['a context overflow by code', { status: 400, body: error({ message: 'too long', code: 'context_length_exceeded' }) }, 'context_overflow', 'too long'],
  ['a context overflow in words', { status: 400, body: error({ message: "This model's maximum context length is 8192 tokens.", code: 'invalid_request_error' }) }, 'context_overflow', 'maximum context length'],
  ['a content filter at Azure', { status: 400, body: error({ message: 'The response was filtered', code: 'content_filter', innererror: { code: 'ResponsibleAIPolicyViolation' } }) }, 'content_filtered', 'filtered'],
  ['a flagged prompt', { status: 403, body: error({ code: 403, message: 'Your input was flagged' }) }, 'content_filtered', 'flagged'],
  ['a missing deployment', { status: 400, body: error({ code: 'DeploymentNotFound', message: 'no such deployment' }) }, 'model_not_found', 'no such deployment'],
  ['an overloaded backend as 500', { status: 500, body: JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }) }, 'overloaded', 'Overloaded'],
]

test.each(BODIES)('an error body that is %s becomes the right failure', async (_shape, fault, code, words) => {
  for (const streaming of [false, true]) {
    const { failure } = await failWith(fault, streaming)
    expect(failure.code).toBe(code)
    expect(failure.message).toContain(words)
  }
})

test('a request larger than a whole minute of quota is not worth a retry', async () => {
  const { failure } = await failWith({
    status: 429,
    body: error({ message: 'Request too large for gpt-4 on tokens per min (TPM): Limit 10000, Requested 12000.', type: 'tokens', code: 'rate_limit_exceeded' }),
  })
  expect(failure).toMatchObject({ code: 'rate_limited', retryable: false })
})

test('x-should-retry overrides the table both ways, but never for credentials or quota', async () => {
  const with_ = async (status: number, header: string): Promise<boolean> => (await failWith({ status, headers: { 'x-should-retry': header } })).failure.retryable
  expect(await with_(500, 'false')).toBe(false)
  expect(await with_(400, 'true')).toBe(true)
  expect(await with_(401, 'true')).toBe(false)
  expect(await with_(402, 'true')).toBe(false)
})

const WAITS: readonly (readonly [string, { readonly [name: string]: string }, number | undefined])[] = [
  ['seconds', { 'retry-after': '2' }, 2000],
  ['fractions of seconds', { 'retry-after': '0.5' }, 500],
  ['milliseconds', { 'retry-after-ms': '1500', 'retry-after': '9' }, 1500],
  ['zero', { 'retry-after': '0' }, 0],
  ['a negative number', { 'retry-after': '-5' }, undefined],
  ['two hours', { 'retry-after': '7200' }, 7_200_000],
  ['an absurd number', { 'retry-after': '99999999999999999999' }, Number.MAX_SAFE_INTEGER],
  ['infinity', { 'retry-after': 'Infinity' }, undefined],
  ['no number', { 'retry-after': 'soon' }, undefined],
  ['a date that has passed', { 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, 0],
  ['an unreadable ms header', { 'retry-after-ms': 'abc', 'retry-after': '3' }, 3000],
]

test.each(WAITS)('Retry-After given as %s is reported as it is', async (_form, headers, expected) => {
  const { failure } = await failWith({ status: 429, headers })
  expect(failure.provider?.retryAfterMs).toBe(expected)
  if (expected !== undefined) expect(failure.message).toContain(`wait ${expected} ms`)
})

test('a huge error body is read only as far as it says something', async () => {
  const { failure } = await failWith({ status: 500, headers: { 'content-type': 'text/plain' }, body: Array.from({ length: 50 }, () => 'x'.repeat(100_000)) })
  expect(failure.code).toBe('provider_error')
  expect(failure.message.length).toBeLessThan(700)
})

test('request id and rate limits of a failed reply are passed on', async () => {
  await using server = await faultServer({
    faults: [
      {
        status: 429,
        headers: { 'x-request-id': 'req_7', 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '1m30s', 'x-ratelimit-limit-tokens': '90000' },
      },
    ],
  })
  const seen: object[] = []
  const { failure } = await rejection(openai({ baseURL: server.url, apiKey: 'test-key-1234' }).call(ask(), io({ onRateLimits: (limits) => void seen.push(limits) })))
  expect(failure.provider?.requestId).toBe('req_7')
  expect(seen).toEqual([{ remainingRequests: 0, resetRequestsMs: 90_000, limitTokens: 90_000 }])
})

test('after failures the same provider goes on to succeed', async () => {
  await using server = await faultServer({ faults: [{ status: 500 }, { body: completion() }] })
  const provider = openai({ baseURL: server.url, apiKey: 'test-key-1234' })
  expect((await rejection(provider.call(ask(), io()))).failure.code).toBe('provider_error')
  expect(await provider.call(ask(), io())).toEqual({
    message: { role: 'assistant', content: 'Hi.' },
    finish: 'stop',
    usage: { inputTokens: 9, outputTokens: 3 },
    model: 'test-model-1',
  })
})
