// Third step: what `stateloop eject` prints for the agent, as it begins its own life.
import { definePrompt, setupAgent } from 'stateloop'
import { z } from 'zod'
import { findAccounts, deleteAccount, output } from './parts.ts' // where you keep what is not data

const t = setupAgent({
  id: 'clean-up',
  models: { model: 'openai/gpt-5-mini' },
  tools: { findAccounts, deleteAccount },
  input: z.string(),
  context: z.object({ input: z.string(), answer: output }),
  limits: { costUsd: 0.1 },
  onFailure: 'failed',
})

export default t.createAgent({
  initial: 'answering',
  states: {
    answering: t.model('model', {
      prompt: definePrompt({
        id: 'clean-up/answering',
        vars: z.object({ input: z.string() }),
        messages: [
          { role: 'system', content: 'You clean up trial accounts. Find them first, delete only what was asked for, then report as JSON: { "deleted": number[], "note": string }.' },
          { role: 'user', content: '{{input}}' },
        ],
      }),
      output,
      save: 'answer',
      tools: ['findAccounts', 'deleteAccount'],
      onTools: { deleteAccount: 'approving', '*': 'acting' },
      maxVisits: 10,
      onDone: 'done',
    }),
    approving: t.approve({ tools: ['deleteAccount'], onApproved: 'acting', onRejected: 'answering' }),
    acting: t.tools({ onDone: 'answering' }),
    done: t.final({ output: ({ context }) => context.answer! }),
    failed: t.final({ outcome: 'failed' }),
  },
})
