// What somebody sees who uses a part before installing the package it needs: one line that says what to install.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newcomerFolder, type NewcomerFolder } from './folder.ts'

let folder: NewcomerFolder
beforeAll(async () => {
  folder = await newcomerFolder()
  await folder.type('npm init --yes')
  await folder.type('npm pkg set type=module')
  await folder.type('npm install stateloop zod')
  await folder.save('agents/clerk/agent.ts', "import { agent } from 'stateloop'\nexport default agent({ id: 'clerk', model: 'openai/gpt-5-mini', prompt: 'Help.' })\n")
})
afterAll(() => folder[Symbol.asyncDispose]())

/** Programs that each use one part. */
const PROGRAMS = {
  server: "import { createServer, listen } from 'stateloop/server'\nawait listen(createServer({ runtime: createRuntime(), agents: [clerk], token: 'a-token-of-a-newcomer' }))",
  mcp: "import { mcpTools } from 'stateloop/mcp'\nawait mcpTools({ name: 'files', server: { command: 'files' } })",
  'mcp-endpoint': "import { mcpEndpoint } from 'stateloop/mcp'\nmcpEndpoint({ runtime: createRuntime(), agents: [clerk] })",
  otel: "import { exportTelemetry } from 'stateloop/otel'\nawait exportTelemetry()",
  postgres: "import { postgresJournal } from 'stateloop/postgres'\nawait postgresJournal({ url: 'postgres://127.0.0.1:1/none' }).list({})",
} as const

test.each([
  ['server', 'hono @hono/node-server'],
  ['mcp', '@modelcontextprotocol/sdk'],
  ['mcp-endpoint', '@modelcontextprotocol/sdk'],
  ['otel', '@opentelemetry/sdk-node'],
  ['postgres', 'pg'],
] as const)('a program that uses %s is told to install %s', async (part, names) => {
  await folder.save(`src/${part}.ts`, `import { createRuntime } from 'stateloop'\nimport clerk from '../agents/clerk/agent.ts'\n${PROGRAMS[part]}\nvoid [createRuntime, clerk]\n`)
  await expect(folder.type(`node src/${part}.ts`)).rejects.toThrow(new RegExp(`^.*FailureError: .+: npm install ${names}$`, 'm'))
})

test.each([
  ['npx stateloop serve', 'hono @hono/node-server'],
  ['npx stateloop mcp clerk', '@modelcontextprotocol/sdk'],
  ['npx stateloop runs --db postgres://127.0.0.1:1/none', 'pg'],
  ['npx stateloop worker --engine restate --listen 0', '@restatedev/restate-sdk'],
])('%s is told to install %s', async (line, names) => {
  await expect(folder.type(line)).rejects.toThrow(new RegExp(`^usage: .+: npm install ${names}$`, 'm'))
})

test('the engine for many machines is told by Node which package is missing', async () => {
  await folder.save('src/restate.ts', "import { restate } from 'stateloop/restate'\nvoid restate\n")
  await expect(folder.type('node src/restate.ts')).rejects.toThrow("Cannot find package '@restatedev/restate-sdk'")
})
