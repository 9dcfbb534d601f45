// A small desk that answers about orders, with the parts that a test may change: what makes a replay differ is then
// exactly one of them. Its model is a list of turns, so a recording is made in memory.
import { z } from 'zod'
import { setupAgent, type Agent } from '../../src/agent/index.ts'
import { fakeClock } from '../../src/clock/index.ts'
import type { Json } from '../../src/failure/index.ts'
import { memoryJournal, type Journal } from '../../src/journal/index.ts'
import type { ModelProvider } from '../../src/model/index.ts'
import { definePrompt } from '../../src/prompt/index.ts'
import { recordRun, type Recording } from '../../src/replay/index.ts'
import { createRuntime } from '../../src/run/index.ts'
import { defineRetriever, defineTool } from '../../src/tool/index.ts'
import { listModel, type Turn } from '../run/harness.ts'

/** What a test may change. */
export interface DeskOptions {
  /** Words of the answer prompt's system message. */
  readonly tone?: string
  readonly model?: string
  /** Name of the state that answers. */
  readonly answering?: string
  /** The tool's argument. */
  readonly orderField?: string
  readonly maxVisits?: number
  readonly query?: (question: string) => string
  readonly k?: number
  readonly vars?: (question: string) => string
  /** Where a question about an order leads. */
  readonly orderTo?: 'searching' | 'refused'
  readonly lookup?: (order: string) => Json
  readonly saved?: (text: string) => string
}

const Topic = z.object({ topic: z.enum(['order', 'other']) })

/** triaging → searching → answering ⇄ acting → sent. */
export const desk = (options: DeskOptions = {}): Agent => {
  const {
    tone = 'short',
    model = 'fake/m',
    answering = 'answering',
    orderField = 'order',
    maxVisits = 4,
    query = (text) => text,
    k = 3,
    vars = (text) => text,
    orderTo = 'searching',
    lookup = (order) => ({ order, state: 'sent', items: 2 }),
    saved = (text) => text,
  } = options
  const lookupOrder = defineTool({ description: 'Finds an order.', input: z.object({ [orderField]: z.string() }), run: (args) => lookup(String(args[orderField])) })
  const shelf = defineRetriever({ search: () => [{ id: 'd1', text: 'Orders take two days.' }] })
  const triage = definePrompt({ id: 'desk.triage', vars: z.object({ question: z.string() }), messages: [{ role: 'user', content: 'Sort this: {{question}}' }] })
  const answer = definePrompt({
    id: 'desk.answer',
    vars: z.object({ question: z.string() }),
    messages: [
      { role: 'system', content: `Give a ${tone} answer about orders.` },
      { role: 'user', content: '{{question}}' },
    ],
  })
  const t = setupAgent({
    id: 'desk',
    models: { m: { model: 'fake/m', maxOutputTokens: 100 }, a: { model, maxOutputTokens: 100 } } as { m: { model: 'fake/m'; maxOutputTokens: 100 }; a: { model: `${string}/${string}`; maxOutputTokens: 100 } },
    tools: { lookupOrder },
    retrievers: { shelf },
    input: z.object({ question: z.string() }),
    context: z.object({ question: z.string(), topic: Topic, docs: z.array(z.any()), answer: z.string() }),
    onFailure: 'failed',
  })
  const states = {
    triaging: t.model('m', { prompt: triage, output: Topic, save: 'topic', onDone: { match: 'topic', to: { order: orderTo, other: orderTo === 'refused' ? 'searching' : 'refused' } } }),
    searching: t.retrieve('shelf', { query: ({ context }) => query(context.question), k, save: 'docs', onDone: answering }),
    [answering]: t.model('a', {
      prompt: answer,
      vars: ({ context }) => ({ question: vars(context.question) }),
      tools: ['lookupOrder'],
      maxVisits,
      onTools: 'acting',
      save: ({ output }) => ({ answer: saved(output) }),
      onDone: 'sent',
    }),
    acting: t.tools({ onDone: answering }),
    sent: t.final({ output: ({ context }) => context.answer }),
    refused: t.final({ output: () => 'no' }),
    failed: t.final({ outcome: 'failed' }),
  }
  return t.createAgent({ initial: 'triaging', states: states as never }) as unknown as Agent
}

const TURNS: readonly Turn[] = [{ text: '{"topic":"order"}' }, { calls: [{ id: 'c1', name: 'lookupOrder', args: { order: 'A1' } }] }, { text: 'It was sent.' }]

/** A finished run of an agent in a journal. */
export const ran = async (agent: Agent, provider: ModelProvider = listModel(TURNS), input: unknown = { question: 'Where is order A1?' }): Promise<{ readonly journal: Journal; readonly run: string }> => {
  const journal = memoryJournal({ clock: fakeClock() })
  const runtime = createRuntime({ journal, providers: [provider], clock: fakeClock({ seed: 3 }) })
  const run = await runtime.start(agent, input, { user: 'ada' })
  await run.outcome()
  return { journal, run: run.id }
}

/** The recording of a finished run. */
export const recorded = async (agent: Agent = desk(), provider?: ModelProvider): Promise<Recording> => {
  const { journal, run } = await ran(agent, provider)
  return recordRun(journal, run, agent)
}
