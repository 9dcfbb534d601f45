// Questions to the documents, with where the answer is found. Run them with: npx stateloop eval
import { evaluation, statePath, within } from 'stateloop/eval'
import documents from '../agent.ts'

export { offline } from '../offline.ts'

interface Expected {
  readonly source: string
}

export default evaluation({
  name: 'documents',
  agent: documents,
  cases: [
    { id: 'keep', input: { question: 'How long may I keep a book?' }, expected: { source: 'lending.md' } as Expected },
    { id: 'late', input: { question: 'What does it cost when a book is late?' }, expected: { source: 'lending.md' } },
    { id: 'thursday', input: { question: 'Until when is the library open on Thursday?' }, expected: { source: 'opening-hours.md' } },
  ],
  scorers: {
    source: ({ output, expected }) => (output as { readonly sources?: readonly string[] }).sources?.some((source) => expected !== undefined && source.includes(expected.source)) === true,
    path: statePath(() => ({ final: 'answered', forbidden: ['unavailable'] })),
    bounds: within({ modelCalls: 2, costUsd: 0.02 }),
  },
})
