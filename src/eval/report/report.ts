// What a report is about, whatever its format: results, tier 0, and the one verdict over all of them. Invariant: the worst
// finding decides, and infrastructure that failed is never reported as a regression.
import type { CaseResult } from '../gate.ts'
import { counted } from '../gate.ts'
import type { EvaluationResult } from '../run-evaluation.ts'
import { showValue } from '../score.ts'
import type { Standing } from '../store.ts'
import type { Verdict } from '../statistics/sequential.ts'
import type { Trial } from '../trial.ts'

/** An evaluation with what reports say beside its result. */
export interface ReportedEvaluation {
  /** What running it gave. */
  readonly result: EvaluationResult
  /** How it stood before, oldest first. */
  readonly history: readonly Standing[]
}

/** What a report is written from. */
export interface EvalReport {
  /** The evaluations, in the order they are shown. */
  readonly evaluations: readonly ReportedEvaluation[]
  /** The command that opens a run, for reports that show one. */
  readonly openRun: (run: string) => string
  /** Milliseconds UTC. */
  readonly at: number
}

/** What all evaluations come to together. */
export type Overall = Verdict | 'infrastructure'

/** Share of trials that may end in errors before nothing can be said. */
const MOST_ERRORS = 0.2

/** Whether too much of what lies below the agent failed. */
const lacksInfrastructure = ({ cases }: EvaluationResult): boolean => {
  const trials = cases.flatMap((one) => one.trials)
  return trials.length > 0 && trials.length - counted(trials).length > MOST_ERRORS * trials.length
}

const RANK: { readonly [K in Overall]: number } = { non_inferior: 0, inconclusive: 1, infrastructure: 2, regressed: 3 }

/** The verdict on one evaluation, with infrastructure considered. */
export const verdictOf = (result: EvaluationResult): Overall => (result.gate.verdict !== 'regressed' && lacksInfrastructure(result) ? 'infrastructure' : result.gate.verdict)

/** The worst verdict. */
export const overallOf = ({ evaluations }: Pick<EvalReport, 'evaluations'>): Overall =>
  evaluations.map(({ result }) => verdictOf(result)).reduce<Overall>((worst, verdict) => (RANK[verdict] > RANK[worst] ? verdict : worst), 'non_inferior')

/** A verdict as people read it. */
export const VERDICT_WORDS: { readonly [K in Overall]: string } = { regressed: 'regressed', non_inferior: 'no loss', inconclusive: 'inconclusive', infrastructure: 'could not be judged' }

/** The trial that tells most about a case: the first failure, else the first error. */
export const tellingTrial = ({ trials }: CaseResult): Trial | undefined => trials.find(({ status }) => status === 'failed') ?? trials.find(({ status }) => status === 'error')

/** Which scorer failed and why: `answer: expected "yes", seen "no"`. */
export const whyFailed = ({ scores, error, observation }: Trial): readonly string[] => [
  ...(error === undefined ? [] : [`error: ${error}${observation.failure === undefined ? '' : `: ${observation.failure.message}`}`]),
  ...Object.entries(scores).flatMap(([scorer, { pass, reasons }]) => (pass ? [] : reasons.length === 0 ? [scorer] : reasons.map((reason) => `${scorer}: ${reason}`))),
]

/** The way of a run on one line. */
export const showPath = ({ observation: { states } }: Trial): string => states.map(({ state, failed }) => (failed === undefined ? state : `${state} (${failed})`)).join(' → ')

/** What a run gave, or how it ended without. */
export const showActual = ({ observation: { output, outcome, failure } }: Trial): string =>
  output === undefined ? `${outcome}${failure === undefined ? '' : ` by ${failure.code}: ${failure.message}`}` : showValue(output, 600)

/** Share of counted trials that passed. */
export const shareOf = (trials: readonly Trial[]): number | null => {
  const all = counted(trials)
  return all.length === 0 ? null : all.filter(({ status }) => status === 'passed').length / all.length
}

/** Cases that got worse or better against the base, largest change first. */
export const movedCases = (cases: readonly CaseResult[]): readonly { readonly result: CaseResult; readonly before: number; readonly after: number }[] =>
  cases
    .flatMap((result) => {
      const [before, after] = [shareOf(result.base ?? []), shareOf(result.trials)]
      return before === null || after === null || before === after ? [] : [{ result, before, after }]
    })
    .toSorted((a, b) => a.after - a.before - (b.after - b.before))
