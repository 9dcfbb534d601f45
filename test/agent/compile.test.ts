import { assign, createMachine, type AnyStateMachine } from 'xstate'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { agent, effectOf, fromCode, setupAgent, type EffectSpec, type WaitSpec } from '../../src/agent/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { support } from './fixture/support.ts'
import { after, done, failed } from './step.ts'

const lookup = defineTool({ description: 'Looks up.', input: z.object({ id: z.string() }), run: () => 'found' })
const erase = defineTool({ description: 'Erases.', input: z.object({ id: z.string() }), effect: 'irreversible', run: () => 'gone' })
const child = agent({ id: 'child', model: 'openai/gpt-5-mini', prompt: 'Help.' })

const t = setupAgent({
  id: 'demo',
  version: '2',
  models: { fast: 'openai/gpt-5-mini', slow: { model: 'openai/a/b', maxOutputTokens: 9, temperature: 0 } },
  tools: { lookup, erase },
  agents: { child },
  events: { GO: z.object({ by: z.string() }), STOP: z.object({}) },
  input: z.object({ q: z.string() }),
  context: z.object({ q: z.string(), n: z.number(), text: z.string(), texts: z.array(z.string()), by: z.string() }),
  onFailure: 'failed',
})
const failedState = t.final({ outcome: 'failed' })
const end = { done: t.final({ output: ({ context }) => context.text ?? null }), failed: failedState }
const specOf = (machine: AnyStateMachine, source: string): EffectSpec => effectOf((machine.implementations.actors as { readonly [name: string]: unknown })[source]) as EffectSpec
const value = (...args: Parameters<typeof after>): unknown => after(...args).value

const transitionsOf = (machine: AnyStateMachine): readonly string[] => {
  const walk = (node: AnyStateMachine['root']): readonly string[] => [
    ...[...(node.always ?? []), ...[...node.transitions.values()].flat()].map(({ eventType, guard, target, source }) => JSON.stringify([source.id, eventType, guard, target?.map(({ id }) => id)])),
    ...Object.values(node.states).flatMap((inner) => walk(inner as AnyStateMachine['root'])),
  ]
  return walk(machine.root)
}

describe('a compiled machine', () => {
  test('keeps every transition when its config goes through JSON', () => {
    const again = createMachine(JSON.parse(JSON.stringify(support.machine.config)) as never)
    expect(transitionsOf(again)).toEqual(transitionsOf(support.machine))
    expect(transitionsOf(again).length).toBe(24)
  })

  test('has no functions but the context factory and outputs', () => {
    const functions: string[] = []
    const walk = (node: unknown, path: string): void => {
      if (typeof node === 'function') functions.push(path)
      else if (typeof node === 'object' && node !== null) for (const [key, inner] of Object.entries(node)) walk(inner, `${path}/${key}`)
    }
    walk(support.machine.config, '')
    expect(functions.sort()).toEqual(['/context', '/output', '/states/refused/output', '/states/sent/output', '/states/shortAnswer/states/done/output'])
  })

  test('gives up after a thousand steps without an event', () => expect(support.machine.options.maxIterations).toBe(1000))

  test('names its effects by kind and path, and invokes them by path without input', () => {
    const { states } = support.machine.config as never as {
      readonly states: { readonly answering: { readonly invoke: object; readonly tags: unknown; readonly meta: unknown } }
    }
    expect(states.answering).toMatchObject({ tags: ['model'], meta: { kind: 'model', save: 'answer' }, invoke: { id: 'answering', src: 'model:answering' } })
    expect(states.answering.invoke).not.toHaveProperty('input')
  })

  test('tolerates a context factory without input, and puts an empty view of the run in place', () => {
    expect(after(support, undefined).context).toMatchObject({ $run: { id: '', transitions: 0, visits: {}, threads: {} } })
    expect(after(support, { question: 'Why?' }).context).toMatchObject({ question: 'Why?' })
  })
})

