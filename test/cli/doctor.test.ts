import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkEndpoint } from '../../src/cli/doctor/endpoints.ts'
import { checkPackages } from '../../src/cli/doctor/packages.ts'
import { checkNode } from '../../src/cli/doctor/surroundings.ts'
import { OLDEST_NODE } from '../../src/cli/oldest-node.ts'
import { replyFailure, replyOutput, replyCalls, replyText, openai, scripted, type Rule } from '../../src/model/index.ts'
import { recordRun, writeRecording } from '../../src/replay/index.ts'
import { sqliteJournal } from '../../src/journal/index.ts'
import { createRuntime } from '../../src/run/index.ts'
import { agent } from '../../src/agent/index.ts'
import { faultServer, scriptedServer } from '../../src/testing/index.ts'
import { testProject, type TestProject } from './project.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const zod = pathToFileURL(join(root, 'node_modules/zod/index.js')).href
const source = pathToFileURL(join(root, 'src/index.ts')).href

interface Report {
  readonly ok: boolean
  readonly checks: readonly { readonly area: string; readonly status: string; readonly message: string }[]
}

/** What the doctor says, by area and status. */
const doctor = async (project: TestProject, ...args: readonly string[]): Promise<{ readonly code: number | null; readonly ok: boolean; readonly of: (area: string) => readonly string[] }> => {
  const { code, value } = await project.json('doctor', ...args)
  const { ok, checks } = value as Report
  return { code, ok, of: (area) => checks.filter((check) => check.area === area).map(({ status, message }) => `${status}: ${message}`) }
}

const greeter = (text: string, fields = ''): string => `
import { z } from ${JSON.stringify(zod)}
import { agent, scripted, replyText } from ${JSON.stringify(source)}
export const offline = scripted({ id: 'openai', rules: () => replyText('Hello'), price: { inputUsd: 1, outputUsd: 1 } })
export default agent({ id: 'greeter', ${fields} model: 'openai/m', prompt: ${JSON.stringify(text)} })
`

const projectWith = async (config: string, env: { readonly [name: string]: string } = {}): Promise<TestProject> => {
  const project = await testProject(env)
  onTestFinished(() => project[Symbol.asyncDispose]())
  await project.write('stateloop.config.mjs', config)
  return project
}

const configWith = (url: string, key = 'test'): string =>
  `import { openai } from ${JSON.stringify(source)}\nexport default { providers: [openai({ id: 'local', baseURL: ${JSON.stringify(url)}, apiKey: ${JSON.stringify(key)} })] }`

