// Reads an invoice from a letter: the output is held to a schema, a wrong one is repaired, and what cannot be read goes to a
// person, who may fill it in.
import { setupAgent } from 'stateloop'
import { z } from 'zod'
import { extractPrompt } from './prompts.ts'

export { offline } from './offline.ts'
/** What is read when no input is given. */
export const example = { letter: 'An invoice from Lamp House, with a total of 129.50 EUR, due on 2027-01-31.' }

const Invoice = z.object({ vendor: z.string().min(1), total: z.number().nonnegative(), dueDate: z.iso.date().optional() })

const t = setupAgent({
  id: 'extraction',
  models: { main: { model: 'openai/gpt-5-mini', maxOutputTokens: 500 } },
  input: z.object({ letter: z.string().min(1) }),
  context: z.object({ letter: z.string(), invoice: Invoice }),
  events: { FILLED_IN: z.object({ invoice: Invoice }) },
  limits: { modelCalls: 6, costUsd: 0.05, durationMs: 60_000 },
  onFailure: 'unreadable',
})

export default t.createAgent({
  initial: 'extracting',
  states: {
    extracting: t.model('main', { prompt: extractPrompt, output: Invoice, repairs: 2, save: 'invoice', onDone: 'extracted', onError: { invalid_output: 'asking', refused: 'asking' } }),
    asking: t.human({
      show: ({ context }) => context.letter,
      expiresMs: 7 * 86_400_000,
      on: { FILLED_IN: { to: 'extracted', description: 'a person read the letter', save: ({ event }) => ({ invoice: event.invoice }) } },
    }),
    extracted: t.final({ output: ({ context }) => context.invoice }),
    unreadable: t.final({ outcome: 'failed' }),
  },
})
