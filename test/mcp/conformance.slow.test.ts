// The official conformance suite, over what of it applies to agents as tools and to a client of tools.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRuntime } from 'stateloop'
import { mcpEndpoint, type McpEndpoint } from 'stateloop/mcp'
import { listen, type Listening } from 'stateloop/server'
import { agents, outputs } from './conformance-agents.ts'

const SUITE = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'))
const CLIENT = fileURLToPath(new URL('conformance-client.ts', import.meta.url))
const exec = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'stateloop-mcp-'))

/** What the suite says; it exits with an error when a scenario is not passed. */
const conformance = async (...args: readonly string[]): Promise<string> => {
  const { stdout, stderr } = await exec(process.execPath, [SUITE, ...args], { cwd: folder, timeout: 150_000, maxBuffer: 16_000_000 }).catch((error: { readonly stdout: string; readonly stderr: string }) => error)
  return `${stdout}\n${stderr}`
}

/** Names of the suite's scenarios for clients or servers. */
const scenarios = async (kind: 'client' | 'server'): Promise<readonly string[]> => [...(await conformance('list', `--${kind}`)).matchAll(/^ {2}- (\S+)/gm)].map(([, name = '']) => name)

const times = (names: readonly string[], reason: string): { readonly [scenario: string]: string } => Object.fromEntries(names.map((name) => [name, reason]))

/** Scenarios for servers that do not apply, and why. */
const SERVER_LEFT_OUT: { readonly [scenario: string]: string } = {
  ...times(
    ['resources-list', 'resources-read-text', 'resources-read-binary', 'resources-templates-read', 'resources-subscribe', 'resources-unsubscribe'],
    'agents are tools; a run is read from the HTTP API, under its rules of who may see it',
  ),
  ...times(['prompts-list', 'prompts-get-simple', 'prompts-get-with-args', 'prompts-get-embedded-resource', 'prompts-get-with-image'], 'prompts belong to the agents and are not handed out'),
  'completion-complete': 'it completes arguments of prompts and resources, of which there are none',
  'tools-call-sampling': 'an agent has its own models, with budgets and prices, and borrows none of the client',
}

/** What may be reported beside passed checks, and why. */
const SERVER_WARNINGS: { readonly [scenario: string]: string } = {
  'server-sse-polling': 'it asks in the name of protocol 2025-03-26, whose clients may not be sent the empty event that it expects',
}

/** Scenarios for clients that do not apply, and why. */
const CLIENT_LEFT_OUT: { readonly [scenario: string]: string } = {
  'elicitation-sep1034-client-defaults': 'tools are called in the middle of a run, where no server may ask people',
  'auth/cross-app-access-complete-flow': 'the exchange with an identity provider is the business of an authProvider, and the SDK has none for it',
}

const CLIENT_SCENARIOS = [
  ...['initialize', 'tools_call', 'sse-retry'],
  ...['default', 'var1', 'var2', 'var3'].map((name) => `auth/metadata-${name}`),
  ...['from-www-authenticate', 'from-scopes-supported', 'omitted-when-undefined', 'step-up', 'retry-limit'].map((name) => `auth/scope-${name}`),
  ...['basic', 'post', 'none'].map((name) => `auth/token-endpoint-auth-${name}`),
  ...['basic-cimd', 'pre-registration', 'resource-mismatch', 'offline-access-scope', 'offline-access-not-supported', 'client-credentials-jwt', 'client-credentials-basic'].map((name) => `auth/${name}`),
  ...['auth/2025-03-26-oauth-metadata-backcompat', 'auth/2025-03-26-oauth-endpoint-fallback'],
]

let endpoint: McpEndpoint
let listening: Listening
beforeAll(async () => {
  endpoint = mcpEndpoint({ runtime: createRuntime({ agents }), agents, outputs, allowedHosts: ['127.0.0.1', 'localhost'] })
  listening = await listen({ fetch: (request) => endpoint.fetch(request), ready: () => Promise.resolve(), drain: () => endpoint.close() }, { port: 0 })
})
afterAll(async () => {
  await listening.close(10)
  rmSync(folder, { recursive: true, force: true })
})

test('agents as a server pass every scenario but those that are listed with the reason why they do not apply', async () => {
  const said = await conformance('server', '--url', `${listening.url}/mcp`, '--suite', 'all')
  const results = [...said.matchAll(/^[✓✗] (\S+): (\d+) passed, (\d+) failed/gm)].map(([, scenario = '', passed, failed]) => ({ scenario, passed: Number(passed), failed: Number(failed) }))
  expect(results.map(({ scenario }) => scenario).toSorted()).toEqual((await scenarios('server')).toSorted())
  const left = results.filter(({ scenario, passed, failed }) => failed > 0 || (passed === 0 && !Object.hasOwn(SERVER_WARNINGS, scenario))).map(({ scenario }) => scenario)
  expect(left.toSorted()).toEqual(Object.keys(SERVER_LEFT_OUT).toSorted())
}, 120_000)

test.for(CLIENT_SCENARIOS)('tools of a server pass %s', async (scenario) => {
  const said = await conformance('client', '--command', `${process.execPath} --conditions=stateloop-source ${CLIENT}`, '--scenario', scenario)
  expect(said).toMatch(/Passed: ([1-9]\d*)\/\1, 0 failed, 0 warnings/)
})

test('every scenario for clients is passed, or listed with the reason why it does not apply', async () => {
  expect((await scenarios('client')).toSorted()).toEqual([...CLIENT_SCENARIOS, ...Object.keys(CLIENT_LEFT_OUT)].toSorted())
})
