import { expect, test } from 'vitest'
import { z } from 'zod'
import { agent, setupAgent, type Agent } from '../../src/agent/index.ts'
import { defineTool } from '../../src/tool/index.ts'

interface Variation {
  readonly prompt?: string
  readonly model?: `${string}/${string}`
  readonly describe?: string
  readonly arg?: 'id' | 'order'
  readonly effect?: 'none' | 'reversible'
  readonly save?: 'text' | 'other'
  readonly onError?: object
  readonly maxVisits?: number
  readonly costUsd?: number
  readonly reply?: string
  readonly stateDescription?: string
}

const made = (change: Variation = {}): Agent => {
  const lookup = defineTool({
    description: change.describe ?? 'Looks up.',
    input: z.object({ [change.arg ?? 'id']: z.string().describe(change.describe ?? 'An id.') }),
    effect: change.effect ?? 'none',
    run: () => change.reply ?? 'found',
  })
  const t = setupAgent({
    id: 'shop',
    models: { fast: { model: change.model ?? 'openai/gpt-5-mini', price: { inputUsd: 1, outputUsd: 1 } } },
    tools: { lookup },
    input: z.object({ q: z.string() }),
    context: z.object({ text: z.string(), other: z.string() }),
    limits: { costUsd: change.costUsd ?? 1 },
    onFailure: 'failed',
  })
  return t.createAgent({
    initial: 'asking',
    states: {
      asking: t.model('fast', {
        description: change.stateDescription ?? 'Asks.',
        prompt: change.prompt ?? 'Hi',
        tools: ['lookup'],
        onTools: 'acting',
        save: change.save ?? 'text',
        maxVisits: change.maxVisits ?? 3,
        onDone: 'done',
        onError: change.onError ?? {},
      }),
      acting: t.tools({ onDone: 'asking' }),
      done: t.final({ output: () => change.reply }),
      failed: t.final({ outcome: 'failed' }),
    },
  } as never)
}

const original = made()

test('the hash is the same for the same agent, made twice', () => {
  expect(made().hash).toBe(original.hash)
  expect(original.hash).toMatch(/^[0-9a-f]{64}$/)
})

test.each<[string, Variation]>([
  ['the text of a prompt', { prompt: 'Hello' }],
  ['the model', { model: 'other/model' }],
  ['a description of a tool or argument', { describe: 'Finds.' }],
  ['the body of a tool', { reply: 'nothing' }],
  ['a limit', { costUsd: 2 }],
  ['a visit limit', { maxVisits: 9 }],
  ['the description of a state', { stateDescription: 'Wonders.' }],
])('%s is not part of the hash', (_what, change) => expect(made(change).hash).toBe(original.hash))

test.each<[string, Variation]>([
  ['an argument of a tool', { arg: 'order' }],
  ['the effect of a tool', { effect: 'reversible' }],
  ['a saved field', { save: 'other' }],
  ['a transition', { onError: { timeout: 'done' } }],
])('%s is part of the hash', (_what, change) => expect(made(change).hash).not.toBe(original.hash))

test('the definition shows what the hash covers', () => {
  expect(original.definition).toMatchObject({
    machine: {
      initial: 'asking',
      states: { asking: { kind: 'model', save: 'text', invoke: { id: 'asking', src: 'model:asking' } }, failed: { type: 'final', outcome: 'failed' } },
    },
    effects: { asking: { kind: 'model', tools: ['lookup'] }, acting: { kind: 'tools', tools: ['lookup'] } },
    tools: { lookup: { effect: 'none', input: { type: 'object', properties: { id: { type: 'string' } }, required: ['id'] } } },
  })
  expect(JSON.stringify(original.definition)).not.toContain('description')
})

test('the structure of a child agent is part of the hash of its parent', () => {
  const parent = (child: Agent<string, string, never>): Agent => {
    const t = setupAgent({ id: 'parent', models: {}, agents: { child }, input: z.object({ q: z.string() }), onFailure: 'failed' })
    return t.createAgent({
      initial: 'a',
      states: { a: t.agent('child', { input: ({ context }) => context.q, onDone: 'done' }), done: t.final(), failed: t.final({ outcome: 'failed' }) },
    })
  }
  const tools = { lookup: defineTool({ description: 'Looks up.', input: z.object({}), run: () => 1 }) }
  const plain = agent({ id: 'child', model: 'openai/m', prompt: 'Help.' })
  expect(parent(agent({ id: 'child', model: 'openai/m', prompt: 'Serve.' })).hash).toBe(parent(plain).hash)
  expect(parent(agent({ id: 'child', model: 'openai/m', prompt: 'Help.', tools })).hash).not.toBe(parent(plain).hash)
})
