// The real provider against the scripted one over a loopback socket: what goes in comes out, failures too.
import { expect, test } from 'vitest'
import { openai, type ModelProvider, type ModelRequest } from '../../src/model/index.ts'
import { replyCalls, replyFailure, replyOutput, replyRefusal, replyText, script, scriptedServer } from '../../src/testing/index.ts'
import { ask, io, listening, patience, rejection } from '../model/call.ts'

const replies = [
  replyText('Grüezi 👋🏽, es regnet in Bern.'),
  replyOutput({ a: [1, 2] }),
  replyCalls({ name: 'f', args: { long: 'value '.repeat(30) } }, { name: 'g', args: {} }),
  replyCalls({ name: 'f', args: null, raw: '{"cut":' }),
  replyRefusal('I will not.'),
  replyText('cut off', { finish: 'length' }),
  replyText('x', { usage: { inputTokens: 100, outputTokens: 20, cachedTokens: 40, cacheWriteTokens: 5, reasoningTokens: 6 } }),
  { text: 'Both.', calls: [{ name: 'f', args: { a: 1 } }] },
]

test.each([false, true])('replies arrive as the provider behind the server gave them (streaming: %s)', async (streaming) => {
  const direct = script(replies)
  await using server = await scriptedServer({ provider: script(replies) })
  const remote = openai({ baseURL: server.url, apiKey: 'test-key-1234' })
  for (const _ of replies) {
    const ears = listening()
    const expected = await direct.call(ask(), io())
    const { requestId, usage, ...reply } = await remote.call(ask(), streaming ? ears : io())
    const { usage: counted, ...rest } = expected
    expect(reply).toEqual(rest)
    expect(usage).toEqual({ cachedTokens: 0, cacheWriteTokens: 0, reasoningTokens: 0, ...counted })
    expect(requestId).toMatch(/^req_/)
    if (streaming) expect(ears.heard.map((delta) => (delta.type === 'text' ? delta.text : '')).join('')).toBe(expected.message.content)
  }
})

test('the provider behind the server sees the request as it was made', async () => {
  const behind = script([replyText('a'), replyText('b')])
  await using server = await scriptedServer({ provider: behind })
  const request: ModelRequest = {
    model: 'm',
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image', data: { url: 'https://example.com/a.png' }, extras: { detail: 'low', cache_control: { type: 'ephemeral' } } },
          { type: 'audio', data: { base64: 'UklG' }, mediaType: 'audio/wav' },
        ],
        extras: { name: 'ada' },
      },
      { role: 'assistant', content: 'Hm', calls: [{ id: 'c1', name: 'f', args: { a: 1 } }] },
      { role: 'tool', callId: 'c1', name: 'f', content: 'done' },
    ],
    tools: [{ name: 'f', description: 'F', parameters: { type: 'object' }, strict: true }],
    toolChoice: { name: 'f' },
    output: { name: 'answer', description: 'The answer.', schema: { type: 'object' }, strict: false },
    params: { maxOutputTokens: 9, temperature: 0.5, topP: 0.9, stop: ['X'], reasoningEffort: 'low', verbosity: 'high' },
  }
  const remote = openai({ baseURL: server.url, apiKey: 'test-key-1234' })
  await remote.call(request, io())
  await remote.call(request, listening())
  expect(behind.requests).toEqual([request, request])
  await remote.call({ ...request, output: { name: 'output', schema: {} } }, io()).catch(() => {})
  expect(behind.requests.at(-1)?.output).toEqual({ name: 'output', schema: {} })
})

test.each([
  'rate_limited',
  'quota_exhausted',
  'overloaded',
  'provider_error',
  'connection_failed',
  'malformed_response',
  'empty_response',
  'auth_failed',
  'model_not_found',
  'invalid_request',
  'context_overflow',
  'content_filtered',
] as const)('the failure %s arrives as itself', async (code) => {
  await using server = await scriptedServer({ provider: script([replyFailure(code, { provider: { retryAfterMs: 70 } }), replyFailure(code)]) })
  const remote = openai({ baseURL: server.url, apiKey: 'test-key-1234' })
  const { failure } = await rejection(remote.call(ask(), io()))
  expect(failure.code).toBe(code)
  if (code === 'rate_limited') expect(failure.provider?.retryAfterMs).toBe(70)
  expect((await rejection(remote.call(ask(), listening()))).failure.code).toBe(code)
})

test('a failure in the middle of a stream arrives after the text that was said', async () => {
  const broken: ModelProvider = {
    id: 'broken',
    async call(request, { onDelta }) {
      onDelta?.({ type: 'text', text: 'Half' })
      return script([replyFailure('overloaded')]).call(request, io())
    },
  }
  await using server = await scriptedServer({ provider: broken })
  const ears = listening()
  expect((await rejection(openai({ baseURL: server.url, apiKey: 'test-key-1234' }).call(ask(), ears))).failure.code).toBe('overloaded')
  expect(ears.heard).toEqual([{ type: 'text', text: 'Half' }])
})

test('a timeout behind the server is silence in front of it', async () => {
  await using server = await scriptedServer({ provider: script([replyFailure('timeout')]) })
  const impatient = io({ timeouts: { ...patience, firstTokenMs: 40 } })
  expect((await rejection(openai({ baseURL: server.url, apiKey: 'test-key-1234' }).call(ask(), impatient))).failure).toMatchObject({
    code: 'timeout',
    details: { phase: 'first_token' },
  })
})

test('an abort reaches the provider behind the server', async () => {
  const asked = Promise.withResolvers<void>()
  const aborted = Promise.withResolvers<void>()
  const waiting: ModelProvider = {
    id: 'waiting',
    async call(_request, { signal }) {
      signal.addEventListener('abort', () => aborted.resolve())
      asked.resolve()
      await aborted.promise
      throw new Error('gone')
    },
  }
  await using server = await scriptedServer({ provider: waiting })
  const controller = new AbortController()
  const call = openai({ baseURL: server.url, apiKey: 'test-key-1234' }).call(ask(), io({ signal: controller.signal, key: 'k' }))
  await asked.promise
  controller.abort(new Error('stop'))
  await expect(call).rejects.toThrow('stop')
  await aborted.promise
})

const post = async (url: string, body: string, headers: { readonly [name: string]: string } = {}): Promise<{ readonly status: number; readonly message: string }> => {
  const response = await fetch(url, { method: 'POST', body, headers })
  const { error } = (await response.json()) as { readonly error: { readonly message: string } }
  return { status: response.status, message: error.message }
}

test('requests are checked: path, key and body', async () => {
  await using server = await scriptedServer({ provider: script([]), apiKey: 'secret' })
  const url = `${server.url}/chat/completions`
  const key = { authorization: 'Bearer secret' }
  expect(await post(`${server.url}/models`, '{}', key)).toMatchObject({ status: 404 })
  expect(await post(url, '{}')).toMatchObject({ status: 401 })
  expect(await post(url, '{', key)).toMatchObject({ status: 400 })
  expect((await post(url, '{"model":"m","messages":[]}', key)).message).toContain('messages')
  expect((await post(url, '{"model":"m","messages":[{"role":"user","content":"x"}]}', key)).message).toContain('no turn left')
})
