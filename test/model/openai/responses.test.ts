// The responses wire: requests as they are written, responses as documents and as streams.
import { expect, test } from 'vitest'
import type { FailureCode } from '../../../src/failure/index.ts'
import { openai, type ModelReply, type ModelRequest } from '../../../src/model/index.ts'
import { faultServer } from '../../../src/testing/index.ts'
import { ask, events, io, listening, rejection } from '../call.ts'

const options = { apiKey: 'test-key-1234', wire: 'responses' } as const
const usage = { input_tokens: 20, output_tokens: 8, input_tokens_details: { cached_tokens: 5 }, output_tokens_details: { reasoning_tokens: 3 } }
const counted = { inputTokens: 20, outputTokens: 8, cachedTokens: 5, reasoningTokens: 3 }

const said = (text: string): object => ({
  type: 'message',
  id: 'm',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
})
const called = (id: string, name: string, args: string): object => ({
  type: 'function_call',
  id: `fc_${id}`,
  call_id: id,
  name,
  arguments: args,
  status: 'completed',
})
const response = (output: readonly object[], extra: object = {}): object => ({
  id: 'r',
  object: 'response',
  status: 'completed',
  model: 'test-model-1',
  output,
  error: null,
  incomplete_details: null,
  usage,
  ...extra,
})

const receive = async (body: string, streaming: boolean): Promise<ModelReply> => {
  await using server = await faultServer({ faults: [{ body }] })
  return await openai({ ...options, baseURL: server.url }).call(ask(), streaming ? listening() : io())
}

const sent = async (request: Partial<ModelRequest>, extra: Parameters<typeof openai>[0] = {}): Promise<unknown> => {
  await using server = await faultServer({ faults: [{ body: JSON.stringify(response([said('x')])) }] })
  await openai({ ...options, baseURL: server.url, ...extra }).call(ask(request), io())
  expect(server.requests[0]?.path).toBe('/v1/responses')
  return JSON.parse(server.requests[0]?.body ?? '')
}

test('a request carries its whole thread and is not stored', async () => {
  const schema = { type: 'object', properties: {}, required: [], additionalProperties: false }
  const body = await sent({
    messages: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Read' },
          { type: 'image', data: { url: 'https://example.com/a.png' } },
          { type: 'file', data: { url: 'https://example.com/a.pdf' } },
          { type: 'file', data: { base64: 'JVBERg==' }, mediaType: 'application/pdf', name: 'a.pdf' },
        ],
      },
      { role: 'assistant', content: 'I look.', calls: [{ id: 'c1', name: 'find', args: { id: 7 } }] },
      { role: 'tool', callId: 'c1', name: 'find', content: 'Here' },
    ],
    params: { maxOutputTokens: 50, temperature: 0, topP: 0.5, reasoningEffort: 'low' },
    tools: [{ name: 'find', description: 'Finds', parameters: { type: 'object' } }],
    toolChoice: 'auto',
    output: { name: 'answer', schema },
    providerOptions: { prompt_cache_key: 'k', text: { verbosity: 'low' }, reasoning: { summary: 'auto' }, tools: [{ type: 'web_search' }] },
  })
  expect(body).toEqual({
    model: 'test-model',
    input: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Read' },
          { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' },
          { type: 'input_file', file_url: 'https://example.com/a.pdf' },
          { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERg==' },
        ],
      },
      { role: 'assistant', content: 'I look.' },
      { type: 'function_call', call_id: 'c1', name: 'find', arguments: '{"id":7}' },
      { type: 'function_call_output', call_id: 'c1', output: 'Here' },
    ],
    store: false,
    max_output_tokens: 50,
    temperature: 0,
    top_p: 0.5,
    reasoning: { effort: 'low', summary: 'auto' },
    tools: [{ type: 'function', name: 'find', description: 'Finds', parameters: { type: 'object' }, strict: false }, { type: 'web_search' }],
    tool_choice: 'auto',
    text: { format: { type: 'json_schema', name: 'answer', schema, strict: true }, verbosity: 'low' },
    prompt_cache_key: 'k',
  })
})

test('stop sequences and background mode are refused before anything is sent', async () => {
  for (const request of [{ params: { maxOutputTokens: 5, stop: ['x'] } }, { providerOptions: { background: true } }])
    expect((await rejection(openai({ ...options, baseURL: 'http://127.0.0.1:9/v1' }).call(ask(request), io()))).failure.code).toBe('invalid_request')
})

test('text, calls, refusal and usage are read from a document', async () => {
  const text = await receive(JSON.stringify(response([{ type: 'reasoning', id: 'rs', summary: [] }, said('A'), said('B')])), false)
  expect(text).toEqual({ message: { role: 'assistant', content: 'AB' }, finish: 'stop', usage: counted, model: 'test-model-1' })
  const calls = await receive(JSON.stringify(response([called('c1', 'f', '{"a":1}'), called('c2', 'g', '{')])), false)
  expect(calls.finish).toBe('tool_calls')
  expect(calls.message.calls).toEqual([
    { id: 'c1', name: 'f', args: { a: 1 } },
    { id: 'c2', name: 'g', args: null, raw: '{' },
  ])
  const refusal = await receive(JSON.stringify(response([{ type: 'message', content: [{ type: 'refusal', refusal: 'No.' }] }])), false)
  expect(refusal).toMatchObject({ refusal: 'No.', message: { content: '' } })
})

