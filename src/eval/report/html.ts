// A report as one HTML file that needs nothing else: no script, no font, no address. Invariant: what models and authors
// wrote is text in it, and its policy forbids everything but its own style.
import { showValue } from '../score.ts'
import { byScorer, byTag, summaryOf } from '../summary.ts'
import { clusteredMean, intervalOf } from '../statistics/clustered.ts'
import type { Interval } from '../statistics/wilson.ts'
import type { CaseResult } from '../gate.ts'
import { duration, escapeMarkup, percent, percentRange, pointsRange, signedPoints, usd } from './format.ts'
import { historyPlot, intervalPlot, type Axis } from './plot.ts'
import { overallOf, shareOf, showActual, showPath, tellingTrial, verdictOf, VERDICT_WORDS, whyFailed, type EvalReport, type ReportedEvaluation } from './report.ts'
import { HTML_STYLE } from './html-style.ts'

const SHARE: Axis = { low: 0, high: 1, show: (value) => `${Math.round(value * 100)} %` }
/** Standings that the history shows. */
const MOST_HISTORY = 50

const cells = (tag: 'th' | 'td', texts: readonly string[]): string => `<tr>${texts.map((text) => `<${tag}>${text}</${tag}>`).join('')}</tr>`
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => `<table><thead>${cells('th', head)}</thead><tbody>${rows.map((row) => cells('td', row)).join('')}</tbody></table>`
const section = (title: string, body: string): string => (body === '' ? '' : `<h3>${escapeMarkup(title)}</h3>${body}`)

const fact = (label: string, value: string): string => `<div><dt>${label}</dt><dd>${value}</dd></div>`

const facts = ({ result }: ReportedEvaluation): string => {
  const [head, base] = [summaryOf(result.cases), summaryOf(result.cases, 'base')]
  const { look } = result.gate
  return `<dl>${[
    fact('Pass rate', `${percent(head.passRate)} <small>${percentRange(head.interval)}</small>`),
    fact('Base', base.passRate === null ? 'none' : `${percent(base.passRate)} <small>${percentRange(base.interval)}</small>`),
    fact('Change', look === undefined ? '–' : `${signedPoints(look.change)} points <small>${pointsRange(look.interval)}</small>`),
    fact('Would be seen', look === undefined ? '–' : `a loss of ${(look.detectable * 100).toFixed(1)} points`),
    fact('Trials', `${result.ran} run, ${result.reused} reused${head.errors === 0 ? '' : `, ${head.errors} errors`}`),
    fact('Cost', usd(result.costUsd)),
    fact('Time', duration(result.durationMs)),
  ].join('')}</dl>`
}

const tagPlot = ({ result: { cases } }: ReportedEvaluation): string => {
  const groups = [{ tag: 'all cases', results: cases }, ...byTag(cases)]
  const rows = groups.flatMap(({ tag, results }) => {
    const [now, before] = [summaryOf(results), summaryOf(results, 'base')]
    return now.passRate === null
      ? []
      : [{ label: tag, value: now.passRate, interval: now.interval, before: before.passRate, text: `${tag}: ${percent(now.passRate)} (${percentRange(now.interval)}), base ${percent(before.passRate)}` }]
  })
  return rows.length === 0 ? '' : intervalPlot('Pass rate by tag', rows, SHARE)
}

const scorerTable = ({ result }: ReportedEvaluation): string => {
  const rows = byScorer(result.cases).map(({ scorer, passes, trials, mean }) => [escapeMarkup(scorer), `${passes} of ${trials}`, mean.toFixed(3)])
  return rows.length === 0 ? '' : table(['Scorer', 'Passed', 'Mean score'], rows)
}

const judgeTable = ({ result }: ReportedEvaluation): string =>
  result.judges.length === 0
    ? ''
    : table(
        ['Judge', 'Hash', 'Labelled rows', 'Agreement', 'Kappa'],
        result.judges.map(({ scorer, hash, rows, share, kappa }) => [escapeMarkup(scorer), escapeMarkup(hash), String(rows), percent(share), kappa === null ? '–' : kappa.toFixed(2)]),
      )

const usePlot = (title: string, results: readonly CaseResult[], amount: (result: CaseResult, side: 'trials' | 'base') => readonly (number | null)[], show: Axis['show']): string => {
  const meanOf = (result: CaseResult, side: 'trials' | 'base'): number | null => {
    const values = amount(result, side)
    return values.length === 0 || values.includes(null) ? null : (values as readonly number[]).reduce((sum, value) => sum + value, 0) / values.length
  }
  const rows = results.flatMap((result) => {
    const value = meanOf(result, 'trials')
    if (value === null) return []
    const before = meanOf(result, 'base')
    const values = amount(result, 'trials') as readonly number[]
    const interval: Interval | null = values.length < 2 ? null : intervalOf(clusteredMean(values.map((one, at) => ({ value: one, cluster: String(at) }))))
    return [{ label: result.case.id, value, interval, before, text: `${result.case.id}: ${show(value)}${before === null ? '' : `, base ${show(before)}`}` }]
  })
  const high = Math.max(...rows.flatMap(({ value, before, interval }) => [value, before ?? 0, interval?.[1] ?? 0]))
  return rows.length === 0 || high <= 0 ? '' : `<details><summary>${escapeMarkup(title)}</summary>${intervalPlot(title, rows, { low: 0, high, show })}</details>`
}

