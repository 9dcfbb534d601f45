// What becomes of what an OpenAI client sends: nothing is dropped without a word.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import type OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { replyText } from 'stateloop'
import { openDoor, refusalOf, type Door } from './openai-world.ts'

const messages = [{ role: 'user' as const, content: 'Hello' }]
const chat = (door: Door, more: object, model = 'fast'): Promise<OpenAI.ChatCompletion> => door.client.chat.completions.create({ model, messages, ...more } as OpenAI.ChatCompletionCreateParamsNonStreaming)

/** Names of the properties of an interface in the SDK's own types. */
const propertiesOf = (file: string, name: string): readonly string[] => {
  const source = readFileSync(`node_modules/openai/resources/${file}.d.ts`, 'utf8').replaceAll(/\/\*\*[^]*?\*\//g, '')
  const [, body = ''] = new RegExp(`export interface ${name} ?[^{]*\\{\n([^]*?)\n\\}`).exec(source) ?? []
  return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, property]) => property ?? '')
}

const tool = { type: 'function', function: { name: 'f', description: 'F.', parameters: { type: 'object' }, strict: true } }

/** A value for each parameter, with what the provider is asked for: a part of the request, or undefined where it is refused. */
const SAMPLES: { readonly [name: string]: readonly [value: unknown, asked: object | undefined] } = {
  messages: [messages, { messages }],
  model: ['fast', { model: 'gpt-5-mini' }],
  audio: [{ voice: 'alloy', format: 'mp3' }, undefined],
  frequency_penalty: [0.5, { providerOptions: { frequency_penalty: 0.5 } }],
  function_call: ['auto', undefined],
  functions: [[{ name: 'f' }], undefined],
  logit_bias: [{ 50256: -100 }, { providerOptions: { logit_bias: { 50256: -100 } } }],
  logprobs: [true, undefined],
  max_completion_tokens: [77, { params: { maxOutputTokens: 77 } }],
  max_tokens: [78, { params: { maxOutputTokens: 78 } }],
  metadata: [{ team: 'a' }, { providerOptions: { metadata: { team: 'a' } } }],
  modalities: [['text', 'audio'], undefined],
  moderation: [{ model: 'omni-moderation-latest' }, undefined],
  n: [0, undefined],
  parallel_tool_calls: [false, { providerOptions: { parallel_tool_calls: false } }],
  prediction: [{ type: 'content', content: 'x' }, { providerOptions: { prediction: { type: 'content', content: 'x' } } }],
  presence_penalty: [0.5, { providerOptions: { presence_penalty: 0.5 } }],
  prompt_cache_key: ['k', { providerOptions: { prompt_cache_key: 'k' } }],
  prompt_cache_options: [{ mode: 'explicit' }, { providerOptions: { prompt_cache_options: { mode: 'explicit' } } }],
  prompt_cache_retention: ['24h', { providerOptions: { prompt_cache_retention: '24h' } }],
  reasoning_effort: ['low', { params: { reasoningEffort: 'low' } }],
  response_format: [
    { type: 'json_schema', json_schema: { name: 'x', description: 'X.', schema: { type: 'object' }, strict: false } },
    { output: { name: 'x', description: 'X.', schema: { type: 'object' }, strict: false } },
  ],
  safety_identifier: ['s', { providerOptions: { safety_identifier: 's' } }],
  seed: [7, { providerOptions: { seed: 7 } }],
  service_tier: ['flex', { providerOptions: { service_tier: 'flex' } }],
  stop: [['X', 'Y'], { params: { stop: ['X', 'Y'] } }],
  store: [true, { providerOptions: { store: true } }],
  stream: [false, { model: 'gpt-5-mini' }],
  stream_options: [{ include_usage: true }, { model: 'gpt-5-mini' }],
  temperature: [0.2, { params: { temperature: 0.2 } }],
  tool_choice: [{ type: 'function', function: { name: 'f' } }, { toolChoice: { name: 'f' } }],
  tools: [[tool], { tools: [tool.function] }],
  top_logprobs: [3, undefined],
  top_p: [0.3, { params: { topP: 0.3 } }],
  user: ['ada', { model: 'gpt-5-mini' }],
  verbosity: ['low', { params: { verbosity: 'low' } }],
  web_search_options: [{}, undefined],
}

