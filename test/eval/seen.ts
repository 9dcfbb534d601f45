// Made-up observations and trials, for tests of what judges them.
import type { Observation } from '../../src/eval/observation.ts'
import type { Scored } from '../../src/eval/score.ts'
import type { CaseResult } from '../../src/eval/gate.ts'
import type { Trial } from '../../src/eval/trial.ts'

/** An observation in which nothing special happened. */
export const observation = (facts: Partial<Observation> = {}): Observation => ({
  outcome: 'done',
  output: 'yes',
  states: [],
  calls: [],
  models: [],
  modelCalls: 1,
  transitions: 3,
  inputTokens: 100,
  outputTokens: 20,
  costUsd: 0.01,
  durationMs: 500,
  refusals: 0,
  at: 1_000,
  ...facts,
})

/** What scorers see of it. */
export const scored = (facts: Partial<Scored> = {}): Scored => ({ ...observation(), id: 'one', input: 'in', output: 'yes', expected: undefined, tags: [], metadata: {}, ...facts })

/** A trial with that end. */
export const trial = (status: Trial['status'], facts: Partial<Trial> = {}): Trial => ({
  trial: 0,
  status,
  ...(status === 'error' ? { error: 'rate_limited' } : {}),
  score: status === 'passed' ? 1 : 0,
  scores: { answer: { score: status === 'passed' ? 1 : 0, pass: status === 'passed', reasons: status === 'passed' ? [] : ['expected "yes", seen "no"'] } },
  observation: observation(),
  stored: 'x',
  reused: false,
  ...facts,
})

/** A case with trials after and before a change: `+` passed, `-` failed, `!` error. */
export const caseResult = (id: string, head: string, base?: string, facts: Partial<CaseResult['case']> = {}): CaseResult => {
  const trials = (marks: string): readonly Trial[] => Array.from(marks, (mark, at) => trial(mark === '+' ? 'passed' : mark === '-' ? 'failed' : 'error', { trial: at }))
  return { case: { id, input: `input of ${id}`, expected: 'yes', ...facts }, trials: trials(head), ...(base === undefined ? {} : { base: trials(base) }), unchanged: false }
}
