// The chat wire: requests as they are written, replies in every shape that servers send.
import { expect, test } from 'vitest'
import type { FailureCode } from '../../../src/failure/index.ts'
import { openai, type ModelReply, type ModelRequest } from '../../../src/model/index.ts'
import { faultServer, type Fault } from '../../../src/testing/index.ts'
import { ask, chunk, completion, events, io, listening, rejection, usageChunk } from '../call.ts'

const options = { apiKey: 'test-key-1234' }
const withUsage = { usage: { inputTokens: 9, outputTokens: 3 }, model: 'test-model-1' }

const receive = async (body: string | readonly string[], streaming: boolean, fault: Fault = {}): Promise<ModelReply> => {
  await using server = await faultServer({ faults: [{ body, ...fault }] })
  return await openai({ ...options, baseURL: server.url }).call(ask(), streaming ? listening() : io())
}

const sent = async (request: Partial<ModelRequest>, extra: Parameters<typeof openai>[0] = {}, streaming = false): Promise<{ readonly [key: string]: unknown }> => {
  await using server = await faultServer({ faults: [{ body: streaming ? events(chunk({ content: 'x' }, 'stop'), '[DONE]') : completion() }] })
  await openai({ ...options, baseURL: server.url, ...extra }).call(ask(request), streaming ? listening() : io())
  expect(server.requests[0]?.path).toBe('/v1/chat/completions')
  return JSON.parse(server.requests[0]?.body ?? '') as { readonly [key: string]: unknown }
}

test('a request is written with its messages, parameters, tools and output schema', async () => {
  const schema = { type: 'object', properties: {}, required: [], additionalProperties: false }
  const body = await sent({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Where is it?' },
      {
        role: 'assistant',
        content: '',
        calls: [
          { id: 'c1', name: 'find', args: { id: 7 } },
          { id: 'c2', name: 'find', args: null, raw: '{"id":' },
        ],
      },
      { role: 'tool', callId: 'c1', name: 'find', content: 'Here' },
      { role: 'tool', callId: 'c2', name: 'find', content: 'not JSON', failed: 'invalid_args' },
    ],
    params: { maxOutputTokens: 50, temperature: 0, topP: 0.5, stop: ['END'], reasoningEffort: 'low' },
    tools: [{ name: 'find', description: 'Finds', parameters: { type: 'object' } }],
    toolChoice: 'required',
    output: { name: 'my answer', schema },
    providerOptions: { prompt_cache_key: 'k', logit_bias: { 5: -100 } },
  })
  expect(body).toEqual({
    model: 'test-model',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Where is it?' },
      {
        role: 'assistant',
        content: null,
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'find', arguments: '{"id":7}' } },
          { id: 'c2', type: 'function', function: { name: 'find', arguments: '{"not_json":"{\\"id\\":"}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'Here' },
      { role: 'tool', tool_call_id: 'c2', content: 'not JSON' },
    ],
    max_tokens: 50,
    temperature: 0,
    top_p: 0.5,
    stop: ['END'],
    reasoning_effort: 'low',
    tools: [{ type: 'function', function: { name: 'find', description: 'Finds', parameters: { type: 'object' } } }],
    tool_choice: 'required',
    response_format: { type: 'json_schema', json_schema: { name: 'my_answer', schema, strict: true } },
    prompt_cache_key: 'k',
    logit_bias: { 5: -100 },
  })
})

test('a listener makes it a stream that asks for its usage; dialect options rename what servers disagree on', async () => {
  expect(await sent({}, {}, true)).toMatchObject({ stream: true, stream_options: { include_usage: true } })
  expect(await sent({ providerOptions: { stream_options: { include_obfuscation: false } } }, {}, true)).toMatchObject({
    stream_options: { include_usage: true, include_obfuscation: false },
  })
  const plain = await sent({ messages: [{ role: 'system', content: 'S' }] }, { systemRole: 'developer', maxTokensField: 'max_completion_tokens' })
  expect(plain).toMatchObject({ messages: [{ role: 'developer', content: 'S' }], max_completion_tokens: 100 })
  expect(plain).not.toHaveProperty('stream')
  expect(plain).not.toHaveProperty('max_tokens')
})