describe('a model state', () => {
  const to = (event: ReturnType<typeof done>): unknown => value(support, { question: 'Why?' }, done('triaging', { intent: 'order' }), event)

  test('is resolved to provider, name and parameters, with 4096 output tokens unless said otherwise', () => {
    expect(specOf(support.machine, 'model:triaging')).toMatchObject({
      model: { alias: 'fast', provider: 'openai', model: 'gpt-5-mini', params: { maxOutputTokens: 4096 } },
      repairs: 1,
    })
    const one = t.createAgent({ initial: 'a', states: { a: t.model('slow', { prompt: 'Hi', onDone: 'done' }), ...end } })
    expect(specOf(one.machine, 'model:a')).toMatchObject({ model: { provider: 'openai', model: 'a/b', params: { maxOutputTokens: 9, temperature: 0 } } })
  })

  test('saves its output and takes the edge of the matching value', () => {
    const snapshot = after(support, { question: 'Why?' }, done('triaging', { intent: 'abuse' }))
    expect(snapshot).toMatchObject({ value: 'refused', status: 'done', output: null, context: { triage: { intent: 'abuse' } } })
  })

  test('sends tool calls on their routes without saving: named tools first, then the rest', () => {
    expect(to(done('answering', undefined, ['lookupOrder', 'refund']))).toBe('approving')
    expect(to(done('answering', undefined, ['lookupOrder']))).toBe('acting')
    expect(to(done('answering', undefined, ['unheard']))).toBe('acting')
    expect(after(support, { question: 'Why?' }, done('triaging', { intent: 'order' }), done('answering', undefined, ['lookupOrder'])).context).not.toHaveProperty('answer')
    expect(to(done('answering', { text: 'So.' }))).toBe('sent')
  })

  test('sends named failures on their routes, others to the wildcard, and in_doubt nowhere', () => {
    expect(to(failed('answering', 'refused'))).toBe('refused')
    expect(to(failed('answering', 'overloaded'))).toEqual({ shortAnswer: '1-fast' })
    expect(value(support, { question: 'Why?' }, failed('triaging', 'auth_failed'))).toBe('failed')
    const acting = [done('triaging', { intent: 'order' }), done('answering', undefined, ['lookupOrder'])]
    expect(after(support, { question: 'Why?' }, ...acting, failed('acting', 'in_doubt'))).toMatchObject({ value: 'acting' })
  })

  test('enters itself again when a route leads back to it', () => {
    const retrying = t.createAgent({
      initial: 'a',
      states: { a: t.model('fast', { prompt: 'Hi', maxVisits: 2, onDone: 'done', onError: { timeout: 'a' } }), ...end },
    })
    const [first, second] = [after(retrying, { q: '' }), after(retrying, { q: '' }, failed('a', 'timeout'))]
    expect(second.value).toBe('a')
    expect(JSON.stringify(retrying.machine.config)).toContain('"target":"#demo.a","reenter":true')
    expect(second.children['a']).not.toBe(first.children['a'])
  })

  test('decides by conditions that see output and context', () => {
    const cases = t.createAgent({
      initial: 'a',
      states: {
        a: t.model('fast', {
          prompt: 'Hi',
          output: z.object({ n: z.number() }),
          save: ({ output }) => ({ n: output.n }),
          onDone: { cases: [{ when: ({ output, context }) => output.n > context.q.length, label: 'long', to: 'done' }], else: 'failed' },
        }),
        ...end,
      },
    })
    expect(after(cases, { q: 'ab' }, done('a', { n: 3 }))).toMatchObject({ value: 'done', context: { n: 3 } })
    expect(value(cases, { q: 'ab' }, done('a', { n: 2 }))).toBe('failed')
    expect(Object.keys(cases.machine.implementations.guards)).toContain('a/long')
  })
})

