// The official conformance suite, over what of it applies: agents are tools, so there are no prompts, resources or logging.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createRuntime, setupAgent, type AnyAgent } from 'stateloop'
import { mcpEndpoint, type McpEndpoint } from 'stateloop/mcp'
import { listen, type Listening } from 'stateloop/server'
import { z } from 'zod'

const SUITE = fileURLToPath(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js'))
const CLIENT = fileURLToPath(new URL('conformance-client.ts', import.meta.url))
const exec = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'stateloop-mcp-'))

const conformance = async (...args: readonly string[]): Promise<string> => {
  const { stdout } = await exec(process.execPath, [SUITE, ...args], { cwd: folder, timeout: 60_000 }).catch((error: { readonly stdout: string; readonly stderr: string }) => ({
    stdout: `FAILED\n${error.stdout}\n${error.stderr}`,
  }))
  return stdout
}

/** An agent of the given name that passes some states and says a text, or fails. */
const speaker = (id: string, text: string | undefined): AnyAgent => {
  const t = setupAgent({ id, models: {}, input: z.object({}), onFailure: 'failed' })
  const step = (onDone: 'second' | 'third' | 'said'): any =>
    t.code({
      run: () => {
        if (text === undefined) throw new Error('This tool intentionally returns an error for testing')
        return null
      },
      onDone,
    })
  return t.createAgent({
    initial: 'first',
    states: { first: step('second'), second: step('third'), third: step('said'), said: t.final({ output: () => text ?? '' }), failed: t.final({ outcome: 'failed' }) },
  }) as unknown as AnyAgent
}

let endpoint: McpEndpoint
let listening: Listening
beforeAll(async () => {
  const agents = [speaker('test_simple_text', 'This is a simple text response for testing.'), speaker('test_tool_with_progress', 'done'), speaker('test_error_handling', undefined)]
  endpoint = mcpEndpoint({ runtime: createRuntime({ agents }), agents, allowedHosts: ['127.0.0.1', 'localhost'] })
  listening = await listen({ fetch: (request) => endpoint.fetch(request), drain: () => endpoint.close() }, { port: 0 })
})
afterAll(async () => {
  await listening.close(10)
  rmSync(folder, { recursive: true, force: true })
})

test.for(['server-initialize', 'ping', 'tools-list', 'tools-call-simple-text', 'tools-call-error', 'tools-call-with-progress', 'server-sse-multiple-streams', 'dns-rebinding-protection'])(
  'agents as a server pass %s',
  async (scenario) => {
    const said = await conformance('server', '--url', `${listening.url}/mcp`, '--scenario', scenario)
    expect(said).not.toMatch(/FAILED|[1-9]\d* failed/)
    expect(said).toMatch(/Passed: (\d+)\/\1|[1-9]\d* passed/)
  },
)

test.for(['initialize', 'tools_call', 'sse-retry'])('tools of a server pass %s', async (scenario) => {
  const said = await conformance('client', '--command', `${process.execPath} --conditions=stateloop-source ${CLIENT}`, '--scenario', scenario)
  expect(said).not.toMatch(/FAILED|[1-9]\d* failed/)
})
