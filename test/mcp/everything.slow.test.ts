// The official reference server, started as a process and behind HTTP.
import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Tool } from 'stateloop'
import { mcpTools, type McpServerAddress, type McpTools } from 'stateloop/mcp'

const EVERYTHING = fileURLToPath(import.meta.resolve('@modelcontextprotocol/server-everything/dist/index.js'))
const overStdio: McpServerAddress = { command: process.execPath, args: [EVERYTHING, 'stdio'] }

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })

let http: ChildProcess
let overHttp: McpServerAddress
beforeAll(async () => {
  const port = await freePort()
  http = spawn(process.execPath, [EVERYTHING, 'streamableHttp'], { env: { ...process.env, PORT: String(port) }, stdio: ['ignore', 'pipe', 'pipe'] })
  await new Promise<void>((resolve) => http.stderr?.on('data', (data: Buffer) => data.includes('listening') && resolve()))
  overHttp = { url: `http://127.0.0.1:${port}/mcp` }
})
afterAll(() => void http.kill())

const run = (server: McpTools<string>, name: string, input: object, signal = new AbortController().signal): Promise<any> =>
  Promise.resolve((server.tools[name] as unknown as Tool<object>).run(input, { signal, services: {}, key: 'k', log: () => {}, addCost: () => {} } as never))

test.for(['stdio', 'http'] as const)('over %s its tools are taken with their schemas, called, timed and capped', async (how) => {
  await using server = await mcpTools({ name: 'everything', server: how === 'stdio' ? overStdio : overHttp, tools: { effect: 'none', timeoutMs: 1_000, totalTimeoutMs: 1_500 } })
  expect(Object.keys(server.tools)).toEqual(expect.arrayContaining(['echo', 'get-sum', 'get-structured-content', 'get-tiny-image', 'trigger-long-running-operation']))
  expect(await run(server, 'echo', { message: 'hello' })).toMatchObject({ text: 'Echo: hello', untrusted: expect.stringContaining('everything') })
  expect(await run(server, 'get-sum', { a: 2, b: 40 })).toMatchObject({ text: expect.stringContaining('42') })
  expect(await run(server, 'get-structured-content', { location: 'Chicago' })).toMatchObject({ structured: { temperature: expect.any(Number) } })
  expect((await run(server, 'get-tiny-image', {})).text).toContain('bytes, left out]')
  await expect(run(server, 'get-sum', { a: 2, b: 'x' })).rejects.toMatchObject({ code: 'tool_failed' })
  await expect(run(server, 'trigger-long-running-operation', { duration: 30, steps: 30 })).rejects.toMatchObject({ code: 'timeout' })
})

test('the process of a server gets none of our variables but those that are given, and ends with the connection', async () => {
  process.env['STATELOOP_TEST_SECRET'] = 'hunter2'
  const server = await mcpTools({ name: 'everything', server: { ...overStdio, env: { GIVEN: 'yes' } }, only: ['get-env'] })
  const { text } = await run(server as never, 'get-env', {})
  expect(text).toContain('"GIVEN": "yes"')
  expect(text).not.toContain('hunter2')
  await server.close()
  delete process.env['STATELOOP_TEST_SECRET']
})
