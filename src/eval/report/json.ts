// A report as JSON, for programs. Invariant: the version changes whenever a field changes its meaning or goes away.
import { summaryOf } from '../summary.ts'
import { overallOf, verdictOf, type EvalReport } from './report.ts'

/** Version of the format. */
const VERSION = 1

/** The report as one value that survives JSON. */
export const jsonReport = (report: EvalReport): object => ({
  version: VERSION,
  at: report.at,
  verdict: overallOf(report),
  evaluations: report.evaluations.map(({ result: { cases, ...result } }) => ({
    ...result,
    verdict: verdictOf({ ...result, cases }),
    summary: summaryOf(cases),
    baseSummary: cases.some(({ base }) => base !== undefined) ? summaryOf(cases, 'base') : null,
    cases: cases.map(({ case: one, trials, base, unchanged }) => ({
      ...one,
      unchanged,
      trials,
      ...(base === undefined ? {} : { base: base.map(({ trial, status, score, observation }) => ({ trial, status, score, run: observation.run })) }),
    })),
  })),
})
