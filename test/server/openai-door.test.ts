// OpenAI's own SDK as the client.
import OpenAI from 'openai'
import { describe, expect, test } from 'vitest'
import { agent, failure, replyCalls, replyFailure, replyOutput, replyText, type ModelRequest } from 'stateloop'
import { chatAgent, listen } from 'stateloop/server'
import { z } from 'zod'
import { payer, testServer, TOKEN, weather, type TestServer, type TestServerOptions } from './world.ts'

const clientOf = ({ server }: TestServer, headers: Record<string, string> = {}): OpenAI =>
  new OpenAI({ apiKey: TOKEN, baseURL: 'http://test/v1', fetch: (url, init) => server.fetch(new Request(url as string, init as RequestInit)), maxRetries: 0, defaultHeaders: headers })
const world = (options: TestServerOptions = {}, headers?: Record<string, string>) => {
  const made = testServer(options)
  return { ...made, client: clientOf(made, headers) }
}
const ask = (text: string) => [{ role: 'user' as const, content: text }]
const textOf = async (stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<{ readonly pieces: readonly string[]; readonly last: OpenAI.ChatCompletionChunk | undefined }> => {
  const chunks: OpenAI.ChatCompletionChunk[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return { pieces: chunks.flatMap(({ choices }) => choices[0]?.delta.content ?? []).filter((piece) => piece !== ''), last: chunks.at(-1) }
}
const OUTPUT = 'The tool said: {"city":"Bern","sky":"rain"}'

describe('an agent', () => {
  test('that takes text answers under its id, with what the whole run used', async () => {
    const { client, runtime } = world({}, { 'x-stateloop-user': 'ada', 'x-stateloop-route': '/chat' })
    const { data, response } = await client.chat.completions.create({ model: 'weather', messages: ask('Rain in Bern?') }).withResponse()
    expect(data).toMatchObject({ object: 'chat.completion', model: 'weather', choices: [{ message: { role: 'assistant', content: OUTPUT }, finish_reason: 'stop' }] })
    expect(data.usage?.prompt_tokens).toBeGreaterThan(10)
    expect(await runtime.get(response.headers.get('x-stateloop-run') ?? '')).toMatchObject({ user: 'ada', route: '/chat', modelCalls: 2, toolCalls: 1 })
  })

  test('streams the tokens of the states it names', async () => {
    const { client } = world({ rules: () => replyText('It will rain in Bern today and tomorrow.') })
    const { pieces, last } = await textOf(await client.chat.completions.create({ model: 'weather', messages: ask('Rain?'), stream: true, stream_options: { include_usage: true } }))
    expect(pieces.join('')).toBe('It will rain in Bern today and tomorrow.')
    expect(pieces.length).toBeGreaterThan(1)
    expect(last?.usage?.completion_tokens).toBeGreaterThan(0)
  })

  test('that says how messages map to its input and output is asked and heard that way', async () => {
    const asked: ModelRequest[] = []
    const triage = agent({ id: 'triage', model: 'openai/gpt-5-mini', prompt: 'Sort it.', output: z.object({ topic: z.enum(['order', 'other']) }) })
    const { client } = world({
      agents: [triage],
      chat: { sorter: chatAgent(triage, { input: ({ messages, last }) => `${messages.length}: ${last}`, output: ({ topic }) => `This is about: ${topic}` }) },
      rules: (request) => {
        asked.push({ ...request, messages: [...request.messages] })
        return replyOutput({ topic: 'order' })
      },
    })
    const messages = [...ask('Hello'), { role: 'assistant' as const, content: 'Hi' }, ...ask('Where is it?')]
    expect((await client.chat.completions.create({ model: 'sorter', messages })).choices[0]?.message.content).toBe('This is about: order')
    expect(asked[0]?.messages.at(-1)?.content).toBe('3: Where is it?')
    expect((await textOf(await client.chat.completions.create({ model: 'sorter', messages, stream: true }))).pieces).toEqual(['This is about: order'])
  })

  test('that waits for a person says so with the run to ask for', async () => {
    const { client, call } = world()
    const error = (await client.chat.completions.create({ model: 'payer', messages: ask('Pay 3.') }).catch((thrown: unknown) => thrown)) as InstanceType<typeof OpenAI.APIError>
    expect(error).toMatchObject({ status: 500, error: { stateloop_code: 'event_not_accepted' } })
    expect((await call('GET', `/v1/runs/${error.requestID}`)).body.status).toBe('waiting')
  })
})

describe('a model alias', () => {
  const fast = { fast: 'openai/gpt-5-mini' } as const

  test('answers as a run of one state that is billed to the user and the route of the headers', async () => {
    const { client, runtime } = world({ models: fast, priced: true, rules: () => replyText('Hello Ada.') }, { 'x-stateloop-user': 'ada', 'x-stateloop-route': '/greet' })
    const { data, response } = await client.chat.completions.create({ model: 'fast', messages: ask('Hello') }).withResponse()
    expect(data.choices[0]?.message.content).toBe('Hello Ada.')
    const row = await runtime.get(response.headers.get('x-stateloop-run') ?? '')
    expect(row).toMatchObject({ agent: 'fast', user: 'ada', route: '/greet', status: 'done', modelCalls: 1 })
    expect(row?.costNano).toBeGreaterThan(0)
  })

  test('passes on what the client asks for: parameters, fields of other servers, one message of instructions', async () => {
    const asked: ModelRequest[] = []
    const { client } = world({
      models: fast,
      rules: (request) => {
        asked.push({ ...request, messages: [...request.messages] })
        return replyText('{}')
      },
    })
    await client.chat.completions.create({
      model: 'fast',
      messages: [{ role: 'system', content: 'A' }, { role: 'developer', content: 'B' }, ...ask('C')],
      temperature: 0.2,
      max_tokens: 7,
      stop: 'X',
      seed: 5,
      response_format: { type: 'json_object' },
      user: 'u',
    })
    expect(asked[0]).toMatchObject({ model: 'gpt-5-mini', params: { temperature: 0.2, maxOutputTokens: 7, stop: ['X'] }, output: { name: 'output', schema: {} }, providerOptions: { seed: 5 } })
    expect(asked[0]?.messages).toEqual([
      { role: 'system', content: 'A\n\nB' },
      { role: 'user', content: 'C' },
    ])
  })

  test('hands tool calls to the client, and takes their results back', async () => {
    const { client } = world({
      models: fast,
      rules: (request) => (request.messages.at(-1)?.role === 'tool' ? replyText('It rains.') : replyCalls({ name: 'look_up', args: { city: 'Bern' } }, { name: 'look_up', args: { city: 'Rome' } })),
    })
    const tools = [{ type: 'function' as const, function: { name: 'look_up', description: 'Looks up.', parameters: { type: 'object', properties: { city: { type: 'string' } } } } }]
    const first = await client.chat.completions.create({ model: 'fast', messages: ask('Rain?'), tools })
    const [choice] = first.choices
    expect(choice?.finish_reason).toBe('tool_calls')
    expect(choice?.message.tool_calls?.map((call) => call.type === 'function' && call.function.arguments)).toEqual(['{"city":"Bern"}', '{"city":"Rome"}'])
    const results = (choice?.message.tool_calls ?? []).map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'rain' }))
    const second = await client.chat.completions.create({ model: 'fast', messages: [...ask('Rain?'), choice?.message as OpenAI.ChatCompletionMessageParam, ...results], tools })
    expect(second.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'It rains.' } })
    const { last } = await textOf(await client.chat.completions.create({ model: 'fast', messages: ask('Rain?'), tools, stream: true }))
    expect(last?.choices[0]?.finish_reason).toBe('tool_calls')
  })

  test('asks the next model when the first one fails, with tools and without', async () => {
    const models = { safe: { model: 'openai/gpt-5', fallback: ['openai/gpt-5-mini'], retry: { attempts: 1 } } } as const
    const { client } = world({ models, rules: (request) => (request.model === 'gpt-5' ? replyFailure('overloaded') : replyText(`I am ${request.model}.`)) })
    expect((await client.chat.completions.create({ model: 'safe', messages: ask('Who?') })).choices[0]?.message.content).toBe('I am gpt-5-mini.')
    const tools = [{ type: 'function' as const, function: { name: 'f', parameters: { type: 'object' } } }]
    expect((await client.chat.completions.create({ model: 'safe', messages: ask('Who?'), tools })).choices[0]?.message.content).toBe('I am gpt-5-mini.')
  })

  test('ends with the finish reason that a client expects when the reply was cut off, filtered or refused', async () => {
    const cut = world({ models: fast, rules: () => replyText('Half of it', { finish: 'length' }) })
    expect((await cut.client.chat.completions.create({ model: 'fast', messages: ask('x') })).choices[0]).toMatchObject({ finish_reason: 'length', message: { content: 'Half of it' } })
    const refusing = world({ models: fast, rules: () => ({ refusal: 'I will not.' }) })
    expect((await refusing.client.chat.completions.create({ model: 'fast', messages: ask('x') })).choices[0]?.message).toMatchObject({ content: null, refusal: 'I will not.' })
  })

  test.for([
    ['auth_failed', 500, 'server_error', 'false'],
    ['quota_exhausted', 429, 'insufficient_quota', 'false'],
    ['context_overflow', 400, 'context_length_exceeded', 'false'],
  ] as const)('fails with %s as status %i, and tells the client not to repeat it', async ([code, status, wire, retry]) => {
    for (const stream of [false, true]) {
      const { client } = world({ models: fast, rules: () => replyFailure(code) })
      const error = (await client.chat.completions.create({ model: 'fast', messages: ask('x'), stream }).catch((thrown: unknown) => thrown)) as InstanceType<typeof OpenAI.APIError>
      expect([error.status, error.code, error.headers?.get('x-should-retry')]).toEqual([status, wire, retry])
    }
  })

  test('keeps to its budget: a call that could cost more is refused before it is made', async () => {
    let calls = 0
    const { client } = world({
      priced: true,
      models: { cheap: { model: { model: 'openai/gpt-5', maxOutputTokens: 10 }, limits: { costUsd: 0.001 } } },
      rules: () => {
        calls += 1
        return replyText('x')
      },
    })
    const error = (await client.chat.completions.create({ model: 'cheap', messages: ask('long '.repeat(2_000)) }).catch((thrown: unknown) => thrown)) as InstanceType<typeof OpenAI.APIError>
    expect([error.status, error.code, calls]).toEqual([429, 'insufficient_quota', 0])
  })

  test('that breaks off in the middle of a stream ends it with an error, not with silence', async () => {
    let attempts = 0
    const provider = {
      id: 'broken',
      call: async (_request: ModelRequest, io: { readonly onDelta?: (delta: { readonly type: 'text'; readonly text: string }) => void }): Promise<never> => {
        attempts += 1
        io.onDelta?.({ type: 'text', text: 'Half of' })
        await new Promise((resolve) => setTimeout(resolve, 20))
        throw Object.assign(new Error('cut'), failure('stream_truncated', 'cut'))
      },
    }
    const { client } = world({ runtime: { providers: [provider] }, models: { broken: 'broken/model' }, clock: (await import('stateloop')).systemClock })
    await expect(textOf(await client.chat.completions.create({ model: 'broken', messages: ask('x'), stream: true }))).rejects.toMatchObject({ error: { type: 'server_error' } })
    expect(attempts).toBeGreaterThan(0)
  })
})

