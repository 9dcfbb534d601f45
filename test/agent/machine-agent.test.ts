import { describe, expect, expectTypeOf, test } from 'vitest'
import { assign, fromPromise, setup } from 'xstate'
import { z } from 'zod'
import {
  calledTools,
  effectOf,
  failedWith,
  fromAgent,
  fromApproval,
  fromCode,
  fromEach,
  fromHuman,
  fromModel,
  fromReranker,
  fromRetriever,
  fromTool,
  fromTools,
  fromWait,
  agent,
  machineAgent,
  type Agent,
  type CallbackArgs,
  type CodeSpec,
  type ModelSpec,
  type RerankSpec,
  type RetrieveSpec,
} from '../../src/agent/index.ts'
import { defineReranker, defineRetriever, defineTool, type Document } from '../../src/tool/index.ts'
import { after, done, failed, problemsOf } from './step.ts'

const lookup = defineTool({
  description: 'Looks up.',
  input: z.object({ id: z.string() }),
  output: z.object({ status: z.string() }),
  run: () => ({ status: 'sent' }),
})
const Reply = z.object({ text: z.string(), sure: z.boolean() })

const answer = fromModel({
  model: 'openai/gpt-5-mini',
  input: z.object({ question: z.string() }),
  prompt: ({ input }) => `Answer: ${input.question}`,
  output: Reply,
  tools: { lookup },
  maxVisits: 5,
})

const machine = setup({
  types: {
    context: {} as { question: string; text: string },
    input: {} as { question: string },
    output: {} as { text: string },
    events: {} as { type: 'GO'; by: string },
  },
  actors: { answer, act: fromTools({ tools: { lookup } }), look: fromTool({ name: 'lookup', tool: lookup }), ask: fromHuman({ accepts: ['GO'] }) },
}).createMachine({
  id: 'plain',
  context: ({ input }) => ({ question: input.question, text: '' }),
  initial: 'asking',
  output: ({ context }) => ({ text: context.text }),
  states: {
    asking: {
      invoke: {
        src: 'answer',
        id: 'asking',
        input: ({ context }) => ({ question: context.question }),
        onDone: [
          { guard: calledTools(), target: 'acting' },
          { guard: ({ event }) => event.output?.sure === true, target: 'done', actions: assign({ text: ({ event }) => event.output?.text ?? '' }) },
          { target: 'waiting' },
        ],
        onError: [
          { guard: failedWith('refused', 'content_filtered'), target: 'done' },
          { guard: failedWith(), target: 'looking' },
        ],
      },
    },
    acting: { invoke: { src: 'act', id: 'acting', onDone: 'asking', onError: 'done' } },
    looking: {
      invoke: {
        src: 'look',
        id: 'looking',
        input: { id: '1' },
        onDone: { target: 'done', actions: assign({ text: ({ event }) => event.output.status }) },
        onError: 'done',
      },
    },
    waiting: { invoke: { src: 'ask', id: 'waiting', onError: 'done' }, on: { GO: { target: 'done', actions: assign({ text: ({ event }) => event.by }) } } },
    done: { type: 'final' },
  },
})
const plain = machineAgent({
  machine,
  input: z.object({ question: z.string() }),
  output: z.object({ text: z.string() }),
  events: { GO: z.object({ by: z.string() }) },
  limits: { modelCalls: 3 },
})
const start = { question: 'Why?' }