describe('to a model alias', () => {
  test('every parameter that the SDK knows reaches the provider or is refused by its name', async () => {
    expect(propertiesOf('chat/completions/completions', 'ChatCompletionCreateParamsBase').toSorted()).toEqual(Object.keys(SAMPLES).toSorted())
    for (const [name, [value, asked]] of Object.entries(SAMPLES)) {
      await using door = await openDoor({ rules: () => replyText('{}') })
      const answer = chat(door, { [name]: value })
      if (asked === undefined) expect(await refusalOf(answer), name).toMatchObject({ status: 400, param: name, type: 'invalid_request_error' })
      else {
        await answer
        expect(door.asked[0], name).toMatchObject(asked)
      }
    }
  })

  test('parameters of other servers are sent as they are, whatever they hold', async () => {
    await using door = await openDoor({ rules: () => replyText('Hi.') })
    const known = new Set([...Object.keys(SAMPLES), 'input', 'background', '__proto__'])
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom(...'abcdefgh_') }), fc.jsonValue(), async (name, value) => {
        if (known.has(name) || value === null) return
        await chat(door, { [name]: value })
        expect(door.asked.at(-1)?.providerOptions).toEqual({ [name]: JSON.parse(JSON.stringify(value)) as unknown })
      }),
      { numRuns: 60, seed: 11 },
    )
  })

  test('what messages hold beside their text reaches the provider too: images, sound, files, names, detail', async () => {
    await using door = await openDoor({ rules: () => replyText('I see.') })
    const content = [
      { type: 'text', text: 'Look.', cache_control: { type: 'ephemeral' } },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
      { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
      { type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA', filename: 'a.pdf' } },
    ]
    await chat(door, { messages: [{ role: 'user', content, name: 'ada' }] })
    expect(door.asked[0]?.messages).toEqual([
      {
        role: 'user',
        extras: { name: 'ada' },
        content: [
          { type: 'text', text: 'Look.', extras: { cache_control: { type: 'ephemeral' } } },
          { type: 'image', data: { url: 'data:image/png;base64,AAAA' }, extras: { detail: 'low' } },
          { type: 'audio', data: { base64: 'AAAA' }, mediaType: 'audio/wav' },
          { type: 'file', data: { url: 'data:application/pdf;base64,AAAA' }, name: 'a.pdf' },
        ],
      },
    ])
  })

  test('what cannot be said is refused with the place of it', async () => {
    await using door = await openDoor({ rules: () => replyText('x') })
    const paramOf = async (more: object): Promise<string | null | undefined> => (await refusalOf(chat(door, more))).param
    expect(await paramOf({ messages: [...messages, { role: 'user', content: [{ type: 'file', file: { file_id: 'file-1' } }] }] })).toBe('messages[1].content[0].file.file_data')
    expect(await paramOf({ messages: [{ role: 'function', name: 'f', content: 'x' }] })).toBe('messages[0].role')
    expect(await paramOf({ tools: [{ type: 'custom', custom: { name: 'c' } }] })).toBe('tools[0].type')
    expect(await paramOf({ tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [] } } })).toBe('tool_choice.type')
    expect(await paramOf({ temperature: 'hot' })).toBe('temperature')
    expect(door.asked).toHaveLength(0)
  })

  test('what says nothing is no reason to refuse: null, and the default written out', async () => {
    await using door = await openDoor({ rules: () => replyText('Hi.') })
    const silent = { temperature: null, stop: null, logprobs: false, top_logprobs: 0, modalities: ['text'], n: 1, response_format: { type: 'text' }, audio: null, tools: [], seed: null }
    expect((await chat(door, silent)).choices[0]?.message.content).toBe('Hi.')
    expect(door.asked[0]).not.toHaveProperty('providerOptions')
  })
})

