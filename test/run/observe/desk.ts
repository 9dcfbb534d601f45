// One agent with everything that a trace should show: a retry, a fallback, parallel tools, a child agent, a person who
// approves. Its models are scripts, so that two processes can each play their half.
import { z } from 'zod'
import { setupAgent } from '../../../src/agent/index.ts'
import { replyCalls, replyFailure, replyOutput, replyText, script, type Script } from '../../../src/model/index.ts'
import { defineRetriever, defineTool } from '../../../src/tool/index.ts'

const price = { inputUsd: 1, outputUsd: 4 }
const models = { fast: { model: 'scripted/fast', price }, strong: { model: 'scripted/strong', price } } as const

const look = defineTool({ description: 'Looks an order up.', input: z.object({ order: z.number() }), run: ({ order }) => ({ order, amountUsd: 90 }) })
const refund = defineTool({ description: 'Pays an order back.', input: z.object({ order: z.number() }), effect: 'irreversible', idempotent: true, run: () => 'refunded' })
const kb = defineRetriever({ search: ({ query }) => [{ id: 'refunds.md', text: `About ${query}: within 30 days.` }] })

const c = setupAgent({ id: 'checker', models, input: z.object({ text: z.string() }), context: z.object({ text: z.string(), verdict: z.string() }), onFailure: 'failed' })
const checker = c.createAgent({
  initial: 'checking',
  states: {
    checking: c.model('fast', { prompt: ({ context }) => context.text, save: 'verdict', onDone: 'checked' }),
    checked: c.final({ output: ({ context }) => context.verdict ?? '' }),
    failed: c.final({ outcome: 'failed' }),
  },
})

const t = setupAgent({
  id: 'desk',
  version: '2',
  models,
  tools: { look, refund },
  retrievers: { kb },
  agents: { checker },
  input: z.object({ question: z.string() }),
  context: z.object({ question: z.string(), topic: z.object({ topic: z.enum(['refund', 'other']) }), answer: z.string(), verdict: z.string() }),
  onFailure: 'failed',
})

/** The agent. */
export const desk = t.createAgent({
  initial: 'triaging',
  states: {
    triaging: t.model('fast', { prompt: ({ context }) => context.question, output: z.object({ topic: z.enum(['refund', 'other']) }), save: 'topic', onDone: 'searching', retry: { attempts: 3 } }),
    searching: t.retrieve('kb', { query: ({ context }) => context.question, k: 3, onDone: 'answering' }),
    answering: t.model('strong', {
      prompt: ({ context }) => context.question,
      tools: ['look', 'refund'],
      maxVisits: 6,
      retry: { attempts: 1 },
      onTools: { refund: 'approving', '*': 'acting' },
      save: 'answer',
      onDone: 'checking',
      onError: { overloaded: 'shortAnswer' },
    }),
    acting: t.tools({ parallel: 4, onDone: 'answering' }),
    approving: t.approve({ expiresMs: 3_600_000, onApproved: 'acting', onRejected: 'answering' }),
    shortAnswer: t.fallback(['strong', 'fast', { value: 'A person will answer today.' }], { prompt: ({ context }) => context.question, retry: { attempts: 1 }, save: 'answer', onDone: 'checking' }),
    checking: t.agent('checker', { input: ({ context }) => ({ text: context.answer ?? '' }), save: 'verdict', onDone: 'answered' }),
    answered: t.final({ output: ({ context }) => context.answer ?? '' }),
    failed: t.final({ outcome: 'failed' }),
  },
})

/** What the models say until a person is asked. */
export const firstHalf = (): Script =>
  script({
    triaging: [replyFailure('rate_limited'), replyOutput({ topic: 'refund' })],
    answering: [replyCalls({ name: 'look', args: { order: 7 } }, { name: 'look', args: { order: 8 } }), replyCalls({ name: 'refund', args: { order: 7 } })],
  })

/** What they say afterwards: the strong model is overloaded, so a smaller one answers. */
export const secondHalf = (): Script =>
  script({
    answering: [replyFailure('overloaded')],
    '1-strong': [replyFailure('overloaded')],
    '2-fast': [replyText('You get 90 USD back.')],
    checking: [replyText('fine')],
  })
