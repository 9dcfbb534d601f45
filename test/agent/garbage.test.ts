import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { setupAgent } from '../../src/agent/index.ts'
import { FailureError } from '../../src/failure/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { problemsOf } from './step.ts'

const lookup = defineTool({ description: 'Looks up.', input: z.object({ id: z.string() }), effect: 'irreversible', run: () => 'found' })
const setup = { id: 'shop', models: { fast: 'openai/m' }, tools: { lookup }, events: { GO: z.object({}) }, input: z.object({ q: z.string() }), onFailure: 'failed' }
const kinds = ['model', 'tools', 'tool', 'retrieve', 'rerank', 'fallback', 'decide', 'approve', 'human', 'loop', 'agent', 'each', 'code', 'choose', 'wait', 'group', 'parallel', 'region', 'final', 'raw']
const named = new Set(['model', 'tool', 'retrieve', 'rerank', 'fallback', 'decide', 'loop', 'agent', 'each'])
const options = ['onDone', 'onError', 'onTools', 'tools', 'save', 'prompt', 'vars', 'cases', 'else', 'on', 'states', 'initial', 'output', 'call', 'approve', 'always', 'invoke', 'after', 'type', 'id', 'ms', 'expiresMs']
type Anything = { readonly [name: string]: (...args: readonly unknown[]) => unknown }

const value = fc.oneof(
  fc.constantFrom('done', 'a', 'fast', 'lookup', '*', 'q'),
  fc.anything({ maxDepth: 2 }),
  fc.constantFrom([], {}, { '*': 'done' }, ['lookup'], { GO: 'done' }, () => 'x'),
)
const state = fc.record({ kind: fc.constantFrom(...kinds), first: fc.oneof(fc.constantFrom('fast', 'lookup', ['fast', { value: 1 }]), fc.anything()), options: fc.dictionary(fc.constantFrom(...options), value) })

test('whatever a state is made of, an author sees a list of problems and never a crash', () => {
  fc.assert(
    fc.property(fc.array(state, { minLength: 1, maxLength: 3 }), (made) => {
      const t = setupAgent(setup as never) as never as Anything
      const states = Object.fromEntries(made.map(({ kind, first, options: given }, index) => [String.fromCodePoint(97 + index), named.has(kind) ? t[kind]!(first, given) : t[kind]!(given)]))
      try {
        t['createAgent']!({ initial: 'a', states: { ...states, done: t['final']!(), failed: t['final']!() } })
      } catch (error) {
        if (!(error instanceof FailureError)) throw error
        expect(error.code).toBe('agent_invalid')
      }
    }),
    { numRuns: 3000, seed: 11 },
  )
})

test('parts in the wrong place are named before anything is compiled', () => {
  const wrong = { ...setup, tools: { lookup: () => 1 }, retrievers: { kb: lookup }, events: { GO: {} }, input: undefined, output: 'text', onFailur: 'failed' }
  expect(problemsOf(() => setupAgent(wrong as never).createAgent({ initial: 'a', states: {} } as never))).toEqual([
    ": setupAgent has no option 'onFailur'. Did you mean 'onFailure'?",
    ': input must be a schema of what start takes, such as z.object({ question: z.string() }).',
    ': output must be a schema.',
    ': tools.lookup is not one of the tools. Make it with defineTool.',
    ': retrievers.kb is not one of the retrievers. Make it with defineRetriever.',
    ': events.GO is not one of the events. Give a schema of its payload, such as z.object({}).',
  ])
})
