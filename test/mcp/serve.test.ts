// Agents as tools, called by the official SDK's client.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { ElicitRequestSchema, LoggingMessageNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, test } from 'vitest'
import { fakeClock, replyFailure, setupAgent, systemClock, type AnyAgent, type FakeClock } from 'stateloop'
import { mcpEndpoint, mcpServer, type McpEndpointOptions } from 'stateloop/mcp'
import { createServer, listen } from 'stateloop/server'
import { z } from 'zod'
import { obedient, payer, testServer, TOKEN, weather, type TestServerOptions } from '../server/world.ts'

type Form = { readonly properties: { readonly [field: string]: unknown } }

const connectTo = async (
  options: TestServerOptions = {},
  answer?: (message: string, form: Form) => object | undefined,
  agents: readonly AnyAgent[] = [weather, payer],
): Promise<{ readonly client: Client; readonly runtime: ReturnType<typeof testServer>['runtime'] }> => {
  const { runtime } = testServer(options)
  const [near, far] = InMemoryTransport.createLinkedPair()
  const server = await mcpServer({ runtime, agents, descriptions: { weather: 'Knows the weather.' } }, { user: 'ada' })
  await server.connect(far)
  const client = new Client({ name: 'test', version: '1' }, { capabilities: answer === undefined ? {} : { elicitation: {} } })
  if (answer !== undefined)
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      const content = answer(params.message, (params as { readonly requestedSchema: Form }).requestedSchema)
      return (content === undefined ? { action: 'cancel' } : { action: 'accept', content: { ...content } }) as never
    })
  await client.connect(near)
  return { client, runtime }
}

test('an agent is a tool with its schema, and its output is the result', async () => {
  const { client, runtime } = await connectTo()
  const { tools } = await client.listTools()
  expect(tools).toMatchObject([{ name: 'weather', description: 'Knows the weather.', inputSchema: { properties: { input: { type: 'string' } }, required: ['input'] } }, { name: 'payer' }])
  const steps: (string | undefined)[] = []
  const result = await client.callTool({ name: 'weather', arguments: { input: 'Rain?' } }, undefined, { onprogress: ({ message }) => steps.push(message) })
  expect(result).toMatchObject({ content: [{ type: 'text', text: 'The tool said: {"city":"Bern","sky":"rain"}' }], structuredContent: { outcome: 'done' } })
  expect(steps).toEqual(['answering', 'acting', 'answering', 'done'])
  expect(await runtime.list()).toMatchObject([{ agent: 'weather', user: 'ada', status: 'done' }])
})

test('a call that cannot be undone is put to the person at the other end', async () => {
  const asked: string[] = []
  const { client } = await connectTo({}, (message) => {
    asked.push(message)
    return { approve: true }
  })
  expect(await client.callTool({ name: 'payer', arguments: { input: 'Pay.' } })).toMatchObject({ content: [{ text: 'The tool said: {"paid":3}' }] })
  expect(asked).toEqual(['May pay run with {"amount":3}?'])
  const refusing = await connectTo({}, () => ({ approve: false, reason: 'too much' }))
  expect(JSON.stringify(await refusing.client.callTool({ name: 'payer', arguments: { input: 'Pay.' } }))).toContain('too much')
})

test('a client that cannot ask is told that the run waits', async () => {
  const { client, runtime } = await connectTo()
  const result = await client.callTool({ name: 'payer', arguments: { input: 'Pay.' } })
  expect(result).toMatchObject({ structuredContent: { outcome: 'waiting' }, content: [{ text: expect.stringContaining('waits for a decision about pay') }] })
  expect(await runtime.list()).toMatchObject([{ status: 'waiting', toolCalls: 0 }])
})

test('a person who closes the question has decided nothing', async () => {
  const { client, runtime } = await connectTo({}, () => undefined)
  const result = await client.callTool({ name: 'payer', arguments: { input: 'Pay.' } })
  expect(result).toMatchObject({ structuredContent: { outcome: 'waiting' }, content: [{ text: expect.stringMatching(/stateloop approve .*\/approve/) }] })
  expect(await runtime.list()).toMatchObject([{ status: 'waiting', toolCalls: 0 }])
})

