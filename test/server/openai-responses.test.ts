// The responses API through the door: OpenAI's own SDK with all its helpers as the client.
import type OpenAI from 'openai'
import { zodResponsesFunction, zodTextFormat } from 'openai/helpers/zod'
import { describe, expect, test } from 'vitest'
import { openai, replyCalls, replyFailure, replyText, type ModelRequest } from 'stateloop'
import { z } from 'zod'
import { openDoor, refusalOf, type Door } from './openai-world.ts'
import { TOKEN } from './world.ts'

const ask = (door: Door, more: object): Promise<OpenAI.Responses.Response> => door.client.responses.create({ model: 'fast', input: 'Hello', ...more } as OpenAI.Responses.ResponseCreateParamsNonStreaming)

describe('a model alias', () => {
  test('answers with a response that says what it used, billed to user and route', async () => {
    await using door = await openDoor(
      { priced: true, rules: () => replyText('Hello Ada.', { usage: { inputTokens: 20, outputTokens: 9, cachedTokens: 8, reasoningTokens: 4 } }) },
      { 'x-stateloop-user': 'ada', 'x-stateloop-route': '/greet' },
    )
    const { data, response } = await door.client.responses.create({ model: 'fast', instructions: 'Be brief.', input: 'Hello', temperature: 0.5, metadata: { team: 'a' } }).withResponse()
    expect(data).toMatchObject({ object: 'response', status: 'completed', output_text: 'Hello Ada.', model: 'fast', instructions: 'Be brief.', temperature: 0.5, metadata: { team: 'a' }, error: null })
    expect(data.usage).toEqual({ input_tokens: 20, input_tokens_details: { cached_tokens: 8, cache_write_tokens: 0 }, output_tokens: 9, output_tokens_details: { reasoning_tokens: 4 }, total_tokens: 29 })
    expect(door.asked[0]?.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hello' },
    ])
    expect(await door.runtime.get(response.headers.get('x-stateloop-run') ?? '')).toMatchObject({ user: 'ada', route: '/greet', modelCalls: 1, status: 'done' })
  })

  test('takes items: messages of every role with text, images, sound and files, calls and their results', async () => {
    await using door = await openDoor({ rules: () => replyText('It rains.') })
    await ask(door, {
      input: [
        { role: 'developer', content: 'Be kind.' },
        {
          role: 'user',
          content: [
            { type: 'input_text', text: 'Look.' },
            { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'low' },
            { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,AAAA' },
          ],
        },
        { type: 'message', id: 'msg_1', role: 'assistant', status: 'completed', content: [{ type: 'output_text', text: 'I look it up.', annotations: [], logprobs: [] }] },
        { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'look', arguments: '{"city":"Bern"}', status: 'completed' },
        { type: 'function_call', call_id: 'c2', name: 'look', arguments: '{"city":"Rome"}' },
        { type: 'function_call_output', call_id: 'c1', output: 'rain' },
        { type: 'function_call_output', call_id: 'c2', output: [{ type: 'input_text', text: 'sun' }] },
      ],
    })
    expect(door.asked[0]?.messages).toEqual([
      { role: 'system', content: 'Be kind.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look.' },
          { type: 'image', data: { url: 'https://example.com/a.png' }, extras: { detail: 'low' } },
          { type: 'file', data: { url: 'data:application/pdf;base64,AAAA' }, name: 'a.pdf' },
        ],
      },
      {
        role: 'assistant',
        content: 'I look it up.',
        calls: [
          { id: 'c1', name: 'look', args: { city: 'Bern' } },
          { id: 'c2', name: 'look', args: { city: 'Rome' } },
        ],
      },
      { role: 'tool', callId: 'c1', name: 'look', content: 'rain' },
      { role: 'tool', callId: 'c2', name: 'look', content: 'sun' },
    ])
  })

  test('hands calls to the client and takes results back, with the whole conversation or from where it was', async () => {
    const look = zodResponsesFunction({ name: 'look', description: 'Looks.', parameters: z.object({ city: z.string() }) })
    await using door = await openDoor({ rules: ({ messages }) => (messages.at(-1)?.role === 'tool' ? replyText('It rains.') : replyCalls({ name: 'look', args: { city: 'Bern' } })) }, { 'x-stateloop-user': 'ada' })
    const first = await door.client.responses.parse({ model: 'fast', instructions: 'Look.', input: 'Rain?', tools: [look] })
    const [call] = first.output
    expect(call).toMatchObject({ type: 'function_call', name: 'look', arguments: '{"city":"Bern"}', parsed_arguments: { city: 'Bern' }, status: 'completed' })
    expect(door.asked[0]?.tools).toMatchObject([{ name: 'look', description: 'Looks.', strict: true }])
    const result = { type: 'function_call_output' as const, call_id: call?.type === 'function_call' ? call.call_id : '', output: 'rain' }
    const whole = await door.client.responses.create({ model: 'fast', input: [{ role: 'user', content: 'Rain?' }, ...(first.output as OpenAI.Responses.ResponseInputItem[]), result] })
    const onwards = await door.client.responses.create({ model: 'fast', previous_response_id: first.id, input: [result] })
    expect([whole.output_text, onwards.output_text, onwards.previous_response_id]).toEqual(['It rains.', 'It rains.', first.id])
    // Instructions are said anew each time or not at all.
    expect(door.asked.at(-1)?.messages).toEqual(door.asked.at(-2)?.messages)
    const further = await door.client.responses.create({ model: 'fast', previous_response_id: onwards.id, input: 'Sure?' })
    expect(door.asked.at(-1)?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'assistant', 'user'])
    expect(further.status).toBe('completed')
  })

  test('leaves out what a model of another server thought, and says so', async () => {
    await using door = await openDoor({ rules: () => replyText('Hi.') })
    const input = [
      { role: 'user', content: 'Hello' },
      { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' },
      { role: 'assistant', content: 'Hm.', phase: 'commentary' },
    ] as OpenAI.Responses.ResponseInput
    const { response } = await door.client.responses.create({ model: 'fast', input, store: false, include: ['reasoning.encrypted_content'], reasoning: { effort: 'low', summary: 'auto' } }).withResponse()
    expect(response.headers.get('x-stateloop-ignored')).toBe('reasoning.summary, store, input.reasoning, input.phase')
    expect(door.asked[0]?.messages).toHaveLength(2)
  })

  test('goes on only from answers of the same caller', async () => {
    await using door = await openDoor({ rules: () => replyText('Hi.') })
    const as = (user: string) => ({ headers: { 'x-stateloop-user': user } })
    const { id } = await door.client.responses.create({ model: 'fast', input: 'My secret is 7.' }, as('ada'))
    for (const previous of [id, 'resp_68477f10f2d081a39b3438f413b3bafc0dd57d732903c563']) {
      const refused = await refusalOf(door.client.responses.create({ model: 'fast', input: 'What is it?', previous_response_id: previous }, as('bob')))
      expect([refused.status, refused.param]).toEqual([400, 'previous_response_id'])
    }
    expect(door.asked).toHaveLength(1)
  })

  test('is held to a schema, and the SDK parses it', async () => {
    const format = zodTextFormat(z.object({ city: z.string() }), 'place')
    await using door = await openDoor({ rules: ({ messages }) => replyText(messages.length === 1 ? '{"town":"Bern"}' : '{"city":"Bern"}') })
    const parsed = await door.client.responses.parse({ model: 'fast', input: 'Where?', text: { format } })
    expect([parsed.output_parsed, door.asked.length]).toEqual([{ city: 'Bern' }, 2])
    expect(door.asked[0]?.output).toMatchObject({ name: 'place', schema: { type: 'object' } })
  })

  test('tells of replies that were cut off, filtered or refused', async () => {
    await using cut = await openDoor({ rules: () => replyText('Half of', { finish: 'length' }) })
    expect(await ask(cut, {})).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output_text: 'Half of' })
    await using filtered = await openDoor({ rules: () => replyText('', { finish: 'content_filter' }) })
    expect(await ask(filtered, {})).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'content_filter' } })
    await using refusing = await openDoor({ rules: () => ({ refusal: 'I will not.' }) })
    expect((await ask(refusing, {})).output).toMatchObject([{ type: 'message', content: [{ type: 'refusal', refusal: 'I will not.' }] }])
  })
})

