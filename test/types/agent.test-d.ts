// What the compiler infers for agents. Checked by `tsc`, never run.
import { assign } from 'xstate'
import { z } from 'zod'
import { expectTypeOf } from 'vitest'
import { agent, fromModel, fromTool, graphOf, setupAgent, type Agent, type EffectSource, type EventsOf, type InputOf, type OutputOf, type RunView } from '../../src/agent/index.ts'
import { definePrompt } from '../../src/prompt/index.ts'
import { defineRetriever, defineTool, type Document } from '../../src/tool/index.ts'
import { support } from '../agent/fixture/support.ts'

// The agent of the design page.
expectTypeOf<InputOf<typeof support>>().toEqualTypeOf<{ question: string }>()
expectTypeOf<OutputOf<typeof support>>().toEqualTypeOf<string | null>()
expectTypeOf<EventsOf<typeof support>>().toEqualTypeOf<never>()
expectTypeOf(support).toExtend<Agent>()
graphOf(support.machine)

const lookup = defineTool({
  description: 'Looks up.',
  input: z.object({ id: z.string() }),
  output: z.object({ status: z.string() }),
  run: () => ({ status: 'sent' }),
})
const kb = defineRetriever({ search: () => [] })

// One-shot agents.
const plain = agent({ id: 'plain', model: 'openai/m', prompt: 'Help.' })
expectTypeOf(plain).toEqualTypeOf<Agent<string, string, never>>()
const shaped = agent({
  id: 'shaped',
  model: 'openai/m',
  prompt: ({ context }) => context.input.toUpperCase(),
  tools: { lookup },
  approve: ['lookup'],
  output: z.object({ n: z.number() }),
})
expectTypeOf<OutputOf<typeof shaped>>().toEqualTypeOf<{ n: number }>()

const t = setupAgent({
  id: 'shop',
  models: { fast: 'openai/m' },
  tools: { lookup },
  retrievers: { kb },
  agents: { plain, shaped },
  events: { GO: z.object({ by: z.string() }), STOP: z.object({}) },
  input: z.object({ question: z.string(), tone: z.string().default('plain') }),
  context: z.object({
    docs: z.array(z.object({ id: z.string(), text: z.string() })),
    n: z.number(),
    by: z.string(),
    shaped: z.array(z.object({ n: z.number() })),
  }),
  init: ({ input }) => {
    expectTypeOf(input).toEqualTypeOf<{ question: string; tone: string }>()
    return { docs: [] }
  },
})
interface View {
  question: string
  tone: string
  docs: { id: string; text: string }[]
  n?: number
  by?: string
  shaped?: { n: number }[]
}
const docsPrompt = definePrompt({
  id: 'p',
  vars: z.object({ question: z.string(), docs: z.array(z.object({ id: z.string(), text: z.string() })) }),
  messages: '{{question}}{{#each docs}}{{.text}}{{/each}}',
})
const Output = z.object({ kind: z.enum(['a', 'b']), sure: z.boolean(), n: z.number() })