/** The same for responses; a text stands for what the header `x-stateloop-ignored` names. */
const RESPONSE_SAMPLES: { readonly [name: string]: readonly [value: unknown, asked: object | string | undefined] } = {
  model: ['fast', { model: 'gpt-5-mini' }],
  input: ['Hello', { messages }],
  instructions: ['Be brief.', { messages: [{ role: 'system', content: 'Be brief.' }, ...messages] }],
  access_programs: [{ cyber: 'standard' }, undefined],
  background: [true, undefined],
  context_management: [[{ type: 'compaction' }], undefined],
  conversation: ['conv_1', undefined],
  image: [{ context_compression: 'auto' }, undefined],
  include: [['message.output_text.logprobs'], undefined],
  max_output_tokens: [77, { params: { maxOutputTokens: 77 } }],
  max_tool_calls: [3, 'max_tool_calls'],
  metadata: [{ team: 'a' }, { model: 'gpt-5-mini' }],
  moderation: [{ model: 'omni-moderation-latest' }, undefined],
  parallel_tool_calls: [false, { providerOptions: { parallel_tool_calls: false } }],
  previous_response_id: ['resp_1', undefined],
  prompt: [{ id: 'pmpt_1' }, undefined],
  prompt_cache_key: ['k', { providerOptions: { prompt_cache_key: 'k' } }],
  prompt_cache_options: [{ mode: 'explicit' }, { providerOptions: { prompt_cache_options: { mode: 'explicit' } } }],
  prompt_cache_retention: ['24h', { providerOptions: { prompt_cache_retention: '24h' } }],
  reasoning: [{ effort: 'low' }, { params: { reasoningEffort: 'low' } }],
  safety_identifier: ['s', { providerOptions: { safety_identifier: 's' } }],
  service_tier: ['flex', { providerOptions: { service_tier: 'flex' } }],
  store: [false, 'store'],
  stream: [false, { model: 'gpt-5-mini' }],
  stream_options: [{ include_obfuscation: false }, { model: 'gpt-5-mini' }],
  temperature: [0.2, { params: { temperature: 0.2 } }],
  text: [
    { format: { type: 'json_schema', name: 'x', schema: { type: 'object' }, strict: true }, verbosity: 'low' },
    { params: { verbosity: 'low' }, output: { name: 'x', schema: { type: 'object' } } },
  ],
  tool_choice: [{ type: 'function', name: 'f' }, { toolChoice: { name: 'f' } }],
  tools: [[{ type: 'function', ...tool.function }], { tools: [tool.function] }],
  top_logprobs: [3, undefined],
  top_p: [0.3, { params: { topP: 0.3 } }],
  truncation: ['auto', undefined],
  user: ['ada', { model: 'gpt-5-mini' }],
}

test('every parameter of a response that the SDK knows reaches the provider, is named as ignored or is refused by its name', async () => {
  expect(propertiesOf('responses/responses', 'ResponseCreateParamsBase').toSorted()).toEqual(Object.keys(RESPONSE_SAMPLES).toSorted())
  for (const [name, [value, asked]] of Object.entries(RESPONSE_SAMPLES)) {
    await using door = await openDoor({ rules: () => replyText('{}') })
    const answer = door.client.responses.create({ model: 'fast', input: 'Hello', [name]: value } as OpenAI.Responses.ResponseCreateParamsNonStreaming)
    if (asked === undefined) expect(await refusalOf(answer), name).toMatchObject({ status: 400, param: name })
    else if (typeof asked === 'string') expect((await answer.withResponse()).response.headers.get('x-stateloop-ignored')).toBe(asked)
    else {
      await answer
      expect(door.asked[0], name).toMatchObject(asked)
    }
  }
})

