// Servers that are processes: they die, write what is no protocol, and write too much.
import { expect, test } from 'vitest'
import { mcpTools, type McpServerAddress } from 'stateloop/mcp'
import { call } from './raw-server.ts'

/** A process that answers as `onCall` says, which sees `id`, `name` and `args`. */
const processThat = (onCall: string, atStart = ''): McpServerAddress => {
  const source = `
    const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\\n')
    const text = (id, text) => send({ id, result: { content: [{ type: 'text', text }] } })
    ${atStart}
    require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
      const { id, method, params } = JSON.parse(line)
      if (method === 'initialize') send({ id, result: { protocolVersion: params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: 'p', version: '1' } } })
      if (method === 'tools/list') send({ id, result: { tools: [{ name: 'go', inputSchema: { type: 'object' } }] } })
      if (method === 'tools/call') { const args = params.arguments; ${onCall} }
    })`
  return { command: process.execPath, args: ['-e', source], env: { API_TOKEN: 'a-token-for-that-server-1' } }
}

test('a process that dies in the middle of a call fails that call and is started again for the next', async () => {
  await using server = await mcpTools({ name: 'mortal', server: processThat('if (args.die) process.exit(3); text(id, String(process.pid))'), tools: { effect: 'none' } })
  const first = await call(server, 'go')
  await expect(call(server, 'go', { die: true })).rejects.toMatchObject({ code: 'tool_failed', message: expect.stringContaining('mortal') })
  const second = await call(server, 'go')
  expect(Number(second.text)).not.toBe(Number(first.text))
})

test('lines that are no protocol are passed over', async () => {
  const garbage = `process.stdout.write('Welcome!\\n{"jsonrpc":\\n\\u0000\\n[]\\n{"jsonrpc":"2.0","id":99,"result":{}}\\n')`
  await using server = await mcpTools({ name: 'chatty', server: processThat(`${garbage}; text(id, 'fine')`, garbage), tools: { effect: 'none' } })
  expect(await call(server, 'go')).toMatchObject({ text: 'fine' })
})

test('a result of 100 MB breaks the connection at its limit at once, and the next call gets another', async () => {
  await using server = await mcpTools({ name: 'huge', server: processThat(`text(id, args.huge ? 'x'.repeat(100_000_000) : 'small')`), tools: { effect: 'none' } })
  await expect(call(server, 'go', { huge: true })).rejects.toMatchObject({ code: 'tool_failed', message: expect.stringMatching(/huge.*more than 10000000 bytes/) })
  expect(await call(server, 'go')).toMatchObject({ text: 'small' })
})

test('credentials in the environment of a process are taken out of what it says', async () => {
  await using server = await mcpTools({ name: 'open', server: processThat('text(id, process.env.API_TOKEN)'), tools: { effect: 'none' } })
  expect(await call(server, 'go')).toMatchObject({ text: '[secret]' })
})
