// A report as JUnit XML: one suite for each evaluation, one test for each case, trials as properties of the suite, where
// every reader allows them. Invariant: a case is a failure when it passes less often than at the base, an error when
// infrastructure stood in the way.
// @see https://github.com/jenkinsci/xunit-plugin (junit-10.xsd), the strictest schema that is published
import type { CaseResult } from '../gate.ts'
import type { EvaluationResult } from '../run-evaluation.ts'
import { showValue } from '../score.ts'
import type { Trial } from '../trial.ts'
import { escapeMarkup } from './format.ts'
import { shareOf, showActual, showPath, tellingTrial, verdictOf, whyFailed, type EvalReport } from './report.ts'

const attributes = (values: { readonly [name: string]: string | number }): string =>
  Object.entries(values)
    .map(([name, value]) => ` ${name}="${escapeMarkup(String(value))}"`)
    .join('')

const properties = (values: readonly (readonly [string, string | number])[]): string =>
  values.length === 0 ? '' : `<properties>${values.map(([name, value]) => `<property${attributes({ name, value })}/>`).join('')}</properties>`

const seconds = (ms: number): string => (ms / 1_000).toFixed(3)

/** A test fails when its pass rate is below the base's; without a base, when a trial failed. */
const stateOf = (result: CaseResult): 'passed' | 'failed' | 'error' | 'skipped' => {
  const [before, after] = [shareOf(result.base ?? []), shareOf(result.trials)]
  if (result.trials.length === 0) return 'skipped'
  if (after === null) return 'error'
  return after < (before ?? 1) ? 'failed' : 'passed'
}

const trialText = ({ trial, status, score, reused, observation }: Trial): string =>
  `trial ${trial}: ${status}, score ${score.toFixed(3)}${reused ? ', reused' : ''}${observation.run === undefined ? '' : `, run ${observation.run}`}`

const testCase = (suite: string, result: CaseResult): string => {
  const telling = tellingTrial(result)
  const state = stateOf(result)
  const text =
    telling === undefined
      ? ''
      : [`input: ${showValue(result.case.input, 600)}`, `expected: ${showValue(result.case.expected, 600)}`, `actual: ${showActual(telling)}`, `path: ${showPath(telling)}`, ...whyFailed(telling)].join('\n')
  const why = telling === undefined ? '' : (whyFailed(telling)[0] ?? '')
  const body =
    state === 'failed'
      ? `<failure${attributes({ message: why, type: 'regression' })}>${escapeMarkup(text)}</failure>`
      : state === 'error'
        ? `<error${attributes({ message: why, type: 'infrastructure' })}>${escapeMarkup(text)}</error>`
        : state === 'skipped'
          ? `<skipped${attributes({ message: 'no trial was run' })}/>`
          : ''
  const time = seconds(result.trials.reduce((sum, { observation }) => sum + observation.durationMs, 0))
  const out = result.trials.length === 0 ? '' : `<system-out>${escapeMarkup(result.trials.map(trialText).join('\n'))}</system-out>`
  return `    <testcase${attributes({ name: result.case.id, classname: suite, time })}>${body}${out}</testcase>`
}

const countOf = (cases: readonly CaseResult[]): { readonly tests: number; readonly failures: number; readonly errors: number; readonly skipped: number } => {
  const states = cases.map(stateOf)
  const many = (state: string): number => states.filter((one) => one === state).length
  return { tests: cases.length, failures: many('failed'), errors: many('error'), skipped: many('skipped') }
}

const recordingCount = (recordings: EvaluationResult['recordings']): ReturnType<typeof countOf> => ({
  tests: recordings.length,
  failures: recordings.filter(({ status }) => status === 'diverged').length,
  errors: 0,
  skipped: 0,
})

const suite = (result: EvaluationResult): string => {
  const { name, cases, durationMs, at, gate } = result
  const trials = cases.flatMap(({ case: one, trials: own }) => own.map((trial) => [`${one.id} trial ${trial.trial}`, `${trial.status}, score ${trial.score.toFixed(3)}`] as const))
  const facts = properties([['verdict', verdictOf(result)], ['reason', gate.reasons.join('; ')], ['trials.run', result.ran], ['trials.reused', result.reused], ['costUsd', result.costUsd ?? 'unknown'], ...trials])
  const head = attributes({ name, ...countOf(cases), time: seconds(durationMs), timestamp: new Date(at).toISOString().replace(/\.\d+Z$/, '') })
  return `  <testsuite${head}>\n    ${facts}\n${cases.map((one) => testCase(name, one)).join('\n')}\n  </testsuite>`
}

/** Recordings as a suite of their own; one that goes another way is a failure, a stale one is said in its output. */
const recordingSuite = ({ name, recordings }: EvaluationResult): readonly string[] => {
  if (recordings.length === 0) return []
  const suiteName = `${name} recordings`
  const tests = recordings.map((one) => {
    const body =
      one.status === 'diverged' ? `<failure${attributes({ message: one.difference, type: 'divergence' })}/>` : one.status === 'stale' ? `<system-out>${escapeMarkup(`stale: ${one.difference}`)}</system-out>` : ''
    return `    <testcase${attributes({ name: one.name, classname: suiteName, time: '0.000' })}>${body}</testcase>`
  })
  return [`  <testsuite${attributes({ name: suiteName, ...recordingCount(recordings), time: '0.000' })}>\n${tests.join('\n')}\n  </testsuite>`]
}

/** The report as JUnit XML. */
export const junitReport = ({ evaluations }: EvalReport): string => {
  const results = evaluations.map(({ result }) => result)
  const [cases, recorded] = [countOf(results.flatMap((one) => one.cases)), recordingCount(results.flatMap((one) => one.recordings))]
  const all = { tests: cases.tests + recorded.tests, failures: cases.failures + recorded.failures, errors: cases.errors }
  const time = seconds(results.reduce((sum, { durationMs }) => sum + durationMs, 0))
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites${attributes({ name: 'stateloop eval', ...all, time })}>\n${results.flatMap((one) => [...recordingSuite(one), suite(one)]).join('\n')}\n</testsuites>\n`
}