describe('stateloop doctor', () => {
  it('ends with 0 in a project where all is well, and makes no database', async () => {
    const project = await projectWith('export default {}')
    const { code, out, err } = await project.stateloop(['doctor'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/✓ agents {5}1 agent: forecast\n/)
    expect(out).toMatch(/✓ database {3}.* does not exist yet/)
    expect(out).toMatch(/\n\n0 broken, 0 warnings\n$/)
    expect((await doctor(project)).of('database')[0]).toContain('does not exist yet')
  })

  it('never prints a key, and says whether there is one', async () => {
    await using server = await faultServer({ faults: [{ status: 401 }] })
    const project = await projectWith(configWith(server.url, 'sk-config-secret'), { OPENAI_API_KEY: 'sk-environment-secret', OPENAI_BASE_URL: server.url })
    const { code, out } = await project.stateloop(['doctor', '--json'])
    expect(code).toBe(3)
    expect(out).toContain('OPENAI_API_KEY is set')
    expect(out).toContain(`local at ${server.url} refuses the key (401)`)
    expect(out).not.toMatch(/sk-/)
  })

  it('names an agent that does not load', async () => {
    const project = await projectWith('export default {}')
    await project.write('agents/broken/agent.mjs', "throw new Error('oh no')")
    const report = await doctor(project)
    expect(report).toMatchObject({ code: 3, ok: false })
    expect(report.of('agents').join('\n')).toMatch(/broken: .*oh no\n?[^]*ok: 1 agent: forecast/)
  })

  it('looks on when the settings cannot be read', async () => {
    const report = await doctor(await projectWith('export default {'))
    expect(report).toMatchObject({ code: 3, ok: false })
    expect(report.of('settings')).toEqual([expect.stringMatching(/^broken: .*stateloop\.config\.mjs/)])
    expect(report.of('agents')).toEqual(['ok: 1 agent: forecast'])
  })

  it('names the packages that parts need, those that do not fit, and another copy of its own', async () => {
    const project = await projectWith('export default {}')
    const install = (name: string, version: string): Promise<void> => project.write(`node_modules/${name}/package.json`, JSON.stringify({ name, version }))
    const look = (): readonly string[] =>
      checkPackages({ root: project.folder }, { version: '1.2.3', peerDependencies: { hono: '^4.13.0', pg: '^8.23.0', '@opentelemetry/sdk-node': '^0.301.0' } }).map(({ status, message }) => `${status}: ${message}`)
    expect(look()).toEqual(['ok: stateloop 1.2.3'])
    await install('hono', '4.14.2')
    await install('pg', '9.0.0')
    await install('@opentelemetry/sdk-node', '0.302.0')
    await install('stateloop', '1.1.0')
    expect(look()).toEqual([
      expect.stringMatching(/^warning: this command is stateloop 1\.2\.3, and the project has 1\.1\.0\. /),
      'broken: pg 9.0.0 is installed, and stateloop 1.2.3 needs ^8.23.0: npm install pg@^8.23.0',
      'broken: @opentelemetry/sdk-node 0.302.0 is installed, and stateloop 1.2.3 needs ^0.301.0: npm install @opentelemetry/sdk-node@^0.301.0',
      'ok: stateloop 1.2.3, hono 4.14.2',
    ])
    await install('hono', '4.12.9')
    await install('pg', '8.23.0')
    expect(look()).toEqual(expect.arrayContaining(['broken: hono 4.12.9 is installed, and stateloop 1.2.3 needs ^4.13.0: npm install hono@^4.13.0', 'ok: stateloop 1.2.3, pg 8.23.0']))
  })

  it('requires the Node that package.json requires', async () => {
    const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly engines: { readonly node: string } }
    expect(engines.node).toBe(`>=${OLDEST_NODE}`)
    expect(['22.9.0', '22.18.9', '22.19.0', '24.0.0'].map((version) => checkNode(version).status)).toEqual(['broken', 'broken', 'ok', 'ok'])
  })
})

describe('endpoints', () => {
  it.each([
    [200, 'ok'],
    [404, 'ok'],
    [401, 'broken'],
    [429, 'warning'],
    [503, 'broken'],
  ])('a server that answers GET /models with %i is %s', async (status, expected) => {
    await using server = await faultServer({ faults: [{ status, body: '{"data":[]}' }] })
    expect(await checkEndpoint(openai({ id: 'local', baseURL: server.url, apiKey: 'test' }), {})).toMatchObject({ area: 'providers', status: expected })
    expect(server.requests.map(({ method, path, headers }) => [method, path, headers['authorization']])).toEqual([['GET', '/v1/models', 'Bearer test']])
  })

  it('a server that is gone, and one that says nothing, cannot be reached', async () => {
    const gone = await faultServer({ faults: [{}] })
    await gone.close()
    expect(await checkEndpoint(openai({ id: 'local', baseURL: gone.url, apiKey: 'test' }), {})).toMatchObject({ status: 'broken', message: expect.stringContaining('ECONNREFUSED') as string })
    await using silent = await faultServer({ faults: [{ connection: 'silence' }] })
    expect(await checkEndpoint(openai({ id: 'local', baseURL: silent.url, apiKey: 'test' }), {}, 50)).toMatchObject({ status: 'broken', message: expect.stringContaining('no answer within 0.05 s') as string })
  })

  it('keeps the key of the environment from servers that the environment does not name', async () => {
    await using server = await faultServer({ faults: [{ status: 401 }] })
    const provider = openai({ baseURL: server.url, apiKey: () => 'from elsewhere' })
    expect(await checkEndpoint(provider, { OPENAI_API_KEY: 'sk-env' })).toMatchObject({ status: 'warning' })
    expect(server.requests[0]?.headers['authorization']).toBeUndefined()
    await checkEndpoint(provider, { OPENAI_API_KEY: 'sk-env', OPENAI_BASE_URL: server.url })
    expect(server.requests[1]?.headers['authorization']).toBe('Bearer sk-env')
  })

  it('asks OpenAI nothing without a key', async () => {
    expect(await checkEndpoint(openai({ baseURL: 'https://api.openai.com/v1' }), {})).toMatchObject({ status: 'ok', message: expect.stringContaining('was not asked') as string })
  })
})

