// Servers that break, lie, hang, flood or change under way. Each ends in a typed failure or a tool that is left out, and none
// stops a call of another tool.
import { expect, test } from 'vitest'
import { agent, createRuntime, replyCalls, replyText, script, type Tool } from 'stateloop'
import { mcpTools, type McpToolsChange } from 'stateloop/mcp'
import { answerTo, call, rawServer, textResult, toolsNamed, type RawServer, type RpcMessage } from './raw-server.ts'

const NONE = { effect: 'none' } as const

/** Resolves once a condition holds. */
const until = async (holds: () => boolean): Promise<void> => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5))
}

test('tools that cannot be used are named with the reason, and hide none of the others', async () => {
  const schemas: { readonly [name: string]: unknown } = {
    list: { type: 'array' },
    text: 'no schema',
    deep: JSON.parse(`${'{"items":'.repeat(200)}{}${'}'.repeat(200)}`),
    long: { type: 'object', description: 'x'.repeat(200_000) },
    __proto__x: { type: 'object' },
    good: { type: 'object' },
  }
  const tools = [...Object.entries(schemas).map(([name, inputSchema]) => ({ name, inputSchema })), { name: '' }, { name: 7 }, { name: '__proto__' }, null, 'tool']
  await using server = await mcpTools({ name: 'odd', server: rawServer({ 'tools/list': () => ({ tools }) }).address })
  expect(Object.keys(server.tools)).toEqual(['__proto__x', 'good'])
  expect(server.skipped.map(({ name }) => name)).toEqual(['list', 'text', 'deep', 'long', '""', '7', '__proto__', 'null', 'tool'])
  expect(server.skipped.map(({ why }) => why)).toEqual(expect.arrayContaining(['its input schema describes "array" and no object', 'its input schema is nested deeper than 100 levels']))
  await expect(mcpTools({ name: 'odd', server: rawServer({ 'tools/list': () => ({ tools }) }).address, only: ['list'] })).rejects.toMatchObject({ code: 'agent_invalid', message: expect.stringContaining('no object') })
})

test('names that models would see as the same are not taken, and a long one stays unique', async () => {
  const long = 'a'.repeat(70)
  const { address } = rawServer({ 'tools/list': () => toolsNamed('pay', 'pay', 'read.file', 'read/file', `${long}1`, `${long}2`, 'alone') })
  await using server = await mcpTools({ name: 'twins', server: address })
  const names = Object.keys(server.tools)
  expect(names).toHaveLength(3)
  expect(names.every((name) => /^[\w-]{1,64}$/.test(name))).toBe(true)
  expect(server.skipped.map(({ name }) => name)).toEqual(['pay', 'pay', 'read.file', 'read/file'])
  await expect(mcpTools({ name: 'twins', server: address, only: ['pay'] })).rejects.toMatchObject({ code: 'agent_invalid', message: expect.stringContaining('the same name') })
})

