import { expect, test } from 'vitest'
import { z } from 'zod'
import { setupAgent, withThreads } from '../../src/agent/index.ts'
import { after, done } from './step.ts'

const t = setupAgent({
  id: 'reads',
  models: { fast: 'openai/m' },
  input: z.object({ q: z.string() }),
  context: z.object({ n: z.number() }),
  onFailure: 'failed',
})
const reader = t.createAgent({
  initial: 'asking',
  states: {
    asking: t.model('fast', {
      prompt: 'Hi',
      save: ({ messages }) => ({ n: messages('asking').length }),
      onDone: { cases: [{ when: ({ messages }) => messages('asking').length > 1, to: 'done' }], else: 'failed' },
    }),
    done: t.final({ output: ({ context, messages }) => `${context.n} and ${messages('asking').length}` }),
    failed: t.final({ outcome: 'failed' }),
  },
})
const two = () =>
  [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello' },
  ] as const

test('conditions, saves and outputs read the messages of a thread while a runtime decides', () => {
  expect(withThreads(two, () => after(reader, { q: '' }, done('asking', 'x')))).toMatchObject({ value: 'done', output: '2 and 2' })
})

test('without a runtime every thread is empty, also after one has decided or thrown', () => {
  expect(() =>
    withThreads(two, () => {
      throw new Error('no')
    }),
  ).toThrow('no')
  expect(after(reader, { q: '' }, done('asking', 'x'))).toMatchObject({ value: 'failed', context: { n: 0 } })
})