test('images, sound and files are written as parts, and blobs are loaded first', async () => {
  await using server = await faultServer({ faults: [{ body: completion() }] })
  const content = [
    { type: 'text', text: 'Look:' },
    { type: 'image', data: { url: 'https://example.com/a.png' } },
    { type: 'image', data: { blob: 'h1' }, mediaType: 'image/jpeg' },
    { type: 'audio', data: { base64: 'UklGRg==' }, mediaType: 'audio/wav' },
    { type: 'file', data: { base64: 'JVBERg==' }, mediaType: 'application/pdf', name: 'a.pdf' },
  ] as const
  await openai({ ...options, baseURL: server.url }).call(ask({ messages: [{ role: 'user', content }] }), io({ blob: async (hash) => `bytes-of-${hash}` }))
  expect(JSON.parse(server.requests[0]?.body ?? '')).toMatchObject({
    messages: [
      {
        content: [
          { type: 'text', text: 'Look:' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,bytes-of-h1' } },
          { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'wav' } },
          { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' } },
        ],
      },
    ],
  })
})

test('what a tool returned beside text follows its batch as a user message', async () => {
  const body = await sent({
    messages: [
      {
        role: 'assistant',
        content: '',
        calls: [
          { id: 'c1', name: 'shot', args: {} },
          { id: 'c2', name: 'shot', args: {} },
        ],
      },
      {
        role: 'tool',
        callId: 'c1',
        name: 'shot',
        content: [
          { type: 'text', text: 'done' },
          { type: 'image', data: { url: 'https://example.com/b.png' } },
        ],
      },
      { role: 'tool', callId: 'c2', name: 'shot', content: 'done' },
    ],
  })
  expect(body['messages']).toMatchObject([
    { role: 'assistant' },
    { role: 'tool', tool_call_id: 'c1', content: 'done' },
    { role: 'tool', tool_call_id: 'c2', content: 'done' },
    { role: 'user', content: [{ type: 'text', text: 'Returned by call c1 of shot:' }, { type: 'image_url' }] },
  ])
})

const UNSENDABLE: readonly (readonly [string, Partial<ModelRequest>])[] = [
  ['a blob without a store', { messages: [{ role: 'user', content: [{ type: 'image', data: { blob: 'h1' } }] }] }],
  ['sound behind an address', { messages: [{ role: 'user', content: [{ type: 'audio', data: { url: 'https://example.com/a.wav' } }] }] }],
  ['sound of another format', { messages: [{ role: 'user', content: [{ type: 'audio', data: { base64: 'AAAA' }, mediaType: 'audio/ogg' }] }] }],
  ['a file behind an address', { messages: [{ role: 'user', content: [{ type: 'file', data: { url: 'https://example.com/a.pdf' } }] }] }],
  ['an option that is the provider’s own', { providerOptions: { stream: true } }],
]

test.each(UNSENDABLE)('%s fails before anything is sent', async (_what, request) => {
  await using server = await faultServer({ faults: [{ body: completion() }] })
  const { failure } = await rejection(openai({ ...options, baseURL: server.url }).call(ask(request), io()))
  expect(failure).toMatchObject({ code: 'invalid_request', retryable: false })
  expect(server.requests).toHaveLength(0)
})

test('text, calls and usage are the same from a document and from a stream', async () => {
  const calls = [
    { id: 'a', type: 'function', function: { name: 'f', arguments: '{"x":1}' } },
    { id: 'b', type: 'function', function: { name: 'g', arguments: '' } },
  ]
  const expected = {
    message: {
      role: 'assistant',
      content: 'Both:',
      calls: [
        { id: 'a', name: 'f', args: { x: 1 } },
        { id: 'b', name: 'g', args: {} },
      ],
    },
    finish: 'tool_calls',
    usage: { inputTokens: 9, outputTokens: 3, cachedTokens: 4, reasoningTokens: 1 },
    model: 'test-model-1',
  }
  const usage = { prompt_tokens: 9, completion_tokens: 3, prompt_tokens_details: { cached_tokens: 4 }, completion_tokens_details: { reasoning_tokens: 1 } }
  expect(await receive(completion({ role: 'assistant', content: 'Both:', tool_calls: calls }, 'tool_calls', { usage }), false)).toEqual(expected)
  const pieces = events(
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'Both:' }),
    chunk({ tool_calls: [{ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '' } }] }),
    chunk({ tool_calls: [{ index: 1, id: 'b', type: 'function', function: { name: 'g', arguments: '' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"x"' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: ':1}' } }] }),
    chunk({}, 'tool_calls'),
    { ...usageChunk, usage },
    '[DONE]',
  )
  expect(await receive(pieces, true)).toEqual(expected)
})

test('deltas arrive in order as text, reasoning and calls', async () => {
  await using server = await faultServer({
    faults: [
      {
        body: events(
          chunk({ reasoning_content: 'hm' }),
          chunk({ content: 'A' }),
          chunk({ content: 'B' }),
          chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{' } }] }),
          chunk({ tool_calls: [{ index: 0, function: { arguments: '}' } }] }),
          chunk({}, 'tool_calls'),
          '[DONE]',
        ),
      },
    ],
  })
  const ears = listening()
  await openai({ ...options, baseURL: server.url }).call(ask(), ears)
  expect(ears.heard).toEqual([
    { type: 'reasoning', text: 'hm' },
    { type: 'text', text: 'A' },
    { type: 'text', text: 'B' },
    { type: 'call', index: 0, name: 'f', args: '{' },
    { type: 'call', index: 0, args: '}' },
  ])
})

test('with several choices interleaved, the first one counts', async () => {
  const other = (delta: object, finish: string | null = null): object => ({ ...chunk(delta, finish), choices: [{ index: 1, delta, finish_reason: finish }] })
  const stream = events(other({ content: 'X' }), chunk({ content: 'A' }), other({ content: 'Y' }), chunk({ content: 'B' }), other({}, 'length'), chunk({}, 'stop'), '[DONE]')
  expect(await receive(stream, true)).toMatchObject({ message: { content: 'AB' }, finish: 'stop' })
  const choices = [
    { index: 1, message: { content: 'X' }, finish_reason: 'length' },
    { index: 0, message: { content: 'AB' }, finish_reason: 'stop' },
  ]
  expect(await receive(completion({}, 'stop', { choices }), false)).toMatchObject({ message: { content: 'AB' }, finish: 'stop' })
})

test('calls without numbers, or all numbered 0, are told apart by their ids', async () => {
  const call = (id: string, args: string, index?: number): object => ({
    ...(index === undefined ? {} : { index }),
    id,
    function: { name: 'f', arguments: args },
  })
  for (const index of [undefined, 0]) {
    const stream = events(chunk({ tool_calls: [call('a', '{"n":1}', index), call('b', '{"n":2}', index)] }), chunk({}, 'tool_calls'), '[DONE]')
    const reply = await receive(stream, true)
    expect(reply.message.calls).toEqual([
      { id: 'a', name: 'f', args: { n: 1 } },
      { id: 'b', name: 'f', args: { n: 2 } },
    ])
  }
})

test('an emoji split between two pieces arrives whole, and half of one alone is replaced', async () => {
  const [high = '', low = ''] = ['\\ud83d', '\\ude00']
  const raw = (text: string): string => `data: {"choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`
  const end = events(chunk({}, 'stop'), '[DONE]')
  expect((await receive(raw(high) + raw(low) + end, true)).message.content).toBe('😀')
  expect((await receive(raw(`a${high}`) + end, true)).message.content).toBe('a\ufffd')
})

test('what many servers do differently is still read', async () => {
  expect(
    (
      await receive(
        completion({
          content: [
            { type: 'thinking', thinking: [{ type: 'text', text: 'hm' }] },
            { type: 'text', text: 'Yes.' },
          ],
        }),
        false,
      )
    ).message.content,
  ).toBe('Yes.')
  expect((await receive(completion({ content: null, function_call: { name: 'f', arguments: '{"a":1}' } }, 'function_call'), false)).message.calls).toEqual([{ id: 'call_0', name: 'f', args: { a: 1 } }])
  expect((await receive(completion({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: { a: 1 } } }] }, 'stop'), false)).message.calls?.[0]?.args).toEqual({ a: 1 })
  expect((await receive(completion({ content: 'cut', tool_calls: [] }, 'max_tokens'), false)).finish).toBe('length')
  expect(await receive(completion({ content: null, refusal: 'No.' }), false)).toMatchObject({ refusal: 'No.', message: { content: '' } })
  expect((await receive(completion(undefined, 'stop', { usage: null }), false)).usage).toBeNull()
  expect((await receive(completion(undefined, 'stop', { choices: [{ index: 0, finish_reason: 'content_filter' }] }), false)).finish).toBe('content_filter')
})