describe('a stream', () => {
  const kinds = async (events: AsyncIterable<OpenAI.Responses.ResponseStreamEvent>): Promise<readonly string[]> => {
    const seen: string[] = []
    let number = 0
    for await (const event of events) {
      expect(event.sequence_number).toBe(number++)
      if (event.type !== seen.at(-1)) seen.push(event.type)
    }
    return seen
  }

  test('of text has the events that the SDK expects, and adds up to the response', async () => {
    await using door = await openDoor({ rules: () => replyText('It will rain in Bern today and tomorrow.') })
    expect(await kinds(await door.client.responses.create({ model: 'fast', input: 'Rain?', stream: true }))).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    const deltas: string[] = []
    const stream = door.client.responses.stream({ model: 'fast', input: 'Rain?' }).on('response.output_text.delta', ({ delta }) => deltas.push(delta))
    const final = await stream.finalResponse()
    expect([deltas.join(''), final.output_text, final.status]).toEqual(['It will rain in Bern today and tomorrow.', 'It will rain in Bern today and tomorrow.', 'completed'])
    expect(deltas.length).toBeGreaterThan(1)
    expect(final.usage?.output_tokens).toBeGreaterThan(0)
  })

  test('of calls, of a structured output and of a refusal is put together by the SDK', async () => {
    await using calling = await openDoor({ rules: () => replyCalls({ name: 'look', args: { city: 'a city with quite a long name' } }, { name: 'look', args: {} }) })
    const tools: OpenAI.Responses.FunctionTool[] = [{ type: 'function', name: 'look', parameters: { type: 'object' }, strict: false }]
    const called = await calling.client.responses.stream({ model: 'fast', input: 'Rain?', tools }).finalResponse()
    expect(called.output.map((item) => item.type === 'function_call' && item.arguments)).toEqual(['{"city":"a city with quite a long name"}', '{}'])
    await using structured = await openDoor({ rules: () => replyText('{"city":"Bern"}') })
    const parsed = await structured.client.responses.stream({ model: 'fast', input: 'x', text: { format: zodTextFormat(z.object({ city: z.string() }), 'place') } }).finalResponse()
    expect(parsed.output_parsed).toEqual({ city: 'Bern' })
    await using refusing = await openDoor({ rules: () => ({ refusal: 'I will not.' }) })
    const refused = await refusing.client.responses.stream({ model: 'fast', input: 'x' }).finalResponse()
    expect(refused.output).toMatchObject([{ content: [{ type: 'refusal', refusal: 'I will not.' }] }])
  })

  test('that fails before anything was said is a status, and after that an error', async () => {
    await using door = await openDoor({ rules: () => replyFailure('quota_exhausted') })
    expect((await refusalOf(door.client.responses.stream({ model: 'fast', input: 'x' }).finalResponse())).status).toBe(429)
    await using wrong = await openDoor({ rules: () => replyText('{"city": 7, "and": "more of it"}') })
    const format = zodTextFormat(z.object({ city: z.string() }), 'place')
    expect((await refusalOf(wrong.client.responses.stream({ model: 'fast', input: 'x', text: { format } }).finalResponse())).message).toContain('does not match the schema')
  })
})