const observations = (result: CaseResult, side: 'trials' | 'base'): readonly NonNullable<CaseResult['base']>[number]['observation'][] =>
  (side === 'trials' ? result.trials : (result.base ?? [])).map(({ observation }) => observation)

const history = ({ history: standings }: ReportedEvaluation): string => {
  const points = standings
    .slice(-MOST_HISTORY)
    .flatMap(({ passRate, interval, at, commit }) =>
      passRate === null ? [] : [{ value: passRate, interval, text: `${new Date(at).toISOString()} ${commit?.slice(0, 9) ?? 'no commit'}: ${percent(passRate)} (${percentRange(interval)})` }],
    )
  return points.length < 2 ? '' : historyPlot('Pass rate over time', points, SHARE)
}

const caseRow = (result: CaseResult, openRun: EvalReport['openRun']): string => {
  const telling = tellingTrial(result)
  const [before, after] = [shareOf(result.base ?? []), shareOf(result.trials)]
  const state = telling === undefined ? 'passed' : telling.status
  const head = `<summary><span class="state ${state}">${state}</span> <b>${escapeMarkup(result.case.id)}</b> ${percent(after)}${before === null ? '' : ` <small>base ${percent(before)}</small>`}${result.unchanged ? ' <small>unchanged</small>' : ''}${(result.case.tags ?? []).map((tag) => ` <small class="tag">${escapeMarkup(tag)}</small>`).join('')}</summary>`
  const shown = telling ?? result.trials[0]
  if (shown === undefined) return `<details class="case">${head}<p>No trial was run.</p></details>`
  const rows: readonly (readonly [string, string])[] = [
    ['Input', showValue(result.case.input, 2_000)],
    ['Expected', showValue(result.case.expected, 2_000)],
    ['Actual', showActual(shown)],
    ['Why', whyFailed(shown).join('\n') || 'every scorer passed'],
    ['State path', showPath(shown) || '–'],
    ['Tool calls', shown.observation.calls.map(({ name, args }) => `${name}(${showValue(args)})`).join('\n') || '–'],
    ['Open', shown.observation.run === undefined ? '–' : openRun(shown.observation.run)],
  ]
  return `<details class="case"${telling === undefined ? '' : ' open'}>${head}<table>${rows.map(([label, text]) => `<tr><th>${label}</th><td><pre>${escapeMarkup(text)}</pre></td></tr>`).join('')}</table></details>`
}

const recordingTable = ({ result: { recordings } }: ReportedEvaluation): string =>
  recordings.length === 0
    ? ''
    : table(
        ['Recording', 'State', 'Where it first differs'],
        recordings.map(({ name, status, difference }) => [escapeMarkup(name), status, escapeMarkup(difference)]),
      )

const guardrailTable = ({ result }: ReportedEvaluation): string =>
  result.gate.guardrails.length === 0
    ? ''
    : table(
        ['Guardrail', 'Base', 'Now', 'Ratio', 'Limit', 'State'],
        result.gate.guardrails.map(({ name, base, head, ratio, interval, limit, broken }) => [
          name,
          base.toPrecision(3),
          head.toPrecision(3),
          `${ratio.toFixed(2)} (${interval[0].toFixed(2)} to ${interval[1].toFixed(2)})`,
          limit === null ? 'none' : String(limit),
          broken ? 'broken' : 'kept',
        ]),
      )

const evaluationPart = (one: ReportedEvaluation, openRun: EvalReport['openRun']): string => {
  const { result } = one
  const verdict = verdictOf(result)
  const byState = result.cases.toSorted((a, b) => Number(tellingTrial(a) === undefined) - Number(tellingTrial(b) === undefined))
  return `<section><h2>${escapeMarkup(result.name)} <span class="verdict ${verdict}">${VERDICT_WORDS[verdict]}</span></h2>
<ul>${result.gate.reasons.map((reason) => `<li>${escapeMarkup(reason)}</li>`).join('')}</ul>${facts(one)}
${section('Recordings', recordingTable(one))}${section('Pass rate by tag', tagPlot(one))}${section('History', history(one))}${section('Scorers', scorerTable(one))}${section('Judges', judgeTable(one))}${section('Guardrails', guardrailTable(one))}
${section('Cost and latency', usePlot('Cost per case', result.cases, (of, side) => observations(of, side).map(({ costUsd }) => costUsd), usd) + usePlot('Latency per case', result.cases, (of, side) => observations(of, side).map(({ durationMs }) => durationMs), duration))}
${section('Cases', byState.map((of) => caseRow(of, openRun)).join('\n'))}</section>`
}

/** The report as one HTML page. */
export const htmlReport = (report: EvalReport): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Evals: ${VERDICT_WORDS[overallOf(report)]}</title><style>${HTML_STYLE}</style></head>
<body><main><h1>Evals: <span class="verdict ${overallOf(report)}">${VERDICT_WORDS[overallOf(report)]}</span></h1>
<p><time>${new Date(report.at).toISOString()}</time>. Filled dots are now, hollow ones the base; lines are 95 % intervals.</p>
${report.evaluations.map((one) => evaluationPart(one, report.openRun)).join('\n')}
</main></body></html>
`
