import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { agent, ejectAgent, promptsOf, setupAgent, type Agent } from '../../src/agent/index.ts'
import { definePrompt } from '../../src/prompt/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { compileFolder } from '../types/compile.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const getWeather = defineTool({ description: 'Says the weather.', input: z.object({ city: z.string() }), run: () => 'rain' })
const launch = defineTool({ description: 'Launches.', input: z.object({}), effect: 'irreversible', run: () => 'gone' })

// The module that holds what is not data: the same definitions as above, as an author would keep them.
const parts = `import { definePrompt, defineTool } from 'stateloop'
import { z } from 'zod'
export const getWeather = defineTool({ description: 'Says the weather.', input: z.object({ city: z.string() }), run: () => 'rain' })
export const _launch_now = defineTool({ description: 'Launches.', input: z.object({}), effect: 'irreversible', run: () => 'gone' })
export const output = z.object({ text: z.string() })
export const prompt = definePrompt({ id: 'ask', vars: z.object({ input: z.string() }), messages: '{{input}}' })
`

const agents: { readonly [file: string]: Agent } = {
  plain: agent({ id: 'plain', model: 'openai/gpt-5-mini', prompt: `Say "it's" and \\ so {{on}},\nthen stop.` }),
  weather: agent({
    id: 'weather',
    version: '1.2',
    model: { model: 'openai/gpt-5', temperature: 0.5, maxOutputTokens: 50 },
    prompt: 'Help.',
    tools: { getWeather },
    limits: { modelCalls: 5 },
    retry: { attempts: 2 },
  }),
  guarded: agent({
    id: 'guarded',
    model: 'openai/gpt-5-mini',
    prompt: definePrompt({ id: 'ask', vars: z.object({ input: z.string() }), messages: '{{input}}' }),
    tools: { getWeather, 'launch now': launch },
    approve: ['getWeather'],
    expiresMs: 60_000,
    parallel: 2,
    maxVisits: 4,
    timeout: { totalMs: 5_000 },
    cache: { ttlMs: 60_000 },
    breaker: false,
    limiter: { concurrency: 2 },
    output: z.object({ text: z.string() }),
  }),
}

let folder: string
beforeAll(async () => {
  await mkdir(join(root, '.stateloop'), { recursive: true })
  folder = await mkdtemp(join(root, '.stateloop', 'ejected-'))
  await writeFile(join(folder, 'parts.ts'), parts)
  await Promise.all(Object.entries(agents).map(([name, made]) => writeFile(join(folder, `${name}.ts`), ejectAgent(made))))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('what is printed compiles', { timeout: 60_000 }, async () => {
  expect(await compileFolder(folder)).toEqual({})
})

test.each(Object.entries(agents))('the printed %s is the same machine with the same prompt', { timeout: 30_000 }, async (name, made) => {
  const script = `const { default: ejected } = await import(${JSON.stringify(join(folder, `${name}.ts`))}); const { promptsOf } = await import('./src/agent/index.ts'); console.log(JSON.stringify({ hash: ejected.hash, definition: ejected.definition, limits: ejected.limits, prompts: promptsOf(ejected).map(({ id, hash }) => ({ id, hash })) }))`
  const { stdout } = await promisify(execFile)(process.execPath, ['--conditions=stateloop-source', '--input-type=module', '-e', script], { cwd: root })
  const ejected = JSON.parse(stdout) as Pick<Agent, 'hash' | 'definition' | 'limits'> & { readonly prompts: unknown }
  expect(ejected.definition).toEqual(JSON.parse(JSON.stringify(made.definition)))
  expect(ejected.hash).toBe(made.hash)
  expect(ejected.limits).toEqual(made.limits)
  expect(ejected.prompts).toEqual(promptsOf(made).map(({ id, hash }) => ({ id, hash })))
})

test('what is printed reads like the builder', () => {
  expect(ejectAgent(agents['weather']!, { from: '../tools.ts' })).toBe(`import { definePrompt, setupAgent } from 'stateloop'
import { z } from 'zod'
import { getWeather } from '../tools.ts' // where you keep what is not data

const t = setupAgent({
  id: 'weather',
  version: '1.2',
  models: { model: { model: 'openai/gpt-5', temperature: 0.5, maxOutputTokens: 50 } },
  tools: { getWeather },
  input: z.string(),
  context: z.object({ input: z.string(), answer: z.string() }),
  limits: { modelCalls: 5 },
  onFailure: 'failed',
})

export default t.createAgent({
  initial: 'answering',
  states: {
    answering: t.model('model', {
      prompt: definePrompt({ id: 'weather/answering', vars: z.object({ input: z.string() }), messages: [{ role: 'system', content: 'Help.' }, { role: 'user', content: '{{input}}' }] }),
      save: 'answer',
      tools: ['getWeather'],
      onTools: 'acting',
      maxVisits: 16,
      retry: { attempts: 2 },
      onDone: 'done',
    }),
    acting: t.tools({ onDone: 'answering' }),
    done: t.final({ output: ({ context }) => context.answer! }),
    failed: t.final({ outcome: 'failed' }),
  },
})
`)
})

test('an agent of the builder has nothing to eject', () => {
  const t = setupAgent({ id: 'built', models: {}, input: z.object({}) })
  const built = t.createAgent({ initial: 'done', states: { done: t.final() } })
  expect(() => ejectAgent(built)).toThrow("usage: The agent 'built' was not made with agent({ … }), so it has no other form")
})
