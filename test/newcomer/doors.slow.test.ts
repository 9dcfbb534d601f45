// The doors to other programs, from an empty folder: tools of an MCP server, agents as MCP tools, and OpenAI's own client. The
// other side is the official package each time.
import { join } from 'node:path'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { lastToolResults, lastUserText, replyCalls, replyOutput, replyText, scripted, textOf } from 'stateloop'
import { scriptedServer } from 'stateloop/testing'
import { expect, test } from 'vitest'
import { readPage } from '../docs/pages.ts'
import { newcomerFolder } from './folder.ts'
import { follow } from './follow.ts'
import { newcomerEnvironment } from './program.ts'

const KEY = 'sk-test-of-a-newcomer'
const TOKEN = 'a-token-of-a-newcomer'

/** Adds with the tool that it was given, and says what came. */
const adding = scripted({
  id: 'openai',
  rules: (request) => {
    const [result] = lastToolResults(request)
    return result === undefined ? replyCalls({ name: 'get-sum', args: { a: 2, b: 3 } }) : replyText(textOf(result.content))
  },
})

const ask = async (transport: Transport): Promise<unknown> => {
  const client = new Client({ name: 'newcomer', version: '1' })
  await client.connect(transport)
  const { tools } = await client.listTools()
  const { content } = await client.callTool({ name: 'clerk', arguments: { input: 'What is 2 and 3?' } })
  await client.close()
  return [tools.map(({ name }) => name), content]
}

test('MCP both ways: tools of the reference server for an agent, and the agent as a tool', async () => {
  await using model = await scriptedServer({ provider: adding, apiKey: KEY })
  const added = { OPENAI_BASE_URL: model.url, OPENAI_API_KEY: KEY, STATELOOP_TOKEN: TOKEN }
  await using folder = await newcomerFolder(added)
  await folder.type('npm init --yes')
  await folder.type('npm pkg set type=module')
  const { printed, lasting } = await follow(folder, readPage('docs/how-to/mcp-tools.md'), { change: (text) => text.replace('port: 8080', 'port: 0'), skip: /^npx stateloop mcp/ })
  expect(printed.get("npx stateloop run clerk --question 'What is 2 and 3?'")).toContain('The sum of 2 and 3 is 5.')

  const answer = [['clerk'], [{ type: 'text', text: expect.stringContaining('The sum of 2 and 3 is 5.') as string }]]
  const env = newcomerEnvironment(added) as { readonly [name: string]: string }
  expect(await ask(new StdioClientTransport({ command: join(folder.path, 'node_modules/.bin/stateloop'), args: ['mcp', 'clerk'], cwd: folder.path, env: { ...env }, stderr: 'ignore' }))).toEqual(answer)
  const url = new URL(/http:\S+/.exec(lasting.get('node src/server.ts')?.said ?? '')?.[0] ?? '')
  expect(await ask(new StreamableHTTPClientTransport(url, { requestInit: { headers: { authorization: `Bearer ${TOKEN}` } } }) as Transport)).toEqual(answer)
})

test("OpenAI's own client asks a model by an alias, an agent, and goes on with a conversation", async () => {
  const rules = scripted({ id: 'openai', rules: (request) => (request.output === undefined ? replyText(`You said: ${lastUserText(request)}`) : replyOutput({ topic: 'order' })) })
  await using model = await scriptedServer({ provider: rules, apiKey: KEY })
  await using folder = await newcomerFolder({ OPENAI_BASE_URL: model.url, OPENAI_API_KEY: KEY, STATELOOP_TOKEN: TOKEN })
  await folder.type('npm init --yes')
  await folder.type('npm pkg set type=module')
  const served = /http:\/\/127\.0\.0\.1:\d+/
  const { printed } = await follow(folder, readPage('docs/how-to/openai-clients.md'), {
    change: (text, said) => text.replace('port: 8080', 'port: 0').replace('http://127.0.0.1:8080', served.exec(said)?.[0] ?? ''),
  })
  expect(printed.get('node src/ask.ts')).toBe('You said: Say hello. This is about: order\n')
  expect(printed.get('node src/talk.ts')).toBe('You said: And in French?\n')
})