test('an event that a run waits for is asked for with a form, and a choice of events with a list', async () => {
  const t = setupAgent({
    id: 'clerk',
    models: {},
    input: z.object({}),
    events: { SIGN: z.object({ name: z.string() }), YES: z.object({}), NO: z.object({}) },
    context: z.object({ name: z.string().optional() }),
    onFailure: 'failed',
  })
  const clerk = t.createAgent({
    initial: 'choosing',
    states: {
      choosing: t.human({ show: () => 'Sign it?', on: { YES: 'signing', NO: 'declined' } }),
      signing: t.human({ on: { SIGN: { to: 'signed', save: ({ event }) => ({ name: event.name }) } } }),
      signed: t.final({ output: ({ context }) => `signed by ${context.name}` }),
      declined: t.final({ output: () => 'not signed' }),
      failed: t.final({ outcome: 'failed' }),
    },
  }) as unknown as AnyAgent
  const forms: object[] = []
  const { client } = await connectTo(
    { agents: [clerk] },
    (message, form) => {
      forms.push([message, Object.keys(form.properties)])
      return 'event' in form.properties ? { event: 'YES' } : { name: 'Ada' }
    },
    [clerk],
  )
  expect(await client.callTool({ name: 'clerk', arguments: {} })).toMatchObject({ content: [{ text: 'signed by Ada' }] })
  expect(forms).toEqual([
    ['Sign it?', ['event']],
    ['This waits for SIGN.', ['name']],
  ])
})

test('a result is described by a schema that its client checks, references and all', async () => {
  interface Part {
    readonly name: string
    readonly parts: readonly Part[]
  }
  const part: z.ZodType<Part> = z.object({ name: z.string(), parts: z.array(z.lazy(() => part)) })
  const shape = z.object({ tree: part })
  const t = setupAgent({ id: 'lister', models: {}, input: shape, output: shape })
  const lister = t.createAgent({ initial: 'done', states: { done: t.final({ output: ({ context }) => ({ tree: context.tree }) }) } }) as unknown as AnyAgent
  const { client } = await connectTo({ agents: [lister] }, undefined, [lister])
  const { tools } = await client.listTools()
  expect(tools[0]).toMatchObject({ inputSchema: { $schema: 'https://json-schema.org/draft/2020-12/schema' }, outputSchema: { required: ['run', 'outcome'] } })
  const tree = { name: 'a', parts: [{ name: 'b', parts: [] }] }
  expect(await client.callTool({ name: 'lister', arguments: { tree } })).toMatchObject({ structuredContent: { outcome: 'done', output: { tree } } })
})

test('the log of a run is silent until the client asks, then names states and codes and never what was said', async () => {
  const { client } = await connectTo({ rules: (request) => (request.messages.at(-1)?.role === 'tool' ? { text: 'the answer is 42' } : obedient(request)) })
  const lines: { readonly level: string; readonly data: unknown }[] = []
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => void lines.push(params))
  await client.callTool({ name: 'weather', arguments: { input: 'my secret question' } })
  expect(lines).toEqual([])
  await client.setLoggingLevel('info')
  await client.callTool({ name: 'weather', arguments: { input: 'my secret question' } })
  expect(lines.map(({ level }) => level)).not.toContain('debug')
  await client.setLoggingLevel('debug')
  await client.callTool({ name: 'weather', arguments: { input: 'my secret question' } })
  expect(lines.map(({ data }) => (data as { readonly event: string }).event)).toEqual(expect.arrayContaining(['state.entered', 'effect.started', 'attempt.ended', 'run.ended']))
  expect(JSON.stringify(lines)).not.toMatch(/secret question|42|Bern/)
})

test('a bug inside a run is told as a bug, and an unreadable argument as a failure', async () => {
  const { client } = await connectTo({
    rules: () => {
      throw new Error('cannot open /srv/secret/key.pem')
    },
  })
  const result = await client.callTool({ name: 'weather', arguments: { input: 'x' } })
  expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining('A bug stopped this run') }] })
  expect(JSON.stringify(result)).not.toContain('/srv/secret')
})

test('a client whose connection is cut in the middle of a call comes back for the result', async () => {
  const made = testServer({ clock: systemClock, rules: () => ({ text: 'late but complete', delayMs: 400 }) })
  const endpoint = mcpEndpoint({ runtime: made.runtime, agents: [weather] })
  const listening = await listen({ fetch: (request) => endpoint.fetch(request), ready: () => Promise.resolve(), drain: () => endpoint.close() }, { port: 0 })
  // Connections: the greeting and its confirmation, the stream that listens, the call, and whatever comes after.
  let cuts = 0
  const cutting = async (url: unknown, init?: RequestInit): Promise<Response> => {
    const response = await fetch(url as string, init)
    if (!String(init?.body).includes('tools/call') || response.body === null) return response
    cuts += 1
    const reader = response.body.getReader()
    const { value } = await reader.read()
    void reader.cancel()
    return new Response(ReadableStream.from([value]), response)
  }
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(new StreamableHTTPClientTransport(new URL(listening.url), { fetch: cutting as never }) as never)
  expect(await client.callTool({ name: 'weather', arguments: { input: 'Rain?' } })).toMatchObject({ content: [{ text: 'late but complete' }] })
  expect(cuts).toBe(1)
  expect(await made.runtime.list()).toHaveLength(1)
  await client.close()
  await listening.close(10)
})