test('a stream without [DONE] is accepted only where the author says that the server never sends it', async () => {
  await using server = await faultServer({ faults: [{ body: events(chunk({ content: 'A' }), chunk({}, 'stop')) }] })
  const { failure } = await rejection(openai({ ...options, baseURL: server.url }).call(ask(), listening()))
  expect(failure.code).toBe('stream_truncated')
  expect(failure.message).toContain('doneMarker')
  const reply = await openai({ ...options, baseURL: server.url, doneMarker: 'optional' }).call(ask(), listening())
  expect(reply.message.content).toBe('A')
})

const BROKEN: readonly (readonly [string, string, FailureCode])[] = [
  ['no JSON', 'I am a teapot', 'malformed_response'],
  ['JSON with a missing brace', '{"choices":[{}', 'malformed_response'],
  ['JSON that is no object', '[1,2]', 'malformed_response'],
  ['a number', '7', 'malformed_response'],
  ['null', 'null', 'malformed_response'],
  ['an empty body', '', 'malformed_response'],
  ['white space', '  \n', 'malformed_response'],
  ['a web page', '<!doctype html><title>Log in</title>', 'malformed_response'],
  ['an empty object', '{}', 'malformed_response'],
  ['another protocol', JSON.stringify({ type: 'message', content: [{ type: 'text', text: 'Hi' }], stop_reason: 'end_turn' }), 'malformed_response'],
  ['no choices', JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 3 }, model: 'test-model-1' }), 'empty_response'],
  ['choices that are no list', JSON.stringify({ choices: {} }), 'malformed_response'],
  ['a choice that is no object', JSON.stringify({ choices: [7] }), 'malformed_response'],
  ['a choice without a message', JSON.stringify({ choices: [{ index: 0, finish_reason: 'stop' }] }), 'malformed_response'],
  ['no finish reason', completion({ content: 'A' }, null as unknown as string), 'malformed_response'],
  ['an unknown finish reason', completion({ content: 'A' }, 'bored'), 'malformed_response'],
  ['a finish reason that is a number', completion({ content: 'A' }, 3 as unknown as string), 'malformed_response'],
  ['the finish reason of a failure', completion({ content: 'A' }, 'error'), 'provider_error'],
  ['the finish reason of a lack of capacity', completion({ content: 'A' }, 'insufficient_system_resource'), 'overloaded'],
  ['content that is a number', completion({ content: 5 }), 'malformed_response'],
  ['calls that are no list', completion({ tool_calls: 'f' }), 'malformed_response'],
  ['a call that is no object', completion({ tool_calls: ['f'] }), 'malformed_response'],
  ['a call without a name', completion({ tool_calls: [{ id: 'a', function: { arguments: '{}' } }] }), 'malformed_response'],
  ['arguments that are a number', completion({ tool_calls: [{ id: 'a', function: { name: 'f', arguments: 5 } }] }), 'malformed_response'],
  ['an error with status 200', JSON.stringify({ error: { code: 502, message: 'Upstream failed' } }), 'provider_error'],
  ['a rate limit with status 200', JSON.stringify({ error: { code: 429, message: 'Slow down' } }), 'rate_limited'],
  ['a server error by name with status 200', JSON.stringify({ error: { type: 'server_error', message: 'Oops' } }), 'provider_error'],
  ['an error in words with status 200', JSON.stringify({ error: 'something broke' }), 'provider_error'],
  ['an invalid request with status 200', JSON.stringify({ error: { type: 'invalid_request_error', message: 'bad' } }), 'invalid_request'],
  ['an error inside the choice', JSON.stringify({ choices: [{ error: { code: 503, message: 'gone' }, finish_reason: 'error' }] }), 'overloaded'],
]

