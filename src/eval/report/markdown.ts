// A report as Markdown, for a comment on a pull request. Invariant: it begins with a mark by which a later run finds and
// updates the same comment, and nothing that a model wrote can break out of its cell.
import { summaryOf } from '../summary.ts'
import { duration, escapeCell, percent, percentRange, pointsRange, signedPoints, usd } from './format.ts'
import { movedCases, overallOf, shareOf, tellingTrial, verdictOf, VERDICT_WORDS, whyFailed, type EvalReport, type ReportedEvaluation } from './report.ts'

/** The first line of every such comment. */
const COMMENT_MARK = '<!-- stateloop-eval -->'

/** Cases that one table shows at most. */
const MOST_ROWS = 25

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string => [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')

const details = (summary: string, body: string): string => `<details><summary>${summary}</summary>\n\n${body}\n\n</details>`

const overview = ({ result }: ReportedEvaluation): readonly string[] => {
  const [head, base] = [summaryOf(result.cases), summaryOf(result.cases, 'base')]
  const { look } = result.gate
  return [
    escapeCell(result.name),
    `**${VERDICT_WORDS[verdictOf(result)]}**`,
    `${percent(head.passRate)} (${percentRange(head.interval)})`,
    percent(base.passRate),
    look === undefined ? '–' : `${signedPoints(look.change)} (${pointsRange(look.interval)})`,
    `${result.ran} run, ${result.reused} reused${head.errors === 0 ? '' : `, ${head.errors} errors`}`,
    usd(result.costUsd),
    duration(result.durationMs),
  ]
}

const cut = <T>(rows: readonly T[]): { readonly shown: readonly T[]; readonly more: string } => ({ shown: rows.slice(0, MOST_ROWS), more: rows.length > MOST_ROWS ? `\n\nand ${rows.length - MOST_ROWS} more` : '' })

const movedTable = ({ result }: ReportedEvaluation): readonly string[] => {
  const moved = movedCases(result.cases)
  if (moved.length === 0) return []
  const { shown, more } = cut(moved)
  const rows = shown.map(({ result: one, before, after }) => [
    escapeCell(one.case.id),
    percent(before),
    percent(after),
    escapeCell(tellingTrial(one) === undefined ? '' : whyFailed(tellingTrial(one) as never).join('; ')),
  ])
  return [details(`${escapeCell(result.name)}: ${moved.length} ${moved.length === 1 ? 'case' : 'cases'} moved`, `${table(['Case', 'Base', 'Now', 'Why'], rows)}${more}`)]
}

const failedTable = ({ result }: ReportedEvaluation): readonly string[] => {
  const failed = result.cases.filter((one) => one.base === undefined && tellingTrial(one) !== undefined)
  if (failed.length === 0) return []
  const { shown, more } = cut(failed)
  const rows = shown.map((one) => [escapeCell(one.case.id), percent(shareOf(one.trials)), escapeCell(whyFailed(tellingTrial(one) as never).join('; '))])
  return [details(`${escapeCell(result.name)}: ${failed.length} failing without a base to compare with`, `${table(['Case', 'Passed', 'Why'], rows)}${more}`)]
}

const guardrailTable = ({ result }: ReportedEvaluation): readonly string[] => {
  const { guardrails } = result.gate
  if (guardrails.length === 0) return []
  const rows = guardrails.map(({ name, base, head, ratio, interval, limit, broken }) => [
    name,
    base.toPrecision(3),
    head.toPrecision(3),
    `${ratio.toFixed(2)} (${interval[0].toFixed(2)} to ${interval[1].toFixed(2)})`,
    limit === null ? 'none' : String(limit),
    broken ? '**broken**' : 'kept',
  ])
  return [details(`${escapeCell(result.name)}: cost, tokens, loops and latency`, table(['Guardrail', 'Base', 'Now', 'Ratio', 'Limit', 'State'], rows))]
}

const recordingTable = ({ result }: ReportedEvaluation): readonly string[] => {
  const { recordings } = result
  if (recordings.length === 0) return []
  const other = recordings.filter(({ status }) => status !== 'same')
  const rows = other.map(({ name, status, difference }) => [escapeCell(name), status, escapeCell(difference)])
  const summary = `${escapeCell(result.name)}: ${recordings.length - other.length} of ${recordings.length} recordings replay as recorded`
  return [rows.length === 0 ? summary : details(summary, table(['Recording', 'State', 'Where'], cut(rows).shown))]
}

const judges = ({ result }: ReportedEvaluation): readonly string[] =>
  result.judges.map(({ scorer, hash, rows, share, kappa }) => `Judge \`${escapeCell(scorer)}\` (${hash}) agrees with ${percent(share)} of ${rows} labelled rows, kappa ${kappa === null ? 'undefined' : kappa.toFixed(2)}.`)

/** The report as Markdown. */
export const markdownReport = (report: EvalReport): string => {
  const { evaluations } = report
  const reasons = evaluations.map(({ result }) => `- **${escapeCell(result.name)}**: ${result.gate.reasons.map(escapeCell).join('; ')}${result.stoppedBy === undefined ? '' : `; stopped by ${result.stoppedBy}`}`)
  return `${[
    COMMENT_MARK,
    `## Evals: ${VERDICT_WORDS[overallOf(report)]}`,
    table(['Evaluation', 'Verdict', 'Pass rate (95 %)', 'Base', 'Change in points', 'Trials', 'Cost', 'Time'], evaluations.map(overview)),
    reasons.join('\n'),
    ...evaluations.flatMap(recordingTable),
    ...evaluations.flatMap(movedTable),
    ...evaluations.flatMap(failedTable),
    ...evaluations.flatMap(guardrailTable),
    ...evaluations.flatMap(judges),
  ].join('\n\n')}\n`
}
