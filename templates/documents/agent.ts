// Answers questions from the pages in this folder: retrieve → rerank → answer with sources, and a word when nothing is found.
import { join } from 'node:path'
import { lexicalReranker, localIndex, setupAgent, type Document } from 'stateloop'
import { z } from 'zod'
import { answerPrompt } from './prompts.ts'

export { offline } from './offline.ts'
/** What is asked when no input is given. */
export const example = { question: 'How long may I keep a book?' }

const Answer = z.object({ answer: z.string(), sources: z.array(z.string()) })
const Found: z.ZodType<Document> = z.custom<Document>((value) => typeof value === 'object' && value !== null && 'text' in value)

const shown = (documents: readonly Document[] | undefined): string => (documents ?? []).map(({ id, source, text }) => `<document source="${source ?? id}">\n${text}\n</document>`).join('\n')

const t = setupAgent({
  id: 'documents',
  models: { main: { model: 'openai/gpt-5-mini', maxOutputTokens: 1_000 } },
  retrievers: { pages: localIndex({ folder: join(import.meta.dirname, 'pages'), extensions: ['.md'] }) },
  rerankers: { words: lexicalReranker() },
  input: z.object({ question: z.string().min(1) }),
  context: z.object({ question: z.string(), found: z.array(Found), answer: Answer }),
  limits: { modelCalls: 6, costUsd: 0.1, durationMs: 60_000 },
  onFailure: 'unavailable',
})

export default t.createAgent({
  initial: 'searching',
  states: {
    searching: t.retrieve('pages', { query: ({ context }) => context.question, k: 20, save: 'found', onDone: 'reranking', onError: { no_results: 'unknown' } }),
    reranking: t.rerank('words', { query: ({ context }) => context.question, documents: ({ context }) => context.found, k: 5, save: 'found', onDone: 'answering', onError: { '*': 'answering' } }),
    answering: t.model('main', {
      prompt: answerPrompt,
      vars: ({ context }) => ({ question: context.question, documents: shown(context.found) }),
      output: Answer,
      save: 'answer',
      cache: { ttlMs: 3_600_000 },
      onDone: 'answered',
    }),
    answered: t.final({ output: ({ context }) => context.answer }),
    unknown: t.final({ output: () => ({ answer: 'The documents do not answer this.', sources: [] as string[] }) }),
    unavailable: t.final({ outcome: 'failed' }),
  },
})
