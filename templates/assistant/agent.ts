// An assistant with tools: answering ⇄ acting, an approval before what cannot be undone, and an answer when nothing works.
import { setupAgent } from 'stateloop'
import { z } from 'zod'
import { answerPrompt } from './prompts.ts'
import { cancelOrder, findOrder } from './tools.ts'

export { offline } from './offline.ts'
/** What is asked when no input is given. */
export const example = { question: 'Where is order 7?' }

const t = setupAgent({
  id: 'assistant',
  models: { main: { model: 'openai/gpt-5-mini', maxOutputTokens: 1_000 } },
  tools: { findOrder, cancelOrder },
  input: z.object({ question: z.string().min(1) }),
  context: z.object({ question: z.string(), answer: z.string() }),
  limits: { modelCalls: 8, toolCalls: 8, costUsd: 0.1, durationMs: 60_000 },
  onFailure: 'unavailable',
})

export default t.createAgent({
  initial: 'answering',
  states: {
    answering: t.model('main', {
      prompt: answerPrompt,
      tools: ['findOrder', 'cancelOrder'],
      maxVisits: 6,
      save: 'answer',
      onTools: { cancelOrder: 'approving', '*': 'acting' },
      onDone: 'answered',
    }),
    approving: t.approve({ expiresMs: 86_400_000, onApproved: 'acting', onRejected: 'answering' }),
    acting: t.tools({ onDone: 'answering' }),
    answered: t.final({ output: ({ context }) => context.answer ?? '' }),
    unavailable: t.final({ outcome: 'failed', output: () => 'I cannot answer now. A person will write to you.' }),
  },
})