describe('--probe', () => {
  const able: Rule = ({ output, tools }) => (output !== undefined ? replyOutput({ word: 'blue' }) : tools !== undefined ? replyCalls({ name: 'say', args: { word: 'blue' } }) : replyText('blue'))
  const probed = async (rule: Rule): Promise<Awaited<ReturnType<typeof doctor>>> => {
    const server = await scriptedServer({ provider: scripted({ rules: rule }) })
    onTestFinished(() => server.close())
    return doctor(await projectWith(configWith(server.url)), '--probe', 'local/m')
  }

  it('says that structured output, tools and streaming work', async () => {
    const report = await probed(able)
    expect(report.code).toBe(0)
    expect(report.of('probe')).toEqual([...['structured output', 'tools', 'streaming'].map((what) => `ok: local/m: ${what} works`), 'ok: local/m: tokens are counted'])
  })

  it('warns when a server ignores or refuses what it was asked for', async () => {
    const report = await probed((request, context) => (request.output !== undefined ? replyText('blue') : request.tools !== undefined ? replyFailure('invalid_request') : able(request, context)))
    expect(report.code).toBe(0)
    expect(report.of('probe')).toEqual([
      expect.stringMatching(/^warning: local\/m: structured output was asked for, but the reply had none/),
      expect.stringMatching(/^warning: local\/m: the server refuses tools/),
      'ok: local/m: streaming works',
      'ok: local/m: tokens are counted',
    ])
  })

  it('warns when a server counts no tokens', async () => {
    const body = '{"id":"1","object":"chat.completion","model":"m","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"blue"}}]}'
    await using server = await faultServer({ faults: [{ body }] })
    const report = await doctor(await projectWith(configWith(server.url)), '--probe', 'local/m')
    expect(report.of('probe').at(-1)).toMatch(/^warning: local\/m: no tokens were counted with structured output, tools/)
  })

  it('ends with 3 when no call succeeds', async () => {
    const report = await probed(() => replyFailure('overloaded'))
    expect(report.code).toBe(3)
    expect(report.of('probe').every((line) => line.startsWith('broken: '))).toBe(true)
  })

  it('calls no model without it', async () => {
    await using server = await faultServer({ faults: [{ body: '{"data":[]}' }] })
    await doctor(await projectWith(configWith(server.url)))
    expect(server.requests.map(({ method }) => method)).toEqual(['GET'])
  })

  it('refuses a model of no provider', async () => {
    const project = await projectWith('export default {}')
    expect(await project.json('doctor', '--probe', 'nobody/m')).toMatchObject({ code: 2, value: { error: { code: 'usage' } } })
  })
})

