// A report as commands that GitHub Actions turns into annotations. Invariant: each is one line, whatever a model wrote.
// @see https://docs.github.com/actions/reference/workflow-commands-for-github-actions
import { movedCases, tellingTrial, verdictOf, whyFailed, type EvalReport } from './report.ts'

/** GitHub shows at most ten annotations of a kind for a step. */
const MOST = 10

const data = (text: string): string => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')

/** One line for each finding: errors for what blocks, warnings for the rest. */
export const annotations = ({ evaluations }: EvalReport): readonly string[] =>
  evaluations
    .flatMap(({ result }) => {
      const verdict = verdictOf(result)
      if (verdict === 'non_inferior') return []
      const level = verdict === 'regressed' ? 'error' : 'warning'
      const worse = verdict === 'regressed' ? movedCases(result.cases).filter(({ before, after }) => after < before) : []
      const cases = worse.map(({ result: one }) => {
        const trial = tellingTrial(one)
        return `::warning title=${property(`Eval ${result.name}: ${one.case.id}`)}::${data(trial === undefined ? '' : whyFailed(trial).join('; '))}`
      })
      return [`::${level} title=${property(`Eval ${result.name}: ${verdict}`)}::${data(result.gate.reasons.join('; '))}`, ...cases]
    })
    .slice(0, MOST)