test('an agent answers, whole and streamed, and says which parameters have no effect', async () => {
  await using door = await openDoor({ rules: ({ messages }) => (messages.at(-1)?.role === 'tool' ? replyText('Rain in Bern.') : replyCalls({ name: 'getWeather', args: { city: 'Bern' } })) })
  const { data, response } = await door.client.responses.create({ model: 'weather', input: 'Rain?', temperature: 0, reasoning: { effort: 'low' } }).withResponse()
  expect([data.output_text, response.headers.get('x-stateloop-ignored')]).toEqual(['Rain in Bern.', 'temperature, reasoning'])
  expect((await door.client.responses.stream({ model: 'weather', input: 'Rain?' }).finalResponse()).output_text).toBe('Rain in Bern.')
  for (const more of [{ tools: [{ type: 'function', name: 'f', parameters: {}, strict: null }] }, { text: { format: { type: 'json_object' } } }, { previous_response_id: data.id }])
    expect((await refusalOf(ask(door, { model: 'weather', ...more }))).param).toBe(Object.keys(more)[0])
})

test('our own provider reads from the door what the provider behind it answered', async () => {
  const tools = [{ name: 'look', description: 'Looks.', parameters: { type: 'object' }, strict: false }]
  const request: ModelRequest = {
    model: 'fast',
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'image', data: { url: 'https://example.com/a.png' } }] },
      { role: 'assistant', content: 'Hm', calls: [{ id: 'c1', name: 'look', args: { a: 1 } }] },
      { role: 'tool', callId: 'c1', name: 'look', content: 'done' },
    ],
    tools,
    toolChoice: { name: 'look' },
    params: { maxOutputTokens: 9, temperature: 0.5, topP: 0.9, reasoningEffort: 'low', verbosity: 'high' },
  }
  await using door = await openDoor({ rules: () => ({ ...replyCalls({ name: 'look', args: { b: 2 } }), usage: { inputTokens: 7, outputTokens: 3 } }) })
  const provider = openai({ baseURL: `${door.url}/v1`, apiKey: TOKEN, wire: 'responses' })
  for (const onDelta of [undefined, () => {}]) {
    const reply = await provider.call(request, {
      signal: new AbortController().signal,
      timeouts: { connectMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 5_000 },
      key: `k${door.asked.length}`,
      ...(onDelta === undefined ? {} : { onDelta }),
    })
    expect(reply).toMatchObject({ finish: 'tool_calls', usage: { inputTokens: 7, outputTokens: 3 }, message: { calls: [{ name: 'look', args: { b: 2 } }] } })
  }
  const { model: _model, ...asked } = request
  expect(door.asked).toEqual([asked, asked].map((one) => ({ model: 'gpt-5-mini', ...one })))
})