describe('the database', () => {
  it('is fine after a run, damaged as text, and lost when only its witness is left', async () => {
    const project = await projectWith('export default {}')
    await project.stateloop(['run', 'forecast', '--question', 'Bern?', '--db', 'runs.db'])
    const healthy = await doctor(project, '--db', 'runs.db')
    expect(healthy.code).toBe(0)
    expect(healthy.of('database')).toEqual([expect.stringMatching(/^ok: .*runs\.db opens, is writable and agrees with its head witness: schema \d+, \d+\.\d MB/)])
    await project.write('text.db', 'this is not a database, however long it may be')
    expect(await doctor(project, '--db', 'text.db')).toMatchObject({ code: 3 })
    await rm(join(project.folder, 'runs.db'))
    const lost = await doctor(project, '--db', 'runs.db')
    expect(lost.code).toBe(3)
    expect(lost.of('database')).toEqual([expect.stringMatching(/^broken: .* is gone, but .*-head says/)])
  })

  it('is broken when it is behind its head witness', async () => {
    const project = await projectWith('export default {}')
    const at = (name: string): string => join(project.folder, name)
    await project.stateloop(['run', 'forecast', '--question', 'Bern?', '--db', 'runs.db'])
    await copyFile(at('runs.db'), at('old.db'))
    await project.stateloop(['run', 'forecast', '--question', 'Basel?', '--db', 'runs.db'])
    await copyFile(at('old.db'), at('runs.db'))
    expect((await doctor(project, '--db', 'runs.db')).of('database')).toEqual([expect.stringMatching(/^broken: .* were acknowledged, but/)])
  })
})

describe('prompts and recordings', () => {
  it('warns when a template changed and the lock did not, and is broken when the lock cannot be read', async () => {
    const project = await projectWith('export default {}')
    await project.write('agents/forecast/agent.mjs', greeter('Greet them.'))
    await project.stateloop(['prompts', 'release'])
    expect((await doctor(project)).of('prompts')).toEqual([expect.stringMatching(/^ok: \d+ prompts? in the code, known to the lock/)])
    await project.write('agents/late/agent.mjs', greeter('Greet them well.').replace("id: 'greeter'", "id: 'late'"))
    expect((await doctor(project)).of('prompts')).toEqual([expect.stringMatching(/^warning: .* is not in the lock/)])
    await project.write('prompts.lock.json', '{')
    expect(await doctor(project)).toMatchObject({ code: 3 })
  })

  it('replays recordings: the same, stale, diverged', async () => {
    const project = await projectWith('export default {}')
    const path = join(project.folder, 'agents/greeter/recordings/hello.jsonl')
    await using runtime = createRuntime({ journal: sqliteJournal({ path: join(project.folder, 'r.db') }), providers: [scripted({ id: 'openai', rules: () => replyText('Hello'), price: { inputUsd: 1, outputUsd: 1 } })] })
    const recorded = agent({ id: 'greeter', model: 'openai/m', prompt: 'Greet them.' })
    const run = await runtime.start(recorded, 'Ada')
    await run.outcome()
    await writeRecording(path, await recordRun(runtime.journal, run.id, recorded))
    await project.write('agents/greeter/agent.mjs', greeter('Greet them.'))
    expect((await doctor(project)).of('recordings')).toEqual(['ok: greeter: 1 recording went as recorded'])
    await project.write('agents/later/agent.mjs', greeter('Greet them warmly.'))
    await project.write('agents/later/recordings/hello.jsonl', await readFile(path, 'utf8'))
    const stale = await doctor(project)
    expect(stale.code).toBe(0)
    expect(stale.of('recordings')[1]).toMatch(/^warning: later: recording hello is stale: /)
    await project.write('agents/other/agent.mjs', greeter('Greet them.', 'output: z.object({ word: z.string() }),'))
    await project.write('agents/other/recordings/hello.jsonl', await readFile(path, 'utf8'))
    const diverged = await doctor(project)
    expect(diverged.code).toBe(3)
    expect(diverged.of('recordings')[2]).toMatch(/^broken: other: recording hello goes another way than recorded: /)
    await writeFile(join(project.folder, 'agents/other/recordings/hello.jsonl'), 'not a recording')
    expect((await doctor(project)).of('recordings')[2]).toMatch(/^broken: (?!other: recording)/)
  })
})
