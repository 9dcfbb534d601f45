// What the assistant is told. A changed text has a changed hash, which every completion is filed under.
import { definePrompt } from 'stateloop'
import { z } from 'zod'

export const answerPrompt = definePrompt({
  id: 'assistant.answer',
  vars: z.object({ question: z.string() }),
  messages: [
    { role: 'system', content: 'You help the customers of a shop. Look an order up before you say anything about it. Cancel one only when the customer asks for it.' },
    { role: 'user', content: '{{question}}' },
  ],
})
