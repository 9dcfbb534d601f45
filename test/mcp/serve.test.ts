// Agents as tools, called by the official SDK's client.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { expect, test } from 'vitest'
import { fakeClock, replyFailure, systemClock, type FakeClock } from 'stateloop'
import { mcpEndpoint, mcpServer, type McpEndpointOptions } from 'stateloop/mcp'
import { createServer } from 'stateloop/server'
import { payer, testServer, TOKEN, weather, type TestServerOptions } from '../server/world.ts'

const connectTo = async (
  options: TestServerOptions = {},
  answer?: (message: string) => { readonly approve: boolean; readonly reason?: string },
): Promise<{ readonly client: Client; readonly runtime: ReturnType<typeof testServer>['runtime'] }> => {
  const { runtime } = testServer(options)
  const [near, far] = InMemoryTransport.createLinkedPair()
  const server = await mcpServer({ runtime, agents: [weather, payer], descriptions: { weather: 'Knows the weather.' } }, { user: 'ada' })
  await server.connect(far)
  const client = new Client({ name: 'test', version: '1' }, { capabilities: answer === undefined ? {} : { elicitation: {} } })
  if (answer !== undefined) client.setRequestHandler(ElicitRequestSchema, ({ params }) => ({ action: 'accept', content: { ...answer(params.message) } }))
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
  await connect('ada')
  await expect(connect('bob')).rejects.toThrow('as many sessions as there may be')
  await clock.advance(2_000)
  await connect('bob')
  await endpoint.close()
})