const built = t.createAgent({
  initial: 'asking',
  states: {
    // Variables come from the context: `docs` is set by `init`, so it is surely there.
    asking: t.model('fast', {
      prompt: docsPrompt,
      output: Output,
      save: ({ output, context, messages }) => {
        expectTypeOf(output).toEqualTypeOf<z.infer<typeof Output>>()
        expectTypeOf(context.$run).toEqualTypeOf<RunView>()
        expectTypeOf<typeof context>().toEqualTypeOf<View & { readonly $run: RunView }>()
        expectTypeOf(messages('asking')[0]?.role).toEqualTypeOf<'system' | 'user' | 'assistant' | 'tool' | undefined>()
        return { n: output.n }
      },
      maxVisits: 3,
      onDone: { match: 'kind', to: { a: 'sure', b: 'searching' } },
      onError: { refused: 'failed', '*': 'searching' },
    }),
    sure: t.model('fast', {
      prompt: 'Sure?',
      output: Output,
      onDone: { match: 'sure', to: { true: 'searching', false: 'asking' } },
      onError: { '*': 'failed' },
    }),
    searching: t.retrieve('kb', {
      query: ({ context }) => context.question,
      save: 'docs',
      onDone: {
        cases: [
          {
            when: ({ output }) => {
              expectTypeOf(output).toEqualTypeOf<Document[]>()
              return output.length > 1
            },
            to: 'calling',
          },
        ],
        else: 'running',
      },
      onError: { no_results: 'running', '*': 'failed' },
    }),
    calling: t.tool('lookup', {
      args: ({ context }) => ({ id: context.question }),
      save: ({ output }) => {
        expectTypeOf(output).toEqualTypeOf<{ status: string }>()
        return {}
      },
      onDone: 'running',
      onError: { '*': 'failed' },
    }),
    running: t.code({
      run: async ({ context }, { now, random }) => ({ kind: context.n === now * random() ? ('x' as const) : ('y' as const) }),
      onDone: { match: 'kind', to: { x: 'fanning', y: 'loop' } },
      onError: { '*': 'failed' },
    }),
    fanning: t.each('shaped', { items: ({ context }) => [context.question], save: 'shaped', onDone: 'asking2', onError: { '*': 'failed' } }),
    asking2: t.human({
      on: {
        GO: {
          to: 'loop',
          save: ({ event }) => {
            expectTypeOf(event).toEqualTypeOf<{ readonly type: 'GO'; by: string }>()
            return { by: event.by }
          },
        },
        STOP: 'failed',
      },
      onError: { expired: 'failed', '*': 'failed' },
    }),
    loop: t.loop('fast', {
      prompt: ({ context }) => [{ role: 'user', content: context.question }],
      tools: ['lookup'],
      approve: ['lookup'],
      onDone: 'backup',
      onError: { '*': 'backup' },
    }),
    backup: t.fallback(['fast', { value: { kind: 'a', sure: true, n: 1 } }], {
      prompt: 'Hi',
      output: Output,
      onDone: { match: 'kind', to: { a: 'raw', b: 'raw' } },
    }),
    raw: t.raw({
      on: {
        GO: { target: 'done', guard: ({ context, event }) => context.question === event.by, actions: assign({ n: ({ context }) => context.question.length }) },
      },
      after: { 1000: 'failed' },
    }),
    done: t.final({ output: ({ context }) => ({ ok: true, question: context.question }) }),
    failed: t.final({ outcome: 'failed' }),
  },
})
expectTypeOf<InputOf<typeof built>>().toEqualTypeOf<{ question: string; tone?: string | undefined }>()
expectTypeOf<OutputOf<typeof built>>().toEqualTypeOf<{ readonly ok: true; readonly question: string }>()
expectTypeOf<EventsOf<typeof built>>().toEqualTypeOf<{ readonly type: 'GO'; by: string } | { readonly type: 'STOP' }>()

// An output schema decides the type of the output, and finals must match it.
const typed = setupAgent({ id: 'typed', models: {}, input: z.string(), output: z.object({ list: z.array(z.string()), kind: z.enum(['a', 'b']) }) })
const withOutput = typed.createAgent({
  initial: 'done',
  states: { done: typed.final({ output: ({ context }) => ({ list: [context.input], kind: 'a' }) }), gone: typed.final({ outcome: 'failed' }) },
})
expectTypeOf<OutputOf<typeof withOutput>>().toEqualTypeOf<{ list: string[]; kind: 'a' | 'b' }>()
expectTypeOf<InputOf<typeof withOutput>>().toEqualTypeOf<string>()

// Sources for plain setup().
expectTypeOf(fromModel({ model: 'a/b', prompt: 'Hi' })).toEqualTypeOf<EffectSource<string>>()
expectTypeOf(fromModel({ model: 'a/b', prompt: 'Hi', output: Output, tools: { lookup } })).toEqualTypeOf<EffectSource<z.infer<typeof Output> | undefined>>()
expectTypeOf(fromTool({ name: 'lookup', tool: lookup })).toEqualTypeOf<EffectSource<{ status: string }, { id: string }>>()
