// The whole way: OpenAI's SDK, the door, our provider, and a server that writes down what it was asked.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { openai, replyText, systemClock } from 'stateloop'
import { openDoor } from './openai-world.ts'

const CHAT_REPLY = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: '{}' } }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
}
const RESPONSE = {
  id: 'r',
  object: 'response',
  status: 'completed',
  model: 'm',
  output: [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text: '{}' }] }],
  usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 },
}
const VECTORS = { object: 'list', model: 'm', data: [{ object: 'embedding', index: 0, embedding: [1, 2] }], usage: { prompt_tokens: 1, total_tokens: 1 } }

/** A provider's server, which answers everything and keeps the bodies. */
const openUpstream = async () => {
  const bodies: { readonly [field: string]: unknown }[] = []
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      bodies.push(JSON.parse(Buffer.concat(pieces).toString()) as { readonly [field: string]: unknown })
      const reply = request.url?.endsWith('/responses') ? RESPONSE : request.url?.endsWith('/embeddings') ? VECTORS : CHAT_REPLY
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(reply))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`
  return { url, bodies, [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())) }
}

const openBoth = async (wire: 'chat' | 'responses') => {
  const upstream = await openUpstream()
  const door = await openDoor({ clock: systemClock, rules: () => replyText(''), runtime: { providers: [openai({ baseURL: upstream.url, apiKey: 'key-of-the-provider', wire })] } })
  const close = async (): Promise<void> => {
    await door[Symbol.asyncDispose]()
    await upstream[Symbol.asyncDispose]()
  }
  return { ...door, bodies: upstream.bodies, [Symbol.asyncDispose]: close }
}

const schema = { type: 'object', properties: {}, additionalProperties: false }

test('a chat completion reaches a server of chat completions as the client wrote it', async () => {
  await using both = await openBoth('chat')
  const body = {
    messages: [
      { role: 'system', content: 'Be brief.', name: 'rules' },
      {
        role: 'user',
        name: 'ada',
        content: [
          { type: 'text', text: 'Look.', cache_control: { type: 'ephemeral' } },
          { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
          { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA', filename: 'a.pdf' } },
        ],
      },
      { role: 'assistant', content: 'I look.', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"city":"Bern"}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'rain' },
    ],
    max_tokens: 99,
    temperature: 0.5,
    top_p: 0.9,
    stop: ['X'],
    seed: 7,
    top_k: 40,
    logit_bias: { 1: -100 },
    reasoning_effort: 'low',
    verbosity: 'low',
    parallel_tool_calls: false,
    service_tier: 'flex',
    metadata: { team: 'a' },
    tools: [{ type: 'function', function: { name: 'look', description: 'Looks.', parameters: schema, strict: true } }],
    tool_choice: { type: 'function', function: { name: 'look' } },
    response_format: { type: 'json_schema', json_schema: { name: 'x', description: 'X.', schema, strict: false } },
  }
  await both.client.chat.completions.create({ model: 'fast', ...body } as never)
  expect(both.bodies[0]).toMatchObject({ model: 'gpt-5-mini', ...body })
})

test('a response reaches a server of responses as the client wrote it', async () => {
  await using both = await openBoth('responses')
  const body = {
    input: [
      { role: 'system', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'Look.' },
          { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
          { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' },
        ],
      },
      { role: 'assistant', content: 'I look.' },
      { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{"city":"Bern"}' },
      { type: 'function_call_output', call_id: 'c1', output: 'rain' },
    ],
    max_output_tokens: 99,
    temperature: 0.5,
    top_p: 0.9,
    reasoning: { effort: 'low' },
    parallel_tool_calls: false,
    service_tier: 'flex',
    prompt_cache_key: 'k',
    tools: [{ type: 'function', name: 'look', description: 'Looks.', parameters: schema, strict: true }],
    tool_choice: { type: 'function', name: 'look' },
    text: { format: { type: 'json_schema', name: 'x', description: 'X.', schema, strict: true }, verbosity: 'low' },
  }
  await both.client.responses.create({ model: 'fast', ...body } as never)
  expect(both.bodies[0]).toMatchObject({ model: 'gpt-5-mini', store: false, ...body })
})

test('each API reaches a server of the other', async () => {
  await using chat = await openBoth('chat')
  await chat.client.responses.create({ model: 'fast', instructions: 'Be brief.', input: 'Hello', text: { format: { type: 'json_object' }, verbosity: 'low' }, reasoning: { effort: 'low' } })
  expect(chat.bodies[0]).toMatchObject({
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ],
    response_format: { type: 'json_object' },
    verbosity: 'low',
    reasoning_effort: 'low',
  })
  await using responses = await openBoth('responses')
  await responses.client.chat.completions.create({ model: 'fast', messages: [{ role: 'user', content: 'Hello' }], response_format: { type: 'json_object' }, verbosity: 'low' })
  expect(responses.bodies[0]).toMatchObject({ input: [{ role: 'user', content: 'Hello' }], text: { format: { type: 'json_object' }, verbosity: 'low' } })
  const named = responses.client.chat.completions.create({ model: 'fast', messages: [{ role: 'user', content: 'Hello', name: 'ada' }] })
  await expect(named).rejects.toMatchObject({ status: 400, message: expect.stringContaining('name') })
  const { data } = await responses.client.embeddings.create({ model: 'fast', input: 'Hello', dimensions: 2 })
  expect([data[0]?.embedding, responses.bodies[1]]).toEqual([[1, 2], { model: 'gpt-5-mini', input: ['Hello'], encoding_format: 'float', dimensions: 2 }])
})
