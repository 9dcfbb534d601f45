import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { fakeClock } from '../../../src/clock/index.ts'
import { failureOf, type Failure, type Json } from '../../../src/failure/index.ts'
import { aiSdk, ModelCallError, replyCalls, replyOutput, replyText, script, type AiSdkModel, type ModelDelta, type ModelIo, type ModelRequest } from '../../../src/model/index.ts'
import { timeoutsOf } from '../../../src/policy/index.ts'
import { toJsonSchema } from '../../../src/schema/index.ts'
import { faultServer, scriptedServer, type Fault } from '../../../src/testing/index.ts'

const request = (more: Partial<ModelRequest> = {}): ModelRequest => ({ model: 'm', messages: [{ role: 'user', content: 'hi' }], params: { maxOutputTokens: 100 }, ...more })
const io = (more: Partial<ModelIo> = {}): ModelIo => ({ signal: new AbortController().signal, timeouts: timeoutsOf(), key: 'k', ...more })

const failed = async (work: Promise<unknown>): Promise<Failure> => {
  try {
    await work
  } catch (thrown) {
    const failure = failureOf(thrown)
    if (failure !== undefined) return failure
    throw thrown
  }
  throw new Error('It did not fail.')
}

const compatible = (url: string) => aiSdk(createOpenAICompatible({ name: 'compatible', baseURL: url, includeUsage: true, supportsStructuredOutputs: true }), { id: 'compatible' })

