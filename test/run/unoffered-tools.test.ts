import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent } from '../../src/agent/index.ts'
import { listModel, testRuntime, type Turn } from './harness.ts'

describe('a model that calls tools which nobody offered', () => {
  const calls = { calls: [{ id: 'c', name: 'lookup', args: {} }] }
  const sorter = () => {
    const t = setupAgent({ id: 'sorter', models: { fast: 'fake/m' }, events: { YES: z.object({}) }, input: z.object({ question: z.string() }), onFailure: 'failed' })
    return t.createAgent({
      initial: 'sorting',
      states: {
        sorting: t.model('fast', { prompt: 'Sort.', output: z.object({ topic: z.enum(['order', 'other']) }), onDone: { match: 'topic', to: { order: 'deciding', other: 'done' } } }),
        deciding: t.decide('fast', { prompt: 'Decide.', on: { YES: 'saying' } }),
        saying: t.model('fast', { prompt: 'Say.', onDone: 'done', onError: { malformed_response: 'failed' } }),
        done: t.final(),
        failed: t.final({ outcome: 'failed' }),
      },
    })
  }
  const [order, yes, said] = [{ text: '{"topic":"order"}' }, { text: '{"choice":{"event":"YES","payload":{}}}' }, { text: 'yes' }]
  const end = async (turns: readonly Turn[]) => {
    const { runtime, clock } = testRuntime({ providers: [listModel(turns)] })
    const run = await runtime.start(sorter(), { question: 'x' })
    await clock.advance(60_000)
    return run.outcome()
  }

  it('is asked once more', async () => {
    expect(await end([calls, order, calls, yes, calls, said])).toMatchObject({ outcome: 'done', modelCalls: 6 })
  })

  it.each([
    ['sorts', [calls, calls]],
    ['decides', [order, calls, calls]],
    ['says something', [order, yes, calls, calls]],
  ])('fails as malformed when it stays so while it %s', async (_what, turns) => {
    expect(await end(turns)).toMatchObject({ outcome: 'failed', failure: { code: 'malformed_response', message: expect.stringContaining('calls lookup, but it was offered no tools') as string } })
  })
})