const streamOf = (output: readonly object[], last: object): string =>
  events(
    { type: 'response.created', response: { id: 'r', object: 'response', status: 'in_progress', model: 'test-model-1', output: [] } },
    ...output.map((item, at) => ({ type: 'response.output_item.added', output_index: at, item })),
    { type: 'response.reasoning_summary_text.delta', output_index: 0, delta: 'hm' },
    { type: 'response.output_text.delta', output_index: 0, delta: 'A' },
    { type: 'response.function_call_arguments.delta', output_index: 1, delta: '{}' },
    ...output.map((item, at) => ({ type: 'response.output_item.done', output_index: at, item })),
    last,
  )

test('a stream gives the same reply as a document, and its pieces as they come', async () => {
  const output = [said('A'), called('c1', 'f', '{}')]
  await using server = await faultServer({ faults: [{ body: streamOf(output, { type: 'response.completed', response: response(output) }) }] })
  const ears = listening()
  const reply = await openai({ ...options, baseURL: server.url }).call(ask(), ears)
  expect(reply).toEqual(await receive(JSON.stringify(response(output)), false))
  expect(ears.heard).toEqual([
    { type: 'call', index: 0, name: 'f', args: '' },
    { type: 'reasoning', text: 'hm' },
    { type: 'text', text: 'A' },
    { type: 'call', index: 0, args: '{}' },
  ])
})

test('a last event without output falls back to the items that were streamed', async () => {
  const reply = await receive(streamOf([said('A')], { type: 'response.completed', response: response([]) }), true)
  expect(reply.message.content).toBe('A')
})

test('an incomplete response ends with the reason it names', async () => {
  const incomplete = (reason: string): object => response([said('A')], { status: 'incomplete', incomplete_details: { reason } })
  expect((await receive(JSON.stringify(incomplete('max_output_tokens')), false)).finish).toBe('length')
  expect((await receive(JSON.stringify(incomplete('content_filter')), false)).finish).toBe('content_filter')
  expect((await receive(streamOf([], { type: 'response.incomplete', response: incomplete('max_output_tokens') }), true)).finish).toBe('length')
})

const BROKEN: readonly (readonly [string, object, FailureCode])[] = [
  ['failed', response([], { status: 'failed', error: { code: 'server_error', message: 'The server had an error.' } }), 'provider_error'],
  ['failed by a rate limit', response([], { status: 'failed', error: { code: 'rate_limit_exceeded', message: 'Slow down.' } }), 'rate_limited'],
  ['failed without a reason', response([], { status: 'failed' }), 'provider_error'],
  ['cancelled', response([], { status: 'cancelled' }), 'provider_error'],
  ['still in progress', response([], { status: 'in_progress' }), 'malformed_response'],
  ['queued', response([], { status: 'queued' }), 'malformed_response'],
  ['without a status', response([said('A')], { status: undefined }), 'malformed_response'],
  ['incomplete without a reason', response([], { status: 'incomplete' }), 'malformed_response'],
  ['without output', { object: 'response', status: 'completed' }, 'malformed_response'],
  ['with an item that is no object', response([7 as unknown as object]), 'malformed_response'],
  ['with a call without a name', response([{ type: 'function_call', call_id: 'c', arguments: '{}' }]), 'malformed_response'],
  ['with arguments that are no text', response([{ type: 'function_call', call_id: 'c', name: 'f', arguments: 5 }]), 'malformed_response'],
  ['a chat completion', { object: 'chat.completion', choices: [] }, 'malformed_response'],
  ['an error with status 200', { error: { message: 'broke', type: 'server_error' } }, 'provider_error'],
]

test.each(BROKEN)('a response that is %s is a typed failure', async (_what, body, code) => {
  expect((await rejection(receive(JSON.stringify(body), false))).failure.code).toBe(code)
})

const BROKEN_STREAMS: readonly (readonly [string, string, FailureCode])[] = [
  ['cut before its end', streamOf([said('A')], { type: 'response.in_progress' }), 'stream_truncated'],
  ['ended by [DONE] alone', events({ type: 'response.created', response: {} }, '[DONE]'), 'stream_truncated'],
  ['ended by a failure', events({ type: 'response.failed', response: response([], { status: 'failed', error: { code: 'server_error', message: 'x' } }) }), 'provider_error'],
  ['ended by an event without a response', events({ type: 'response.completed' }), 'malformed_response'],
  ['interrupted by an error event', events({ type: 'error', code: 'rate_limit_exceeded', message: 'Slow down', param: null }), 'rate_limited'],
  ['interrupted by an event that is no JSON', events('{"type":'), 'malformed_response'],
]

test.each(BROKEN_STREAMS)('a stream %s is a typed failure', async (_what, body, code) => {
  expect((await rejection(receive(body, true))).failure.code).toBe(code)
})

test('usage of a failed response is kept', async () => {
  const error = await rejection(receive(JSON.stringify(response([], { status: 'failed' })), false))
  expect(error.attempt).toEqual({ usage: counted, model: 'test-model-1' })
})
