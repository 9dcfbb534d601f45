// Questions to the assistant, with what a good run does. Run them with: npx stateloop eval
import { ended, evaluation, toolCalls, within } from 'stateloop/eval'
import assistant from '../agent.ts'

export { offline } from '../offline.ts'

interface Expected {
  readonly tools: readonly string[]
}

export default evaluation({
  name: 'assistant',
  agent: assistant,
  cases: [
    { id: 'shipped', input: { question: 'Where is order 7?' }, expected: { tools: ['findOrder'] } as Expected },
    { id: 'open', input: { question: 'Is order 8 on its way?' }, expected: { tools: ['findOrder'] } },
    { id: 'no-number', input: { question: 'Where is my order?' }, expected: { tools: [] } },
  ],
  scorers: {
    ended: ended('done'),
    tools: toolCalls({ mode: 'unordered', expected: ({ expected }) => expected?.tools.map((name) => ({ name })) }),
    bounds: within({ modelCalls: 4, costUsd: 0.02 }),
  },
})