test.each(BROKEN)('a reply that is %s is a typed failure', async (_what, body, code) => {
  expect((await rejection(receive(body, false))).failure).toMatchObject({ code, provider: { provider: 'openai', model: 'test-model' } })
  // The same document in answer to a streaming request is never a success.
  await rejection(receive(body, true, { headers: { 'content-type': 'application/json' } }))
})

test('status 204 is malformed', async () => {
  expect((await rejection(receive('', false, { status: 204 }))).failure.code).toBe('malformed_response')
})

const BROKEN_STREAMS: readonly (readonly [string, string, FailureCode])[] = [
  ['nothing', '', 'stream_truncated'],
  ['only [DONE]', 'data: [DONE]\n\n', 'stream_truncated'],
  ['text and no finish reason', events(chunk({ content: 'A' }), '[DONE]'), 'stream_truncated'],
  ['a call and no finish reason', events(chunk({ tool_calls: [{ index: 0, id: 'a', function: { name: 'f', arguments: '{}' } }] }), '[DONE]'), 'stream_truncated'],
  ['a finish reason and no [DONE]', events(chunk({ content: 'A' }), chunk({}, 'stop')), 'stream_truncated'],
  ['an event that is no JSON', events(chunk({ content: 'A' }), '{"choices":[', '[DONE]'), 'malformed_response'],
  ['an event that is a list', events('[1]', '[DONE]'), 'malformed_response'],
  ['choices that are no list', events({ choices: 5 }, '[DONE]'), 'malformed_response'],
  ['a choice that is no object', events({ choices: [5] }, '[DONE]'), 'malformed_response'],
  ['a delta that is no object', events({ choices: [{ index: 0, delta: 'A' }] }, '[DONE]'), 'malformed_response'],
  ['content that is a number', events(chunk({ content: 5 }), '[DONE]'), 'malformed_response'],
  ['an index that is a text', events(chunk({ tool_calls: [{ index: 'x', function: { name: 'f' } }] }), '[DONE]'), 'malformed_response'],
  ['an error event', `${events(chunk({ content: 'A' }))}event: error\ndata: {"error":{"message":"Overloaded","type":"overloaded_error"}}\n\n`, 'overloaded'],
  ['an error event in words', 'event: error\ndata: it broke\n\n', 'provider_error'],
  ['an error without an event name', events(chunk({ content: 'A' }), { error: { message: 'quota', code: 'insufficient_quota' } }), 'quota_exhausted'],
  ['an unknown finish reason', events(chunk({ content: 'A' }, 'bored'), '[DONE]'), 'malformed_response'],
  ['a web page', '<html>Sign in</html>', 'stream_truncated'],
]

