// Parameters of one state: they win over those of the model, reach the provider, and are in the step's hash.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent, type Agent } from '../../src/agent/index.ts'
import { listModel, testRuntime } from './harness.ts'

const t = setupAgent({
  id: 'tuned',
  models: { m: { model: 'fake/m', maxOutputTokens: 100, temperature: 0.2, providerOptions: { tier: 'slow', seed: 1 } } },
  input: z.object({}),
  onFailure: 'failed',
})
const plain = { prompt: 'hi', onDone: 'done' } as const
const agentWith = (state: Parameters<typeof t.createAgent>[0]['states'][string]): Agent =>
  t.createAgent({ initial: 'asking', states: { asking: state, done: t.final(), failed: t.final({ outcome: 'failed' }) } } as never) as Agent

const asked = async (made: Agent): Promise<{ readonly params: unknown; readonly providerOptions: unknown; readonly stepHash: unknown }> => {
  const model = listModel(() => ({ text: 'hi' }))
  const { runtime } = testRuntime({ providers: [model] })
  const run = await runtime.start(made, {})
  expect(await run.outcome()).toMatchObject({ outcome: 'done' })
  const [call] = (await runtime.entries(run.id)).flatMap(({ body }) => (body.cause.type === 'attempt' ? (body.cause.outcome.calls ?? []) : []))
  return { params: model.asked[0]?.params, providerOptions: model.asked[0]?.providerOptions, stepHash: call?.stepHash }
}

describe('parameters of a state', () => {
  it('win over those of the model, one by one', async () => {
    const { params, providerOptions } = await asked(agentWith(t.model('m', { ...plain, params: { temperature: 1, stop: ['.'] }, providerOptions: { tier: 'fast' } })))
    expect(params).toEqual({ maxOutputTokens: 100, temperature: 1, stop: ['.'] })
    expect(providerOptions).toEqual({ tier: 'fast', seed: 1 })
  })

  it('change the hash of the step, and nothing else does', async () => {
    const hashes = await Promise.all(
      [{}, { params: { temperature: 0.2 } }, { params: { temperature: 0.3 } }, { providerOptions: { tier: 'fast' } }, { params: { maxOutputTokens: 99 } }].map(
        async (options) => (await asked(agentWith(t.model('m', { ...plain, ...options })))).stepHash,
      ),
    )
    expect(hashes[0]).toBe(hashes[1])
    expect(new Set(hashes).size).toBe(4)
  })

  it('are options of every kind of state that asks a model', async () => {
    const params = { temperature: 0.9 }
    const fallback = await asked(agentWith(t.fallback(['m'], { ...plain, params })))
    const loop = await asked(agentWith(t.loop('m', { ...plain, tools: [], params })))
    for (const { params: sent } of [fallback, loop]) expect(sent).toEqual({ maxOutputTokens: 100, temperature: 0.9 })
  })

  it('count for the cap in USD: a state that asks for more output is refused when one call could pass it', () => {
    const capped = setupAgent({ id: 'capped', models: { m: { model: 'fake/m', maxOutputTokens: 10, price: { inputUsd: 1, outputUsd: 1 } } }, input: z.object({}), limits: { costUsd: 0.001 }, onFailure: 'failed' })
    const make = (maxOutputTokens: number): unknown =>
      capped.createAgent({ initial: 'asking', states: { asking: capped.model('m', { ...plain, params: { maxOutputTokens } }), done: capped.final(), failed: capped.final({ outcome: 'failed' }) } })
    expect(() => make(100)).not.toThrow()
    expect(() => make(2_000)).toThrow('more than limits.costUsd')
  })

  it('that are misspelt or of the wrong type are refused', () => {
    for (const params of [{ temprature: 1 }, { temperature: 'hot' }, { stop: '.' }, 1]) {
      expect(() => agentWith(t.model('m', { ...plain, params: params as never }))).toThrow('params must be an object of maxOutputTokens, temperature, topP, stop, reasoningEffort, verbosity.')
    }
  })
})