describe('states with parts inside', () => {
  test('a fallback goes from model to model to its value, and saves what it ends with', () => {
    const answering = [done('triaging', { intent: 'order' }), failed('answering', 'timeout')] as const
    expect(after(support, { question: 'Why?' }, ...answering, done('shortAnswer.1-fast', { text: 'Short.' }))).toMatchObject({
      value: 'sent',
      output: 'Short.',
    })
    expect(after(support, { question: 'Why?' }, ...answering, failed('shortAnswer.1-fast', 'timeout'))).toMatchObject({
      value: 'sent',
      output: 'A person will answer today.',
    })
    const two = t.createAgent({
      initial: 'a',
      states: { a: t.fallback(['fast', 'slow'], { prompt: 'Hi', save: 'text', onDone: 'done', onError: { timeout: 'done' } }), ...end },
    })
    const start = { q: '' }
    expect(value(two, start)).toEqual({ a: '1-fast' })
    expect(value(two, start, failed('a.1-fast', 'refused'))).toEqual({ a: '2-slow' })
    expect(value(two, start, failed('a.1-fast', 'refused'), failed('a.2-slow', 'timeout'))).toBe('done')
    expect(value(two, start, failed('a.1-fast', 'refused'), failed('a.2-slow', 'refused'))).toBe('failed')
  })

  test('a loop asks, acts, approves what cannot be undone, and passes its output on', () => {
    const loop = t.createAgent({
      initial: 'work',
      states: { work: t.loop('fast', { prompt: 'Hi', tools: ['lookup', 'erase'], save: 'text', onDone: 'done' }), ...end },
    })
    const start = { q: '' }
    expect(value(loop, start)).toEqual({ work: 'asking' })
    expect(value(loop, start, done('work.asking', undefined, ['lookup']))).toEqual({ work: 'acting' })
    expect(value(loop, start, done('work.asking', undefined, ['lookup', 'erase']))).toEqual({ work: 'approving' })
    expect(value(loop, start, done('work.asking', undefined, ['erase']), done('work.approving', 'approved'))).toEqual({ work: 'acting' })
    expect(value(loop, start, done('work.asking', undefined, ['erase']), done('work.approving', 'rejected'))).toEqual({ work: 'asking' })
    expect(after(loop, start, done('work.asking', 'All done.'))).toMatchObject({ value: 'done', output: 'All done.' })
    expect(specOf(loop.machine, 'model:work.asking')).toMatchObject({ maxVisits: 16 })
    expect(Object.keys((specOf(loop.machine, 'approve:work.approving') as { readonly tools: object }).tools)).toEqual(['erase'])
  })

  test('regions run side by side, and names resolve outwards', () => {
    const region = (name: string): ReturnType<typeof t.region> => t.region({ initial: 'ask', states: { ask: t.model('fast', { prompt: name, onDone: 'found', onError: { timeout: 'done' } }), found: t.final() } }) as never
    const both = t.createAgent({
      initial: 'gather',
      states: { gather: t.parallel({ states: { left: region('l'), right: region('r') }, onDone: 'done' }), ...end },
    })
    const start = { q: '' }
    expect(value(both, start)).toEqual({ gather: { left: 'ask', right: 'ask' } })
    expect(value(both, start, done('gather.left.ask'))).toEqual({ gather: { left: 'found', right: 'ask' } })
    expect(value(both, start, done('gather.left.ask'), done('gather.right.ask'))).toBe('done')
    expect(value(both, start, failed('gather.right.ask', 'timeout'))).toBe('done')
  })

  test('a group leads on by the output of its final state', () => {
    const grouped = t.createAgent({
      initial: 'g',
      states: {
        g: t.group({
          initial: 'ask',
          states: {
            ask: t.model('fast', { prompt: 'Hi', save: 'text', onDone: 'done', onError: { '*': 'failed' } }),
            done: t.final({ output: () => ({ ok: true }) }),
            failed: t.final({ output: () => ({ ok: false }) }),
          },
          onDone: { match: 'ok', to: { true: 'done', false: 'failed' } },
        }),
        ...end,
      },
    })
    expect(value(grouped, { q: '' }, done('g.ask', 'x'))).toBe('done')
    expect(value(grouped, { q: '' }, failed('g.ask', 'timeout'))).toBe('failed')
  })
})

