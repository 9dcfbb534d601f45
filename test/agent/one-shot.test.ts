import { describe, expect, test } from 'vitest'
import type { Prompt } from '../../src/prompt/index.ts'
import { z } from 'zod'
import { agent, effectOf, type Agent, type EffectSpec, type ModelSpec } from '../../src/agent/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { after, done, failed, problemsOf } from './step.ts'

const getWeather = defineTool({ description: 'Says the weather.', input: z.object({ city: z.string() }), run: () => 'rain' })
const launch = defineTool({ description: 'Launches.', input: z.object({}), effect: 'irreversible', run: () => 'gone' })
const model = 'openai/gpt-5-mini'
const weather = agent({ id: 'weather', model, prompt: 'Answer questions about the weather.', tools: { getWeather } })

const effects = (made: Agent): { readonly [source: string]: EffectSpec } =>
  Object.fromEntries(Object.entries(made.machine.implementations.actors as { readonly [name: string]: unknown }).map(([name, logic]) => [name, effectOf(logic) as EffectSpec]))

describe('a one-shot agent', () => {
  test('goes from answering to acting and back until it has an answer', () => {
    const asks = done('answering', undefined, ['getWeather'])
    expect(after(weather, 'Rain in Bern?')).toMatchObject({ value: 'answering', context: { input: 'Rain in Bern?' } })
    expect(after(weather, 'Rain in Bern?', asks).value).toBe('acting')
    expect(after(weather, 'Rain in Bern?', asks, done('acting')).value).toBe('answering')
    expect(after(weather, 'Rain in Bern?', asks, done('acting'), done('answering', 'Yes.'))).toMatchObject({ value: 'done', status: 'done', output: 'Yes.' })
    expect(after(weather, 'Rain in Bern?', failed('answering', 'refused'))).toMatchObject({ value: 'failed', status: 'done', output: undefined })
  })

  test('sends its instructions as the system message and the input as the user says it', () => {
    const { prompt, maxVisits } = effects(weather)['model:answering'] as ModelSpec
    const messages = (prompt as Prompt<{ input: string }>).render({ input: 'Rain?' })
    expect(messages).toEqual([
      { role: 'system', content: 'Answer questions about the weather.' },
      { role: 'user', content: 'Rain?' },
    ])
    expect(maxVisits).toBe(16)
  })

  test('has two states less without tools', () => {
    expect(Object.keys(agent({ id: 'plain', model, prompt: 'Help.' }).machine.states)).toEqual(['answering', 'done', 'failed'])
  })

  test('asks a person about tools that cannot be undone and those that are listed', () => {
    const guarded = agent({ id: 'guarded', model, prompt: 'Help.', tools: { getWeather, launch }, approve: ['getWeather'], expiresMs: 5 })
    expect(Object.keys(guarded.machine.states)).toEqual(['answering', 'approving', 'acting', 'done', 'failed'])
    expect(after(guarded, 'Go', done('answering', undefined, ['launch'])).value).toBe('approving')
    expect(after(guarded, 'Go', done('answering', undefined, ['getWeather'])).value).toBe('approving')
    expect(effects(guarded)['approve:approving']).toMatchObject({ tools: { getWeather: {}, launch: {} }, expiresMs: 5 })
  })

  test('takes text and nothing else', () => {
    expect(weather.input['~standard'].validate('Hi' as never)).toEqual({ value: 'Hi' })
    expect(weather.input['~standard'].validate(1 as never)).toEqual({ issues: [{ message: 'expected text, got number' }] })
  })

  test('is refused with everything that is wrong', () => {
    const make = (): unknown => agent({ id: 'a b', model: 'gpt', prompt: 'Help.', tools: { getWeather }, approve: ['getWether'], limits: { costUsd: 1 } } as never)
    expect(problemsOf(make)).toEqual([
      ": 'a b' cannot be the id of an agent. Use letters, digits, _ and -.",
      ": approve names 'getWether', which is not one of the tools. Did you mean 'getWeather'?",
      ": The model 'model' is \"gpt\". Write the provider's id, a slash and the model's name, as in 'openai/gpt-5-mini'.",
    ])
  })
})
