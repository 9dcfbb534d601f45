// What people see of an evaluation in the terminal: progress while it runs, then the verdict, and each failing case with
// all it takes to understand it. Invariant: what models wrote reaches the terminal without control characters.
import { percent, percentRange, showActual, showPath, showValue, summaryOf, tellingTrial, unsound, verdictOf, VERDICT_WORDS, whyFailed, type EvaluationResult, type Overall, type Progress } from '../../eval/index.ts'
import { count, showDuration, showUsd } from '../amounts.ts'
import { oneLine, plain, type Format, type Io } from '../io.ts'

/** Failing cases that are shown in full. */
const MOST_SHOWN = 10

/** Shows progress: a line that is redrawn in a terminal, else a line for each look. */
export const progressView = (io: Io, name: string): { readonly show: (progress: Progress) => void; readonly clear: () => void } => {
  let failed = 0
  let drawn = false
  const clear = (): void => {
    if (drawn) io.err('\r\u001B[2K')
    drawn = false
  }
  return {
    clear,
    show: (progress) => {
      if (progress.type === 'look') {
        clear()
        if (progress.running > 0) io.err(`${io.style('dim', `${name}: running ${count(progress.running, 'trial')}${progress.reused === 0 ? '' : `, ${progress.reused} reused`}`)}\n`)
        return
      }
      if (progress.trial.status !== 'passed') failed += 1
      if (!io.terminal) return
      const line = `${name} ${progress.done}/${progress.of}${failed === 0 ? '' : `, ${failed} failing`}  ${oneLine(progress.case.id)}`
      io.err(`\r\u001B[2K${line.slice(0, io.columns() - 1)}`)
      drawn = true
    },
  }
}

const COLOURS: { readonly [K in Overall]: Format } = { regressed: 'red', non_inferior: 'green', inconclusive: 'yellow', infrastructure: 'yellow' }

const facts = (result: EvaluationResult): string => {
  const { cases, ran, reused, durationMs, costUsd } = result
  const { errors } = summaryOf(cases)
  return [count(cases.length, 'case'), `${ran} run`, reused === 0 ? '' : `${reused} reused`, errors === 0 ? '' : count(errors, 'error'), showDuration(durationMs), showUsd(costUsd)]
    .filter((part) => part !== '')
    .join(' · ')
}

const failure = (io: Io, result: EvaluationResult['cases'][number], openRun: (run: string) => string): readonly string[] => {
  const trial = tellingTrial(result)
  if (trial === undefined) return []
  const { case: one, trials } = result
  const row = (label: string, text: string): string => `    ${label.padEnd(9)} ${oneLine(text)}`
  const { run } = trial.observation
  return [
    `  ${io.style(trial.status === 'error' ? 'yellow' : 'red', trial.status === 'error' ? '!' : '✗')} ${oneLine(one.id)}  ${trials.filter(({ status }) => status === 'passed').length} of ${trials.length} passed`,
    row('input', showValue(one.input, 300)),
    ...(one.expected === undefined ? [] : [row('expected', showValue(one.expected, 300))]),
    row('actual', showActual(trial)),
    ...whyFailed(trial).map((why) => row('why', why)),
    ...(trial.observation.states.length === 0 ? [] : [row('path', showPath(trial))]),
    ...(run === undefined ? [] : [row('open', openRun(run))]),
  ]
}

/** The result of one evaluation as lines. */
export const showEvaluation = (io: Io, result: EvaluationResult, openRun: (run: string) => string): string => {
  const { name, cases, recordings, gate, judges, unknown, stoppedBy } = result
  const [head, base] = [summaryOf(cases), summaryOf(cases, 'base')]
  const verdict = verdictOf(result)
  const bad = unsound(cases)
  const { look } = gate
  const rate = `  pass rate ${percent(head.passRate)} (95 %: ${percentRange(head.interval)})${base.passRate === null ? '' : `, base ${percent(base.passRate)}`}`
  const lines = [
    `${io.style(COLOURS[verdict], `${oneLine(name)}: ${VERDICT_WORDS[verdict]}`)}  ${io.style('dim', facts(result))}`,
    ...(recordings.length === 0 ? [] : [`  ${recordings.filter(({ status }) => status !== 'diverged').length} of ${count(recordings.length, 'recording')} replay`]),
    ...recordings.filter(({ status }) => status === 'stale').map((one) => `  ${io.style('yellow', 'stale:')} ${plain(one.name)} ${oneLine(one.difference)}`),
    ...(head.trials + head.errors === 0 ? [] : [rate]),
    ...gate.reasons.map((reason) => `  ${plain(reason)}`),
    ...(look === undefined || look.pairs === 0 ? [] : [`  with these trials a loss of ${(look.detectable * 100).toFixed(1)} points would be seen`]),
    ...judges.map(({ scorer, share, rows, kappa, hash }) => `  judge ${scorer} (${hash}) agrees with ${percent(share)} of ${rows} labelled rows, kappa ${kappa === null ? '–' : kappa.toFixed(2)}`),
    ...(stoppedBy === undefined ? [] : [`  stopped by ${stoppedBy}: not every trial was run`]),
    ...unknown.slice(0, 3).map((what) => `  ${io.style('yellow', 'nothing can be reused:')} ${plain(what)}`),
    ...bad.slice(0, MOST_SHOWN).flatMap((one) => ['', ...failure(io, one, openRun)]),
    ...(bad.length > MOST_SHOWN ? ['', `  and ${count(bad.length - MOST_SHOWN, 'more failing case')}: --report html shows all`] : []),
  ]
  return `${lines.join('\n')}\n`
}
