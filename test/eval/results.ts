// Results made up for reports: a regression, one full of hostile text, and one of everything that is unusual.
import { fullGate } from '../../src/eval/gate-options.ts'
import { judgeChange, type CaseResult } from '../../src/eval/gate.ts'
import type { EvalReport } from '../../src/eval/report/report.ts'
import type { EvaluationResult } from '../../src/eval/run-evaluation.ts'
import type { Standing } from '../../src/eval/store.ts'
import { caseResult, observation, trial } from './seen.ts'

/** Text that tries to break out of every format. */
export const NASTY = '</td><script>alert(1)</script> | `code` **bold** [link](http://x) <!-- @someone \u0000\u001B[31m ]]> & "quoted" \'x\'\n::error::injected'

/** A result with these cases. */
export const resultOf = (cases: readonly CaseResult[], more: Partial<EvaluationResult> = {}): EvaluationResult => ({
  name: 'support',
  cases,
  recordings: [],
  gate: judgeChange(cases, fullGate(), 5),
  judges: [],
  ran: cases.reduce((sum, one) => sum + one.trials.length, 0),
  reused: 0,
  costUsd: 0.42,
  durationMs: 12_345,
  at: Date.UTC(2026, 10, 30),
  unknown: [],
  ...more,
})

/** A report on these results. */
export const reportOf = (...results: readonly EvaluationResult[]): EvalReport => ({
  evaluations: results.map((result) => ({ result, history: [] })),
  openRun: (run) => `stateloop show ${run}`,
  at: Date.UTC(2026, 10, 30),
})

export const regressed = resultOf([
  ...Array.from({ length: 20 }, (_, at) => caseResult(`worse-${at}`, '-', '+')),
  ...Array.from({ length: 28 }, (_, at) => caseResult(`same-${at}`, '+', '+')),
  caseResult('better', '+', '-'),
  caseResult('new', '-'),
])
export const nasty = resultOf([
  {
    ...caseResult(NASTY, '-', '+', { input: NASTY, expected: NASTY, tags: [NASTY, 'must-pass'] }),
    trials: [
      trial('failed', { scores: { [NASTY]: { score: 0, pass: false, reasons: [NASTY] } }, observation: observation({ output: NASTY, states: [{ state: NASTY }], calls: [{ name: NASTY, args: NASTY }], run: NASTY }) }),
    ],
  },
])
export const odd = resultOf([caseResult('errors', '!!'), caseResult('untried', '')], {
  recordings: [
    { name: 'refund', status: 'diverged', difference: NASTY },
    { name: 'old', status: 'stale', difference: 'prompt support.answer' },
    { name: 'fine', status: 'same', difference: '' },
  ],
  judges: [{ scorer: 'quality', hash: 'abc', rows: 10, share: 0.9, kappa: 0.8 }],
  costUsd: null,
  stoppedBy: 'budget-usd',
})

/** How an evaluation stood over ten days. */
export const history: readonly Standing[] = Array.from({ length: 10 }, (_, at) => ({
  type: 'standing',
  at: Date.UTC(2026, 10, 20 + at),
  code: null,
  structure: '',
  states: {},
  cases: {},
  passRate: 0.9 - at / 50,
  interval: [0.8 - at / 50, 0.95 - at / 60],
  costUsd: 0.4,
}))