test.each(BROKEN_STREAMS)('a stream that is %s is a typed failure', async (_what, body, code) => {
  const { failure } = await rejection(receive(body, true, { headers: { 'content-type': 'text/event-stream' } }))
  expect(failure.code).toBe(code)
})

test('a document in answer to a streaming request is malformed, and what it cost is kept', async () => {
  const error = await rejection(receive(completion(), true, { headers: { 'content-type': 'application/json' } }))
  expect(error.failure.code).toBe('malformed_response')
  expect(error.failure.message).toContain('one JSON document')
  expect(error.attempt).toEqual(withUsage)
})

test('a stream in answer to a plain request is malformed', async () => {
  expect((await rejection(receive(events(chunk({ content: 'A' }, 'stop'), '[DONE]'), false))).failure.code).toBe('malformed_response')
})

test('usage is kept on failures that were billed', async () => {
  const billed = [
    receive(completion({ content: 'A' }, 'bored'), false),
    receive(JSON.stringify({ choices: [], usage: { prompt_tokens: 9, completion_tokens: 3 }, model: 'test-model-1' }), false),
    receive(completion({ tool_calls: [{ function: {} }] }), false),
    receive(events(chunk({ content: 'A' }), usageChunk, { error: { message: 'broke' } }), true),
    receive(events(chunk({ content: 'A' }), usageChunk), true),
  ]
  for (const call of billed) expect((await rejection(call)).attempt).toEqual(withUsage)
})

test('usage that is not whole numbers is unknown, not zero', async () => {
  for (const usage of [{ prompt_tokens: -1, completion_tokens: 3 }, { prompt_tokens: 1.5, completion_tokens: 3 }, { prompt_tokens: '9', completion_tokens: 3 }, { prompt_tokens: 9 }, 7])
    expect((await receive(completion(undefined, 'stop', { usage }), false)).usage).toBeNull()
})
