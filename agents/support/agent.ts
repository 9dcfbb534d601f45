// The support agent: answers questions about Stateloop from its own documentation, and files a ticket once a person has
// approved it. Triage → retrieve → rerank → answer with a tool loop → fallback.
import { lexicalReranker, localIndex, setupAgent, type Document } from 'stateloop'
import { z } from 'zod'
import { answerPrompt, shortPrompt, triagePrompt } from './prompts.ts'
import { docsFolder, fileTicket, readPage } from './tools.ts'

/** What `npm start` asks when no question is given. */
export const example = { question: 'What is Stateloop, and what happens to a run after a crash?' }
export { offline } from './offline.ts'
export { services } from './tools.ts'

const Answer = z.object({ answer: z.string(), sources: z.array(z.string()) })
const Doc: z.ZodType<Document> = z.custom<Document>((value) => typeof value === 'object' && value !== null && 'text' in value)

const pages = (docs: readonly Document[] | undefined): string => (docs ?? []).map((doc) => `<document source="${doc.source ?? doc.id}">\n${doc.text}\n</document>`).join('\n') || 'There are no documents.'

const t = setupAgent({
  id: 'support',
  version: '1.0.0',
  models: { fast: { model: 'openai/gpt-5-mini', maxOutputTokens: 500 }, strong: { model: 'openai/gpt-5-mini', maxOutputTokens: 1_500 } },
  tools: { readPage, fileTicket },
  retrievers: { docs: localIndex({ folder: docsFolder, extensions: ['.md'] }) },
  rerankers: { words: lexicalReranker() },
  input: z.object({ question: z.string().min(1).max(4_000) }),
  context: z.object({ intent: z.object({ intent: z.enum(['howto', 'ticket', 'abuse']) }), docs: z.array(Doc), answer: Answer }),
  limits: { transitions: 60, modelCalls: 16, toolCalls: 12, costUsd: 0.25, durationMs: 120_000 },
  onFailure: 'failed',
})

export default t.createAgent({
  initial: 'triaging',
  states: {
    triaging: t.model('fast', {
      prompt: triagePrompt,
      output: z.object({ intent: z.enum(['howto', 'ticket', 'abuse']) }),
      save: 'intent',
      onDone: { match: 'intent', to: { howto: 'searching', ticket: 'searching', abuse: 'refused' } },
      onError: { refused: 'refused', content_filtered: 'refused', '*': 'searching' },
    }),
    searching: t.retrieve('docs', { query: ({ context }) => context.question, k: 20, save: 'docs', onDone: 'reranking', onError: { '*': 'answering' } }),
    reranking: t.rerank('words', {
      query: ({ context }) => context.question,
      documents: ({ context }) => context.docs ?? [],
      k: 5,
      save: 'docs',
      onDone: 'answering',
      onError: { '*': 'answering' },
    }),
    answering: t.model('strong', {
      prompt: answerPrompt,
      vars: ({ context }) => ({ question: context.question, pages: pages(context.docs) }),
      tools: ['readPage', 'fileTicket'],
      output: Answer,
      save: 'answer',
      maxVisits: 6,
      retry: { attempts: 3 },
      timeout: { firstTokenMs: 30_000, idleMs: 10_000, totalMs: 60_000 },
      onTools: { fileTicket: 'approving', '*': 'acting' },
      onDone: 'sent',
      onError: { refused: 'refused', content_filtered: 'refused', '*': 'shortAnswer' },
    }),
    approving: t.approve({
      show: ({ context }) => `A user asks: ${context.question}`,
      expiresMs: 24 * 3_600_000,
      onApproved: 'acting',
      onRejected: 'answering',
      onError: { expired: 'failed' },
    }),
    acting: t.tools({ parallel: 4, onDone: 'answering', onError: { '*': 'shortAnswer' } }),
    shortAnswer: t.fallback(['fast', { value: { answer: 'A person will answer today.', sources: [] } }], {
      prompt: shortPrompt,
      vars: ({ context }) => ({ question: context.question, pages: pages(context.docs) }),
      output: Answer,
      save: 'answer',
      onDone: 'sent',
    }),
    sent: t.final({ output: ({ context }) => context.answer ?? { answer: 'A person will answer today.', sources: [] } }),
    refused: t.final({ output: () => ({ answer: 'I only answer questions about Stateloop.', sources: [] as string[] }) }),
    failed: t.final({ outcome: 'failed', output: () => ({ answer: 'Something went wrong; a person will look at it.', sources: [] as string[] }) }),
  },
})