test.for([
  ['no type', { properties: { a: { type: 'string' } }, required: ['a'] }, { a: 'x' }, {}],
  ['a reference at its root', { $ref: '#/$defs/args', $defs: { args: { type: 'object', properties: { a: { $ref: '#/$defs/text' } }, required: ['a'] }, text: { type: 'string' } } }, { a: 'x' }, { a: 1 }],
  [
    'alternatives at its root',
    {
      oneOf: [
        { type: 'object', properties: { a: { type: 'string' }, b: { type: 'number' } }, required: ['a'] },
        { properties: { a: { type: 'number' } }, required: ['a'] },
      ],
      additionalProperties: true,
    },
    { a: 'x' },
    { b: 1 },
  ],
  [
    'keywords of draft 2020-12',
    {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      $defs: { text: { $anchor: 'text', type: 'string' } },
      properties: { a: { type: 'array', prefixItems: [{ $ref: '#/$defs/text' }] } },
      required: ['a'],
      unevaluatedProperties: false,
    },
    { a: ['x'] },
    {},
  ],
  ['patterns beside closed fields', { type: 'object', properties: { a: { type: 'string' } }, patternProperties: { '^x-': {} }, additionalProperties: false, required: ['a'] }, { a: 'x', 'x-b': 1 }, {}],
  ['a schema with an id that another has too', { $id: 'https://example.com/args', type: 'object', properties: { a: { type: 'string' } }, required: ['a'] }, { a: 'x' }, { a: 1 }],
] as const)('a schema with %s is shown as an object and still checks', async ([, inputSchema, good, bad]) => {
  const other = { name: 'other', inputSchema: { $id: 'https://example.com/args', type: 'object', properties: { a: { type: 'number' } } } }
  await using server = await mcpTools({ name: 'schemas', server: rawServer({ 'tools/list': () => ({ tools: [other, { name: 'tool', inputSchema }] }) }).address })
  const { input } = (server.tools as unknown as { readonly tool: Tool }).tool
  const standard = input['~standard'] as unknown as { readonly validate: (value: unknown) => { readonly issues?: unknown }; readonly jsonSchema: { readonly input: () => { readonly [key: string]: unknown } } }
  const shown = standard.jsonSchema.input()
  expect(shown).toMatchObject({ type: 'object', properties: { a: {} } })
  expect(Object.keys(shown).filter((key) => ['oneOf', 'anyOf', 'allOf', '$ref', '$schema'].includes(key))).toEqual([])
  void (server.tools as unknown as { readonly other: Tool }).other.input['~standard'].validate({ a: 1 } as never)
  expect(standard.validate(good).issues).toBeUndefined()
  expect(standard.validate(bad).issues).toBeDefined()
})

test.for([
  ['a pattern that takes for ever', { type: 'object', properties: { a: { type: 'string', pattern: '^(a+)+$' } } }],
  ['a reference to itself', { $ref: '#/$defs/a', $defs: { a: { $ref: '#/$defs/a', properties: { a: {} } } } }],
  ['a reference to nothing', { type: 'object', properties: { a: { $ref: '#/$defs/none' } } }],
] as const)('%s is left to the server', async ([, inputSchema]) => {
  await using server = await mcpTools({ name: 'slow', server: rawServer({ 'tools/list': () => ({ tools: [{ name: 'tool', inputSchema }] }) }).address })
  const { input } = (server.tools as unknown as { readonly tool: Tool }).tool
  expect(await input['~standard'].validate({ a: `${'a'.repeat(40)}!` } as never)).toHaveProperty('value')
})

test('a list without an end, with empty pages or one cursor for ever, is read no further than it may', async () => {
  let pages = 0
  const { address }: RawServer = rawServer({ 'tools/list': () => ({ tools: [], nextCursor: String(++pages) }) })
  await using server = await mcpTools({ name: 'endless', server: address })
  expect([Object.keys(server.tools), pages]).toEqual([[], 200])
  const stuck = rawServer({ 'tools/list': () => ({ ...toolsNamed('one'), nextCursor: 'same' }) })
  await using other = await mcpTools({ name: 'stuck', server: stuck.address, tools: NONE })
  expect(other.skipped.map(({ name }) => name)).toEqual(['one', 'one'])
})

test.for([
  ['nothing', (): unknown => undefined],
  ['no list', () => ({ tools: 'many' })],
  ['an error', () => Promise.reject(new Error('not today'))],
] as const)('a server that answers the request for its tools with %s is a failure that says which', async ([, list]) => {
  await expect(mcpTools({ name: 'broken', server: rawServer({ 'tools/list': list }).address, connectTimeoutMs: 50 })).rejects.toMatchObject({ code: 'connection_failed', message: expect.stringContaining('broken') })
})

test('a server that never answers the greeting is given up', async () => {
  await expect(mcpTools({ name: 'mute', server: rawServer({ initialize: () => undefined }).address, connectTimeoutMs: 30 })).rejects.toMatchObject({ code: 'connection_failed' })
})