test('failures are results that the calling model sees, and an unknown tool is an error of the protocol', async () => {
  const { client } = await connectTo({ rules: () => replyFailure('auth_failed', { message: 'No key.' }) })
  expect(await client.callTool({ name: 'weather', arguments: { input: 'x' } })).toMatchObject({ isError: true, content: [{ text: 'auth_failed: No key.' }] })
  expect(await client.callTool({ name: 'weather', arguments: { input: 7 } })).toMatchObject({ isError: true, content: [{ text: expect.stringMatching(/^invalid_input: /) }] })
  await expect(client.callTool({ name: 'nobody', arguments: {} })).rejects.toThrow('There is no tool "nobody"')
})

test('a call that is cancelled ends its run', async () => {
  const { client, runtime } = await connectTo({ clock: systemClock, rules: () => ({ text: 'late', delayMs: 20_000 }) })
  const gone = new AbortController()
  const called = client.callTool({ name: 'weather', arguments: { input: 'x' } }, undefined, { signal: gone.signal }).catch((error: unknown) => error)
  let run: string | undefined
  while (run === undefined) {
    run = (await runtime.list())[0]?.id
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  gone.abort()
  await called
  expect(await runtime.outcome(run)).toMatchObject({ outcome: 'cancelled' })
})

const overHttp = (options: Partial<McpEndpointOptions> = {}) => {
  const made = testServer()
  const endpoint = mcpEndpoint({ runtime: made.runtime, agents: [weather, payer], ...options })
  const server = createServer({ runtime: made.runtime, agents: [weather, payer], token: TOKEN, mount: { '/mcp': endpoint.fetch } })
  const connect = async (user: string): Promise<{ readonly client: Client; readonly transport: StreamableHTTPClientTransport }> => {
    const transport = new StreamableHTTPClientTransport(new URL('http://test/mcp'), {
      requestInit: { headers: { authorization: `Bearer ${TOKEN}`, 'x-stateloop-user': user } },
      fetch: (url, init) => server.fetch(new Request(url, init)),
    })
    const client = new Client({ name: 'test', version: '1' })
    await client.connect(transport as never)
    return { client, transport }
  }
  return { ...made, server, endpoint, connect }
}

test('over HTTP the server lets callers in, and runs are for the user who called', async () => {
  const { connect, runtime, server, endpoint } = overHttp()
  const { client } = await connect('ada')
  expect(await client.callTool({ name: 'weather', arguments: { input: 'Rain?' } })).toMatchObject({ structuredContent: { outcome: 'done' } })
  expect(await runtime.list()).toMatchObject([{ user: 'ada' }])
  expect((await server.fetch(new Request('http://test/mcp', { method: 'POST', body: '{}' }))).status).toBe(401)
  await endpoint.close()
})

test('a session of another user is answered like one that does not exist', async () => {
  const { connect, server, endpoint } = overHttp()
  const { transport } = await connect('ada')
  const stolen = await server.fetch(
    new Request('http://test/mcp', {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'x-stateloop-user': 'bob', 'mcp-session-id': transport.sessionId ?? '', 'content-type': 'application/json', accept: 'application/json, text/event-stream' },
      body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
    }),
  )
  expect(stolen.status).toBe(404)
  await endpoint.close()
})

test('there are never more sessions than may be, and unused ones make room', async () => {
  const clock: FakeClock = fakeClock()
  const { connect, endpoint } = overHttp({ sessions: 1, idleMs: 1_000, clock })
  const { client } = await connect('ada')
  await clock.advance(2_000)
  // Its client listens, so the session is in use.
  await expect(connect('bob')).rejects.toThrow('as many sessions as there may be')
  await client.close()
  await clock.advance(2_000)
  await connect('bob')
  await endpoint.close()
})

test('a caller who opens session after session loses the oldest, and takes none from others', async () => {
  const { connect, endpoint } = overHttp({ sessions: 4, sessionsPerCaller: 2 })
  const bob = await connect('bob')
  const adas = []
  for (let times = 0; times < 6; times++) {
    const ada = await connect('ada')
    adas.push(ada.transport.sessionId)
    await ada.client.close()
  }
  expect(new Set(adas).size).toBe(6)
  expect((await bob.client.listTools()).tools).toHaveLength(2)
  await endpoint.close()
})