describe('a real provider package of the AI SDK, over a socket', () => {
  const look = { name: 'look', description: 'Looks.', parameters: toJsonSchema(z.object({ at: z.string() }), 'look') }

  it('answers text, calls of tools and structured output with their usage', async () => {
    await using server = await scriptedServer({ provider: script([replyText('hello'), replyCalls({ name: 'look', args: { at: 'x' } }), replyOutput({ n: 1 })]) })
    const provider = compatible(server.url)
    expect(await provider.call(request(), io())).toMatchObject({ message: { role: 'assistant', content: 'hello' }, finish: 'stop', usage: { inputTokens: expect.any(Number), outputTokens: expect.any(Number) } })
    const called = await provider.call(request({ tools: [look] }), io())
    expect(called).toMatchObject({ finish: 'tool_calls', message: { calls: [{ name: 'look', args: { at: 'x' } }] } })
    const output = { name: 'n', schema: toJsonSchema(z.object({ n: z.number() }), 'n') }
    const thread = [...request().messages, called.message, { role: 'tool' as const, callId: called.message.calls?.[0]?.id ?? '', name: 'look', content: 'seen' }]
    expect(await provider.call(request({ messages: thread, tools: [look], output }), io())).toMatchObject({ finish: 'stop', message: { content: '{"n":1}' } })
  })

  it('streams text and the arguments of calls as they come', async () => {
    await using server = await scriptedServer({ provider: script([replyText('hello there'), replyCalls({ name: 'look', args: { at: 'x' } })]) })
    const provider = compatible(server.url)
    const deltas: ModelDelta[] = []
    const onDelta = (delta: ModelDelta): void => void deltas.push(delta)
    expect(await provider.call(request(), io({ onDelta }))).toMatchObject({ message: { content: 'hello there' }, finish: 'stop', usage: { inputTokens: expect.any(Number) } })
    expect(deltas.map((delta) => (delta.type === 'text' ? delta.text : '')).join('')).toBe('hello there')
    deltas.length = 0
    expect(await provider.call(request({ tools: [look] }), io({ onDelta }))).toMatchObject({ message: { calls: [{ name: 'look', args: { at: 'x' } }] } })
    expect(deltas.flatMap((delta) => (delta.type === 'call' ? [delta.args] : [])).join('')).toBe('{"at":"x"}')
  })

  const error = (status: number, code: string, headers: { readonly [name: string]: string } = {}): Fault => ({ status, headers, body: JSON.stringify({ error: { message: 'as the test says', type: code, code } }) })
  const chunk = (delta: object, finish: string | null = null): string =>
    `data: ${JSON.stringify({ id: 'x', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  const streamFaults: readonly (readonly [string, Fault, Partial<Failure>])[] = [
    ['cut by a clean end', { body: chunk({ content: 'half' }) }, { code: 'stream_truncated', retryable: true }],
    ['reset in the middle', { body: [chunk({ content: 'half' }), chunk({ content: 'other' })], cut: { atByte: chunk({ content: 'half' }).length, how: 'reset' } }, { code: 'stream_truncated', retryable: true }],
    ['with an error inside', { body: [chunk({ content: 'half' }), `data: ${JSON.stringify({ error: { message: 'busy', type: 'server_error' } })}\n\n`] }, { code: 'provider_error', retryable: true }],
    ['that is not JSON', { body: 'data: {"choices":[{"del\n\n' }, { code: 'malformed_response', retryable: true }],
  ]
  const faults: readonly (readonly [string, Fault, Partial<Failure>])[] = [
    ['429 with Retry-After', error(429, 'rate_limit_exceeded', { 'retry-after': '120' }), { code: 'rate_limited', retryable: true, provider: expect.objectContaining({ status: 429, retryAfterMs: 120_000 }) as never }],
    ['an exhausted quota', error(429, 'insufficient_quota'), { code: 'quota_exhausted', retryable: false }],
    ['a wrong key', error(401, 'invalid_api_key'), { code: 'auth_failed' }],
    ['an unknown model', error(404, 'model_not_found'), { code: 'model_not_found' }],
    ['a request that is too long', error(400, 'context_length_exceeded'), { code: 'context_overflow' }],
    ['a bad request', error(400, 'invalid_request_error'), { code: 'invalid_request' }],
    ['no capacity', error(503, 'overloaded_error'), { code: 'overloaded', retryable: true }],
    ['a failing server', { status: 500, body: '<html>oops</html>', headers: { 'content-type': 'text/html' } }, { code: 'provider_error', retryable: true }],
    ['a reply that is not JSON', { body: '{"choices":[', headers: { 'content-type': 'application/json' } }, { code: 'malformed_response', retryable: true }],
    ['a connection that is reset', { connection: 'reset' }, { code: 'connection_failed', retryable: true }],
  ]

  it.for(faults)('reports %s as its failure', async ([, fault, expected]) => {
    await using server = await faultServer({ faults: [fault] })
    expect(await failed(compatible(server.url).call(request(), io()))).toMatchObject(expected)
    expect(server.requests.length).toBeLessThanOrEqual(1)
  })

  it.for(streamFaults)('reports a stream %s as its failure', async ([, fault, expected]) => {
    await using server = await faultServer({ faults: [{ headers: { 'content-type': 'text/event-stream' }, ...fault }] })
    expect(await failed(compatible(server.url).call(request(), io({ onDelta: () => undefined })))).toMatchObject(expected)
  })

  it('ends with the reason of the caller when the caller aborts', async () => {
    await using server = await faultServer({ faults: [{ delayMs: 60_000, body: '{}' }] })
    const controller = new AbortController()
    const work = compatible(server.url).call(request(), io({ signal: controller.signal }))
    while (server.requests.length === 0) await new Promise(setImmediate)
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(work).rejects.toBe(reason)
  })
})

/** A model object that gives what it is told. */
const fake = (specificationVersion: string, result: object, parts: readonly object[] = []): AiSdkModel & { readonly asked: Json[] } => {
  const asked: Json[] = []
  const note = (options: object): void => void asked.push(JSON.parse(JSON.stringify({ ...options, abortSignal: undefined })) as Json)
  return {
    specificationVersion,
    provider: 'fake.chat',
    modelId: 'm',
    asked,
    doGenerate: async (options: never) => (note(options), result),
    doStream: async (options: never) => (note(options), { stream: ReadableStream.from(parts) }),
  }
}

const content = [{ type: 'text', text: 'hi' }]

describe('a model object', () => {
  it('of version 2 is read with its plain usage and reason', async () => {
    const model = fake('v2', {
      content,
      finishReason: 'stop',
      usage: { inputTokens: 5, outputTokens: 2, totalTokens: 7, reasoningTokens: 1, cachedInputTokens: 3 },
      warnings: [],
      response: { modelId: 'm-2026', id: 'r1' },
    })
    expect(await aiSdk(model).call(request(), io())).toEqual({
      message: { role: 'assistant', content: 'hi' },
      finish: 'stop',
      usage: { inputTokens: 5, outputTokens: 2, cachedTokens: 3, reasoningTokens: 1 },
      model: 'm-2026',
      requestId: 'r1',
    })
    expect(aiSdk(model).id).toBe('fake')
  })

  it('of version 4 is read with its parts of usage, and gets its files wrapped', async () => {
    const usage = { inputTokens: { total: 5, noCache: 1, cacheRead: 3, cacheWrite: 1 }, outputTokens: { total: 2, text: 2, reasoning: undefined } }
    const model = fake('v4', { content, finishReason: { unified: 'stop', raw: 'end' }, usage, warnings: [] })
    const messages = [
      {
        role: 'user' as const,
        content: [
          { type: 'image' as const, data: { base64: 'AAAA' }, mediaType: 'image/png' },
          { type: 'text' as const, text: 'what?' },
        ],
      },
    ]
    expect(await aiSdk(model).call(request({ messages, params: { maxOutputTokens: 9, reasoningEffort: 'low' } }), io())).toMatchObject({ usage: { inputTokens: 5, outputTokens: 2, cachedTokens: 3, cacheWriteTokens: 1 } })
    expect(model.asked).toEqual([
      {
        prompt: [
          {
            role: 'user',
            content: [
              { type: 'file', mediaType: 'image/png', data: { type: 'data', data: 'AAAA' } },
              { type: 'text', text: 'what?' },
            ],
          },
        ],
        maxOutputTokens: 9,
        reasoning: 'low',
      },
    ])
  })

  it('gets the results of a turn as one message, failed ones as errors', async () => {
    const model = fake('v3', { content, finishReason: { unified: 'stop' }, usage: {}, warnings: [] })
    const messages = [
      { role: 'system' as const, content: 'be brief' },
      { role: 'user' as const, content: 'go' },
      {
        role: 'assistant' as const,
        content: '',
        calls: [
          { id: 'a', name: 'f', args: {} },
          { id: 'b', name: 'g', args: null, raw: '{oops' },
        ],
      },
      { role: 'tool' as const, callId: 'a', name: 'f', content: 'done' },
      { role: 'tool' as const, callId: 'b', name: 'g', content: 'bad arguments', failed: 'invalid_args' },
    ]
    expect((await aiSdk(model).call(request({ messages }), io())).usage).toBeNull()
    expect(model.asked[0]).toMatchObject({
      prompt: [
        { role: 'system', content: 'be brief' },
        { role: 'user' },
        {
          role: 'assistant',
          content: [
            { type: 'tool-call', toolCallId: 'a', input: {} },
            { type: 'tool-call', toolCallId: 'b', input: { not_json: '{oops' } },
          ],
        },
        {
          role: 'tool',
          content: [
            { toolCallId: 'a', output: { type: 'text', value: 'done' } },
            { toolCallId: 'b', output: { type: 'error-text', value: 'bad arguments' } },
          ],
        },
      ],
    })
  })

  const finish = (reason: unknown): readonly object[] => [{ type: 'text-delta', id: '0', delta: 'hi' }, ...(reason === undefined ? [] : [{ type: 'finish', finishReason: reason, usage: {} }])]
  it.for([
    ['no reason', undefined, 'stream_truncated'],
    ['an interruption', { unified: 'interrupted' }, 'stream_truncated'],
    ['an error', { unified: 'error' }, 'provider_error'],
  ] as const)('that streams and stops for %s gives no reply', async ([, reason, code]) => {
    const work = aiSdk(fake('v4', {}, finish(reason))).call(request(), io({ onDelta: () => undefined }))
    await expect(work).rejects.toBeInstanceOf(ModelCallError)
    expect(await failed(work)).toMatchObject({ code })
  })

  it('that says nothing for too long fails as timeout, by the phase it was silent in', async () => {
    const clock = fakeClock()
    const silent: AiSdkModel = { specificationVersion: 'v4', provider: 'fake', modelId: 'm', doGenerate: () => new Promise(() => undefined), doStream: () => new Promise(() => undefined) }
    const work = failed(aiSdk(silent, { clock }).call(request(), io({ timeouts: timeoutsOf({ firstTokenMs: 1_000 }) })))
    await clock.advance(1_000)
    expect(await work).toMatchObject({ code: 'timeout', details: { phase: 'first_token', limitMs: 1_000 } })
  })

  it('is found by name in a provider object or a function, which need an id', async () => {
    const model = fake('v4', { content, finishReason: { unified: 'stop' }, usage: {} })
    const names: string[] = []
    const byName = (name: string): AiSdkModel => (names.push(name), model)
    await aiSdk({ languageModel: byName }, { id: 'x' }).call(request({ model: 'one' }), io())
    await aiSdk(byName, { id: 'x' }).call(request({ model: 'two' }), io())
    expect(names).toEqual(['one', 'two'])
    expect(() => aiSdk(byName)).toThrow('needs an id')
  })
})