describe('other kinds of state', () => {
  test('people and deciding models lead on by event, where its condition holds', () => {
    const gate = t.createAgent({
      initial: 'asking',
      states: {
        asking: t.human({
          on: { GO: { to: 'deciding', when: ({ event }) => event.by !== '', save: ({ event }) => ({ by: event.by }) }, STOP: 'failed' },
          expiresMs: 5,
        }),
        deciding: t.decide('fast', { prompt: 'Which?', on: { GO: 'asking', STOP: { to: 'done', description: 'Enough.' } }, maxVisits: 3 }),
        ...end,
      },
    })
    expect(after(gate, { q: '' }, { type: 'GO', by: 'ann' } as never)).toMatchObject({ value: 'deciding', context: { by: 'ann' } })
    expect(value(gate, { q: '' }, { type: 'GO', by: '' } as never)).toBe('asking')
    expect(value(gate, { q: '' }, failed('asking', 'expired'))).toBe('failed')
    expect(value(gate, { q: '' }, { type: 'GO', by: 'ann' } as never, { type: 'STOP' })).toBe('done')
    expect(specOf(gate.machine, 'human:asking')).toMatchObject({ kind: 'human', accepts: ['GO', 'STOP'], expiresMs: 5 })
    expect(specOf(gate.machine, 'decide:deciding')).toMatchObject({ kind: 'decide', events: { STOP: { description: 'Enough.' }, GO: { description: '' } } })
  })

  test('code, waiting, choosing, children and calls of the author carry what they need', () => {
    const all = t.createAgent({
      initial: 'waiting',
      states: {
        waiting: t.wait({ ms: 50, onDone: 'computing' }),
        computing: t.code({ run: ({ context }) => context.q.length, save: 'n', onDone: 'choosing' }),
        choosing: t.choose({ cases: [{ when: ({ context }) => (context.n ?? 0) > 1, label: 'many', to: 'each' }], else: 'one' }),
        one: t.agent('child', { input: ({ context }) => context.q, save: 'text', onDone: 'calling' }),
        each: t.each('child', { items: ({ context }) => [context.q], save: 'texts', onDone: 'calling' }),
        calling: t.tool('lookup', { args: ({ context }) => ({ id: context.q }), onDone: 'approving' }),
        approving: t.approve({ call: { tool: 'erase', args: ({ context }) => ({ id: context.q }) }, onApproved: 'erasing', onRejected: 'done' }),
        erasing: t.tool('erase', { args: ({ context }) => ({ id: context.q }), onDone: 'done' }),
        ...end,
      },
    })
    const [wait, code] = [done('waiting'), done('computing', 2)]
    expect(value(all, { q: 'ab' }, wait, code)).toBe('each')
    expect(value(all, { q: 'ab' }, wait, done('computing', 1))).toBe('one')
    expect(after(all, { q: 'ab' }, wait, code, done('each', ['x']))).toMatchObject({ value: 'calling', context: { texts: ['x'] } })
    expect(specOf(all.machine, 'each:each')).toMatchObject({ concurrency: 4, maxItems: 100 })
    expect(specOf(all.machine, 'approve:approving')).toMatchObject({ call: { name: 'erase' } })
    expect((specOf(all.machine, 'wait:waiting') as WaitSpec).ms(undefined as never)).toBe(50)
  })

  test('raw states keep what XState can do; their targets resolve like those of every other state', () => {
    const raw = t.createAgent({
      initial: 'outer',
      states: {
        outer: t.raw({
          initial: 'idle',
          states: {
            idle: { on: { GO: 'busy' }, after: { 10: '#demo.done' } },
            busy: { invoke: { src: fromCode({ run: () => 1 }), onDone: { target: 'done', actions: assign({ n: 7 }) }, onError: 'idle' } },
          },
          on: { STOP: 'failed' },
        }),
        ...end,
      },
    })
    expect(value(raw, { q: '' })).toEqual({ outer: 'idle' })
    expect(value(raw, { q: '' }, { type: 'xstate.after.10.demo.outer.idle' })).toBe('done')
    expect(value(raw, { q: '' }, { type: 'STOP' })).toBe('failed')
    const going = { type: 'GO', by: '' } as never
    expect(after(raw, { q: '' }, going, done('outer.busy'))).toMatchObject({ value: 'done', context: { n: 7 } })
    expect(value(raw, { q: '' }, going, failed('outer.busy', 'code_failed'))).toEqual({ outer: 'idle' })
    expect(specOf(raw.machine, 'code:outer.busy')).toMatchObject({ kind: 'code' })
  })
})