test('progress keeps a call alive past its time, but not past its longest time', async () => {
  let calls = 0
  const working = rawServer({
    'tools/list': () => toolsNamed('work'),
    'tools/call': async ({ _meta, arguments: { steps } }, send): Promise<unknown> => {
      calls += 1
      for (let step = 1; step <= steps; step++) {
        await new Promise((resolve) => setTimeout(resolve, 40))
        send({ method: 'notifications/progress', params: { progressToken: _meta.progressToken, progress: step } })
      }
      return textResult('worked')
    },
  })
  await using server = await mcpTools({ name: 'working', server: working.address, tools: { effect: 'none', timeoutMs: 600, totalTimeoutMs: 4_000 } })
  expect(await call(server, 'work', { steps: 20 })).toMatchObject({ text: 'worked' })
  await expect(call(server, 'work', { steps: 1_000 })).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('working') })
  expect(calls).toBe(2)
  expect(working.heard.some(({ method }) => method === 'notifications/cancelled')).toBe(true)
})

test('a server that asks for a model, a person or files is refused in words', async () => {
  const asking: RawServer = rawServer({
    'tools/list': () => toolsNamed('ask'),
    'tools/call': (_params, send): unknown => {
      for (const method of ['sampling/createMessage', 'elicitation/create', 'roots/list']) send({ id: `for-${method}`, method, params: {} })
      return textResult('asked')
    },
  })
  await using server = await mcpTools({ name: 'asking', server: asking.address, tools: NONE })
  await call(server, 'ask')
  const refusals = (): readonly RpcMessage[] => asking.heard.filter(({ error }) => error !== undefined)
  await until(() => refusals().length === 3)
  expect(refusals().map(({ error }) => error?.code)).toEqual([-32_601, -32_601, -32_601])
  expect(refusals()[0]?.error?.message).toContain('lets no server call models, ask people')
})

test('results of kinds that nobody knows yet, or with parts missing, become text or are named', async () => {
  const content = [
    { type: 'hologram', mimeType: 'model/x', data: 'AAAA' },
    { type: 'text' },
    { type: 'resource' },
    { type: 'resource', resource: { uri: 'file:///a', mimeType: 'application/pdf', blob: 'AAAAAAAA' } },
    { type: 'resource_link', name: 'a', uri: 'file:///a' },
    { type: 'audio', data: 'AAAA', mimeType: 'audio/wav' },
  ]
  await using server = await mcpTools({ name: 'kinds', server: rawServer({ 'tools/list': () => toolsNamed('show'), 'tools/call': () => ({ content }) }).address, tools: NONE })
  expect((await call(server, 'show')).text.split('\n')).toEqual([
    '[hologram model/x, 3 bytes, left out]',
    '',
    '[binary resource without an address, 0 bytes, left out]',
    '[application/pdf resource file:///a, 6 bytes, left out]',
    '[resource a at file:///a]',
    '[audio audio/wav, 3 bytes, left out]',
  ])
})

test.for([
  ['content that is no list', () => ({ content: 'hello' })],
  ['an error of the protocol', () => Promise.reject(new Error('unknown tool: gone'))],
] as const)('a call that is answered with %s is a failure of the tool', async ([, answer]) => {
  await using server = await mcpTools({ name: 'wrong', server: rawServer({ 'tools/list': () => toolsNamed('go'), 'tools/call': answer }).address, tools: NONE })
  await expect(call(server, 'go')).rejects.toMatchObject({ code: 'tool_failed', message: expect.stringContaining('wrong') })
})

test('an answer that is none of the protocol is not waited for longer than a call may take', async () => {
  await using server = await mcpTools({ name: 'wrong', server: rawServer({ 'tools/list': () => toolsNamed('go'), 'tools/call': () => 'hello' }).address, tools: { effect: 'none', timeoutMs: 30 } })
  await expect(call(server, 'go')).rejects.toMatchObject({ code: 'timeout' })
})

