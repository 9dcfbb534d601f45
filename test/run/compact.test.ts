import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent } from '../../src/agent/index.ts'
import { memoryJournal } from '../../src/journal/index.ts'
import type { ModelRequest } from '../../src/model/index.ts'
import { adder, copyPrefix, listModel, testRuntime, type Turn } from './harness.ts'

const price = { inputUsd: 1, outputUsd: 2 }

const t = setupAgent({
  id: 'long',
  models: { talker: { model: 'fake/talker', price }, summer: { model: 'fake/summer', price } },
  tools: { add: adder() },
  input: z.object({ question: z.string() }),
  context: z.object({ question: z.string(), answer: z.string(), summary: z.string() }),
  limits: { repeat: 20 },
  onFailure: 'failed',
})

const agent = t.createAgent({
  initial: 'answering',
  states: {
    answering: t.model('talker', {
      prompt: ({ context }) => [
        { role: 'system', content: 'be brief' },
        { role: 'user', content: context.question },
      ],
      tools: ['add'],
      maxVisits: 30,
      save: 'answer',
      onTools: 'acting',
      onDone: 'done',
      onError: { context_overflow: 'compacting' },
    }),
    acting: t.tools({ onDone: 'answering' }),
    compacting: t.compact('summer', { thread: 'answering', keep: 3, maxVisits: 2, save: 'summary', onDone: 'answering' }),
    done: t.final({ output: ({ context }) => ({ answer: context.answer, summary: context.summary }) }),
    failed: t.final({ outcome: 'failed' }),
  },
})

const call = (n: number): Turn => ({ calls: [{ id: `c${n}`, name: 'add', args: { a: n, b: 1 } }] })

/** A model that works with five messages of window per call, and asks for a tool until it was summed up once. */
const narrow = (window: number) =>
  listModel((request: ModelRequest): Turn => {
    if (request.model === 'summer') return { text: 'they added' }
    if (request.messages.length > window) return { fails: 'context_overflow' }
    return request.messages.some((message) => String(message.content).startsWith('Summary')) ? { text: 'enough' } : call(request.messages.length)
  })

describe('a conversation that grew too long', () => {
  it('is summed up in its middle and goes on, with its beginning and its latest messages as they were', async () => {
    const model = narrow(9)
    const { runtime } = testRuntime({ providers: [model] })
    const run = await runtime.start(agent, { question: 'go' })
    expect(await run.outcome()).toMatchObject({ outcome: 'done', output: { answer: 'enough', summary: 'they added' } })
    const asked = model.asked.find((request) => request.model === 'summer')
    expect(asked?.messages.map(({ role }) => role)).toEqual(['system', 'user'])
    expect(asked?.messages[1]?.content).toContain('assistant: calls add({"a":2,"b":1})\nresult of add: {"sum":3}')
    const last = model.asked.at(-1)?.messages ?? []
    expect(last.map(({ role }) => role)).toEqual(['system', 'user', 'user', 'assistant', 'tool'])
    expect(last[2]?.content).toBe('Summary of the conversation so far:\nthey added')
  })

  it('is the same run when the process dies after any entry', async () => {
    const whole = memoryJournal()
    const first = testRuntime({ providers: [narrow(9)], journal: whole }).runtime
    const run = await first.start(agent, { question: 'go' })
    await run.outcome()
    const entries = await first.entries(run.id)
    for (let count = 1; count < entries.length; count++) {
      const journal = memoryJournal()
      await copyPrefix(whole, journal, run.id, count)
      const again = testRuntime({ providers: [narrow(9)], journal }).runtime
      expect(await (await again.resume(run.id, { agent })).outcome()).toMatchObject({ outcome: 'done', output: { answer: 'enough' } })
    }
  })

  it('that has no middle fails as context_overflow instead of going round', async () => {
    const { runtime } = testRuntime({ providers: [narrow(1)] })
    expect(await (await runtime.start(agent, { question: 'go' })).outcome()).toMatchObject({ outcome: 'failed', failure: { code: 'context_overflow', message: expect.stringContaining('nothing to sum up') } })
  })

  it('is refused at creation when nobody talks in it', () => {
    const states = {
      answering: t.model('talker', { prompt: 'x', onDone: 'done', onError: { context_overflow: 'compacting' } }),
      compacting: t.compact('summer', { thread: 'answerin', onDone: 'answering' }),
      done: t.final(),
      failed: t.final({ outcome: 'failed' }),
    }
    expect(() => t.createAgent({ initial: 'answering', states: states as never })).toThrow("Did you mean 'answering'?")
  })
})