test('a model that fails in the middle of a stream is not followed by the words of another', async () => {
  const provider = {
    id: 'both',
    call: async (request: ModelRequest, io: { readonly onDelta?: (delta: { readonly type: 'text'; readonly text: string }) => void }) => {
      io.onDelta?.({ type: 'text', text: request.model === 'first' ? 'Half of' : 'All of it.' })
      if (request.model === 'first') throw Object.assign(new Error('cut'), failure('stream_truncated', 'cut'))
      return { message: { role: 'assistant' as const, content: 'All of it.' }, finish: 'stop' as const, usage: null, model: 'second' }
    },
  }
  const models = { safe: { model: 'both/first', fallback: ['both/second'], retry: { attempts: 1 } } } as const
  const { client } = world({ runtime: { providers: [provider] }, models })
  await expect(textOf(await client.chat.completions.create({ model: 'safe', messages: ask('x'), stream: true }))).rejects.toMatchObject({ error: { type: 'server_error' } })
  expect((await client.chat.completions.create({ model: 'safe', messages: ask('x') })).choices[0]?.message.content).toBe('All of it.')
})

test('models are listed, and one that is not there is refused as OpenAI refuses it', async () => {
  const { client } = world({ models: { fast: 'openai/gpt-5-mini' } })
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['fast', 'weather', 'payer'])
  expect((await client.models.retrieve('weather')).id).toBe('weather')
  await expect(client.models.retrieve('gpt-9')).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  await expect(client.chat.completions.create({ model: 'gpt-9', messages: ask('x') })).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  await expect(client.chat.completions.create({ model: 'weather', messages: [] })).rejects.toBeInstanceOf(OpenAI.BadRequestError)
  await expect(client.chat.completions.create({ model: 'weather', messages: ask('x'), n: 2 })).rejects.toBeInstanceOf(OpenAI.BadRequestError)
})

test('a client that goes away ends its run', async () => {
  const clock = (await import('stateloop')).systemClock
  const made = testServer({ clock, agents: [weather, payer], rules: () => replyText('slow', { delayMs: 30_000 }) })
  await using listening = await listen(made.server, { port: 0 })
  const client = new OpenAI({ apiKey: TOKEN, baseURL: `${listening.url}/v1`, maxRetries: 0 })
  const gone = new AbortController()
  const asked = client.chat.completions.create({ model: 'weather', messages: ask('x') }, { signal: gone.signal }).catch((error: unknown) => error)
  const running = async (): Promise<string> => {
    for (;;) {
      const [row] = await made.runtime.list()
      if (row !== undefined) return row.id
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const run = await running()
  await new Promise((resolve) => setTimeout(resolve, 50))
  gone.abort()
  expect(await asked).toBeInstanceOf(OpenAI.APIUserAbortError)
  expect(await made.runtime.outcome(run)).toMatchObject({ outcome: 'cancelled' })
})