test('a connection that ends in the middle of a call fails that call, says whether it may have happened, and serves the next', async () => {
  let calls = 0
  const dropping: RawServer = rawServer({
    'tools/list': () => toolsNamed('pay'),
    'tools/call': async (): Promise<unknown> => {
      calls += 1
      if (calls > 1) return textResult('paid')
      await dropping.drop()
      return undefined
    },
  })
  await using server = await mcpTools({ name: 'dropping', server: dropping.address })
  await expect(call(server, 'pay')).rejects.toMatchObject({ code: 'tool_failed', message: expect.stringContaining('Whether it happened is not known.') })
  expect(await call(server, 'pay')).toMatchObject({ text: 'paid' })
  expect([calls, dropping.connections()]).toEqual([2, 2])
})

test('a list that changes is told once, whatever the server calls for, and the tools stay as they were taken', async () => {
  let names = ['keep', 'vanish']
  let lists = 0
  const changing = rawServer({
    'tools/list': () => {
      lists += 1
      return toolsNamed(...names)
    },
    'tools/call': ({ name }) => (names.includes(name) ? textResult('here') : Promise.reject(new Error(`no tool ${name}`))),
  })
  const changes: McpToolsChange[] = []
  await using server = await mcpTools({ name: 'changing', server: changing.address, tools: NONE, onChange: (change) => changes.push(change) })
  names = ['keep', 'appear']
  for (let times = 0; times < 50; times++) changing.say({ method: 'notifications/tools/list_changed' })
  await until(() => changes.length > 0)
  expect(changes).toEqual([{ added: ['appear'], removed: ['vanish'], changed: [] }])
  expect(lists).toBe(2)
  expect(Object.keys(server.tools)).toEqual(['keep', 'vanish'])
  expect(await call(server, 'keep')).toMatchObject({ text: 'here' })
  await expect(call(server, 'vanish')).rejects.toMatchObject({ code: 'tool_failed', message: expect.stringContaining('no tool vanish') })
})

test('a tool that vanished in the middle of a run is a failure that the model reads', async () => {
  const gone = rawServer({ 'tools/list': () => toolsNamed('look'), 'tools/call': () => Promise.reject(new Error('Tool look not found')) })
  await using server = await mcpTools({ name: 'gone', server: gone.address, tools: NONE })
  const provider = script([replyCalls({ name: 'look', args: {} }), replyText('I cannot look.')], { id: 'openai' })
  const runtime = createRuntime({ providers: [provider] })
  const run = await runtime.start(agent({ id: 'looker', model: 'openai/gpt-5-mini', prompt: 'Look.', tools: server.tools as Record<string, Tool> }), 'Look.')
  expect(await run.outcome()).toMatchObject({ outcome: 'done', output: 'I cannot look.' })
  expect(JSON.stringify(provider.requests.at(-1)?.messages)).toContain('tool_failed')
  await runtime.close()
})

/** A server behind a fetch function. */
const overFetch = (handle: (message: RpcMessage, request: Request) => Promise<RpcMessage | Response | undefined>): typeof fetch =>
  (async (url: unknown, init?: RequestInit) => {
    const request = new Request(url as string, init)
    if (request.method !== 'POST') return new Response(null, { status: 405 })
    const answer = await handle((await request.json()) as RpcMessage, request)
    if (answer instanceof Response) return answer
    return answer === undefined ? new Response(null, { status: 202 }) : Response.json({ jsonrpc: '2.0', ...answer }, { headers: { 'mcp-session-id': 'one' } })
  }) as typeof fetch