describe('a machine made with plain setup()', () => {
  test('is an agent with its id, types and limits', () => {
    expect(plain).toMatchObject({ kind: 'agent', id: 'plain', limits: { modelCalls: 3 } })
    expect(plain.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(plain.machine.options.maxIterations).toBe(1000)
    expectTypeOf(plain).toEqualTypeOf<Agent<{ question: string }, { text: string }, { readonly type: 'GO'; by: string }>>()
  })

  test('moves by the outcomes of our effects', () => {
    expect(after(plain, start, done('asking', { text: 'So.', sure: true }))).toMatchObject({ status: 'done', output: { text: 'So.' } })
    expect(after(plain, start, done('asking', undefined, ['lookup'])).value).toBe('acting')
    expect(after(plain, start, done('asking', { text: '', sure: false })).value).toBe('waiting')
    expect(after(plain, start, done('asking', { text: '', sure: false }), { type: 'GO', by: 'ann' } as never)).toMatchObject({ output: { text: 'ann' } })
    expect(after(plain, start, failed('asking', 'refused'))).toMatchObject({ value: 'done', output: { text: '' } })
    expect(after(plain, start, failed('asking', 'timeout')).value).toBe('looking')
    expect(after(plain, start, failed('asking', 'timeout'), done('looking', { status: 'sent' }))).toMatchObject({ output: { text: 'sent' } })
  })

  test('types the outputs that its transitions read', () => {
    expectTypeOf<(typeof answer)['effect']['kind']>().toBeString()
    expectTypeOf(fromModel({ model: 'a/b', prompt: 'Hi' })).toExtend<{ readonly effect: unknown }>()
    // @ts-expect-error the schema gives less than the machine takes
    machineAgent({ machine, input: z.object({}) })
  })

  test('keeps its own limit on steps without an event', () => {
    const own = setup({}).createMachine({ id: 'own', initial: 'a', states: { a: { type: 'final' } }, options: { maxIterations: 7 } })
    expect(machineAgent({ machine: own, input: z.object({}) }).machine.options.maxIterations).toBe(7)
  })

  test('meets the checks of every agent', () => {
    const bad = setup({ actors: { promised: fromPromise(() => Promise.resolve(1)), answer } }).createMachine({
      id: 'bad',
      initial: 'a',
      states: {
        a: { invoke: { src: 'answer', input: { question: '' }, onDone: 'b' }, on: { '*': 'c' } },
        b: { invoke: { src: 'promised', onDone: 'a' } },
        c: {},
      },
    })
    expect(problemsOf(() => machineAgent({ machine: bad, input: z.object({}) }))).toEqual([
      "a: A transition on '*' also swallows the failures of every effect. Name the events.",
      "b: The actor '0.bad.b' is neither one of Stateloop's nor a machine, so its results would not be journaled. Use fromCode, fromTool or t.code.",
      expect.stringContaining("a: Failures of '0.bad.a' lead nowhere: rate_limited,"),
      ': No state is final, so no run can end. Add one: done: t.final({ output: … }).',
    ])
  })
})

describe('actor sources', () => {
  const args = (input: unknown): CallbackArgs<never> => ({ input, context: {}, messages: () => [] }) as never
  const search = defineRetriever({ search: () => [] })
  const order = defineReranker({ rank: ({ documents }) => documents })
  const child = agent({ id: 'child', model: 'openai/m', prompt: 'Help.' })

  test('read what they work on from invoke.input', () => {
    const docs: readonly Document[] = [{ id: '1', text: 'x' }]
    expect((effectOf(fromRetriever({ name: 'kb', retriever: search })) as RetrieveSpec).query(args({ query: 'q' }))).toBe('q')
    expect((effectOf(fromReranker({ name: 'rr', reranker: order })) as RerankSpec).documents(args({ query: 'q', documents: docs }))).toBe(docs)
    expect(effectOf(fromWait({ ms: 5 }))).toMatchObject({ kind: 'wait' })
    expect(effectOf(fromApproval({ tools: { lookup }, expiresMs: 5 }))).toMatchObject({ kind: 'approve', expiresMs: 5 })
    expect(effectOf(fromAgent({ agent: child }))).toMatchObject({ kind: 'agent', agent: child })
    expect(effectOf(fromEach({ agent: child }))).toMatchObject({ kind: 'each', concurrency: 4, maxItems: 100 })
  })

  test('validate what they work on where a schema is given', () => {
    const { prompt } = effectOf(answer) as ModelSpec
    const render = prompt as (given: CallbackArgs<never>) => unknown
    expect(render(args({ question: 'Why?' }))).toBe('Answer: Why?')
    expect(() => render(args({ question: 1 }))).toThrow('invalid_input: The input of an invoked actor does not match its schema: question')
    const code = effectOf(fromCode({ input: z.object({ n: z.number() }), run: ({ input }) => input.n * 2 })) as CodeSpec
    expect(code.run(args({ n: 2 }) as never, {} as never)).toBe(4)
  })

  test('refuse a model that is not provider/model', () => expect(() => fromModel({ model: 'gpt' as never, prompt: 'Hi' })).toThrow('agent_invalid: The model \'gpt\' is "gpt".'))
})
