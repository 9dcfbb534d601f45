// `stateloop mcp` as a client starts it.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { testProject } from '../cli/project.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

test('a client that starts the command gets the agents of the project as tools, and leaves no process behind', async () => {
  const project = await testProject()
  onTestFinished(() => project[Symbol.asyncDispose]())
  const transport = new StdioClientTransport({ command: process.execPath, args: ['--conditions=stateloop-source', MAIN, 'mcp', 'desk'], cwd: project.folder, stderr: 'ignore' })
  const client = new Client({ name: 'test', version: '1' })
  await client.connect(transport)
  const { tools } = await client.listTools()
  expect(tools).toMatchObject([{ inputSchema: { properties: { question: { type: 'string' } } } }])
  const result = await client.callTool({ name: tools[0]?.name ?? '', arguments: { question: 'Open on Sunday?' } })
  expect(JSON.stringify(result)).toContain('You asked: Open on Sunday?')
  const { pid } = transport
  await client.close()
  expect(() => process.kill(pid ?? 0, 0)).toThrow('ESRCH')
})