test('a session that the server forgot is begun anew, once for all calls that hear of it, and each of them is made once', async () => {
  let valid = ''
  let sessions = 0
  let calls = 0
  let late = 0
  const fetchIt = overFetch(async (message, request) => {
    if (message.method === 'initialize') {
      valid = `session-${++sessions}`
      return Response.json({ jsonrpc: '2.0', ...(await answerTo(message, {})) }, { headers: { 'mcp-session-id': valid } })
    }
    if (request.headers.get('mcp-session-id') !== valid) {
      // One call hears of it later than the other.
      await new Promise((resolve) => setTimeout(resolve, 30 * late++))
      return new Response('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}', { status: 404 })
    }
    if (message.method === 'tools/call') calls += 1
    const answer = await answerTo(message, { 'tools/list': () => toolsNamed('go'), 'tools/call': () => textResult('went') })
    return answer === undefined ? undefined : Response.json({ jsonrpc: '2.0', ...answer })
  })
  await using server = await mcpTools({ name: 'forgetful', server: { url: 'http://far.example/mcp', fetch: fetchIt }, tools: NONE })
  valid = ''
  expect(await Promise.all([call(server, 'go'), call(server, 'go')])).toMatchObject([{ text: 'went' }, { text: 'went' }])
  expect([sessions, calls]).toEqual([2, 2])
})

test('a server that forgets every session is given up after the second try', async () => {
  let calls = 0
  const fetchIt = overFetch(async (message) => {
    if (message.method === 'tools/call') {
      calls += 1
      return new Response('gone', { status: 404 })
    }
    return answerTo(message, { 'tools/list': () => toolsNamed('go') })
  })
  await using server = await mcpTools({ name: 'forgetful', server: { url: 'http://far.example/mcp', fetch: fetchIt }, tools: NONE })
  await expect(call(server, 'go')).rejects.toMatchObject({ code: 'tool_failed' })
  expect(calls).toBe(2)
})

test('headers may be made for each request, go to the origin of the server only, and are taken out of what it says', async () => {
  let turn = 0
  const token = (): string => `very-secret-token-${turn}`
  const seen: (string | null)[] = []
  const elsewhere: Request[] = []
  const fetchIt = overFetch(async (message, request) => {
    seen.push(request.headers.get('authorization'))
    const echo = `You sent ${request.headers.get('authorization')} and ${btoa(request.headers.get('authorization') ?? '')}`
    return answerTo(message, { 'tools/list': () => toolsNamed('echo', 'fail', 'away'), 'tools/call': ({ name }) => (name === 'fail' ? Promise.reject(new Error(echo)) : textResult(echo)) })
  })
  const guarded = (async (url: unknown, init?: RequestInit) => {
    const request = new Request(url as string, init)
    if (request.url.startsWith('http://elsewhere')) elsewhere.push(request)
    if (turn === 3 && request.method === 'POST') return new Response(null, { status: 307, headers: { location: 'http://elsewhere.example/steal' } })
    return fetchIt(url as string, init)
  }) as typeof fetch
  await using server = await mcpTools({ name: 'echo', server: { url: 'http://far.example/mcp', headers: async () => ({ authorization: `Bearer ${token()}` }), fetch: guarded }, tools: NONE })
  turn = 1
  const { text } = await call(server, 'echo')
  expect(text).toMatch(/^You sent \[secret\] and \[secret\].{0,2}$/)
  turn = 2
  const failed = await call(server, 'fail').catch((error: unknown) => error)
  expect(failed).toMatchObject({ code: 'tool_failed' })
  expect(JSON.stringify((failed as { failure?: unknown }).failure)).not.toContain('very-secret')
  expect(new Set(seen)).toEqual(new Set(['Bearer very-secret-token-0', 'Bearer very-secret-token-1', 'Bearer very-secret-token-2']))
  turn = 3
  await expect(call(server, 'away')).rejects.toMatchObject({ code: 'tool_failed', message: expect.stringContaining('elsewhere') })
  expect(elsewhere).toEqual([])
})

test('a server that lets us not in is told apart from one that is not there', async () => {
  const closed = (async () => new Response('no', { status: 401 })) as typeof fetch
  await expect(mcpTools({ name: 'closed', server: { url: 'http://far.example/mcp', headers: { authorization: 'Bearer wrong-token-1' }, fetch: closed } })).rejects.toMatchObject({
    code: 'auth_failed',
    message: expect.not.stringContaining('wrong-token-1'),
  })
})