test('the page for OpenAI clients lists what becomes of every parameter, of each API', () => {
  const page = readFileSync('docs/how-to/openai-clients.md', 'utf8')
  const cells = page.split('\n').filter((line) => /^\| (Understood|Sent on|Refused) \|/.test(line))
  const named = [1, 2, 3].map((column) => cells.flatMap((line) => [...(line.split('|')[column + 1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name ?? '')).filter((name) => name !== 'top_k'))
  const known = [propertiesOf('chat/completions/completions', 'ChatCompletionCreateParamsBase'), propertiesOf('responses/responses', 'ResponseCreateParamsBase'), propertiesOf('embeddings', 'EmbeddingCreateParams')]
  expect(named.map((names) => names.toSorted())).toEqual(known.map((names) => names.toSorted()))
})

describe('to an agent', () => {
  test('parameters that have no effect are named in a header, and those that would change the answer are refused', async () => {
    await using door = await openDoor({ rules: () => replyText('Rain.') })
    const { response } = await door.client.chat.completions.create({ model: 'weather', messages, temperature: 0, max_tokens: 50, seed: 3 }).withResponse()
    expect(response.headers.get('x-stateloop-ignored')).toBe('temperature, max_tokens, seed')
    for (const more of [{ tools: [tool] }, { response_format: { type: 'json_object' } }, { stop: 'X' }, { n: 2 }, { logprobs: true }])
      expect((await refusalOf(chat(door, more, 'weather'))).param).toBe(Object.keys(more)[0])
  })
})

describe('n', () => {
  test('gives as many answers, each made by a call of its own that is billed, with one sum of usage', async () => {
    let calls = 0
    await using door = await openDoor(
      {
        priced: true,
        models: { fast: { model: 'openai/gpt-5-mini', cache: { ttlMs: 60_000 } } },
        rules: () => replyText(`Answer ${++calls}`, { usage: { inputTokens: 10, outputTokens: 5, cachedTokens: 4, reasoningTokens: 2 } }),
      },
      { 'x-stateloop-user': 'ada' },
    )
    const { data, response } = await door.client.chat.completions.create({ model: 'fast', messages, n: 3 }).withResponse()
    expect(data.choices.map(({ index, message }) => [index, message.content]).toSorted()).toEqual(['Answer 1', 'Answer 2', 'Answer 3'].map((text, at) => [at, text]))
    expect(data.usage).toMatchObject({ prompt_tokens: 30, completion_tokens: 15, total_tokens: 45, prompt_tokens_details: { cached_tokens: 12 }, completion_tokens_details: { reasoning_tokens: 6 } })
    const runs = (response.headers.get('x-stateloop-run') ?? '').split(', ')
    const rows = await Promise.all(runs.map((run) => door.runtime.get(run)))
    expect(rows.map((row) => [row?.user, row?.modelCalls, (row?.costNano ?? 0) > 0])).toEqual([1, 2, 3].map(() => ['ada', 1, true]))
  })

  test('streams each answer under its index', async () => {
    let calls = 0
    await using door = await openDoor({ rules: () => replyText(`This is answer ${++calls} to it.`) })
    const texts = ['', '']
    const finished: (string | null)[] = []
    let total: OpenAI.CompletionUsage | null | undefined
    for await (const chunk of await door.client.chat.completions.create({ model: 'fast', messages, n: 2, stream: true, stream_options: { include_usage: true } })) {
      total = chunk.usage ?? total
      for (const { index, delta, finish_reason } of chunk.choices) {
        texts[index] += delta.content ?? ''
        if (finish_reason !== null) finished[index] = finish_reason
      }
    }
    expect([texts.toSorted(), finished]).toEqual([
      ['This is answer 1 to it.', 'This is answer 2 to it.'],
      ['stop', 'stop'],
    ])
    expect(total?.completion_tokens).toBeGreaterThan(5)
  })
})
