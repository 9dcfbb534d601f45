// Fifty questions to the support agent. Without a key rules stand in for the model, so they run offline and in seconds.
import { caseFile, evaluation, finalState, statePath, toolCalls, within } from 'stateloop/eval'
import support from '../agent.ts'
import { Expected, grounded } from './scorers.ts'
import { capture, respond, services } from './world.ts'

export { offline } from '../agent.ts'

export default evaluation({
  name: 'support',
  agent: support,
  recordings: [new URL('../recordings/', import.meta.url)],
  cases: caseFile(new URL('./cases.jsonl', import.meta.url), { expected: Expected }),
  services,
  respond,
  capture,
  scorers: {
    path: statePath(({ expected }) => expected && { final: expected.final, visited: expected.visited, forbidden: expected.forbidden }),
    tools: toolCalls({ mode: 'unordered', expected: ({ expected }) => expected?.tools.map((name) => ({ name })) }),
    tickets: finalState(({ expected }) => expected && { where: (world) => (world as { readonly tickets: readonly unknown[] }).tickets.length === expected.tickets }),
    grounded,
    bounds: within({ costUsd: 0.05, modelCalls: 6, toolCalls: 4 }),
  },
})
