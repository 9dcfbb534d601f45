// One scored trial. Invariant: a trial that failed after what lies below the agent failed is an error, which is neither a
// pass nor a failure; a trial that passed nevertheless counts as passed.
import { failureOf, FailureError, failure } from '../failure/index.ts'
import type { EvalCase } from './case.ts'
import type { Evaluation } from './evaluation.ts'
import { infrastructureFailure, type Observation } from './observation.ts'
import type { Score, Scored, Scorer, ScoringContext } from './score.ts'

/** One scored trial. */
export interface Trial {
  /** From 0. */
  readonly trial: number
  readonly status: 'passed' | 'failed' | 'error'
  /** Code of what stood in the way, for errors. */
  readonly error?: string
  /** Mean of the scores. */
  readonly score: number
  /** By the scorer's name; scorers that declined the case are absent. */
  readonly scores: { readonly [scorer: string]: Score }
  readonly observation: Observation
  /** Id of the stored result. */
  readonly stored: string
  /** True when nothing was run for it. */
  readonly reused: boolean
}

/** Everything scorers see of a trial. */
const scoredOf = (one: EvalCase, { output, ...rest }: Observation): Scored => ({ ...rest, id: one.id, input: one.input, output, expected: one.expected, tags: one.tags ?? [], metadata: one.metadata ?? {} })

const toScore = (said: Score | boolean): Score => (typeof said === 'boolean' ? { score: said ? 1 : 0, pass: said, reasons: said ? [] : ['it says no'] } : said)

const ask = async (name: string, scorer: Scorer, trial: Scored, context: ScoringContext): Promise<Score | undefined> => {
  try {
    const said = await scorer(trial, context)
    return said === undefined ? undefined : toScore(said)
  } catch (thrown) {
    if (failureOf(thrown) !== undefined) throw thrown
    throw new FailureError(
      failure('usage', `The scorer ${name} threw on case ${trial.id}: ${thrown instanceof Error ? thrown.message : String(thrown)}. Scorers give a score; mend it or let it give undefined for such cases.`, {
        cause: thrown,
      }),
    )
  }
}

/** Scores one observation. @throws FailureError `usage` when a scorer threw. */
export const scoreTrial = async (evaluation: Evaluation, one: EvalCase, seen: Pick<Trial, 'trial' | 'observation' | 'stored' | 'reused'>, context: ScoringContext): Promise<Trial> => {
  const scores: Record<string, Score> = {}
  let error: string | undefined
  for (const [name, scorer] of Object.entries(evaluation.scorers)) {
    try {
      const score = await ask(name, scorer, scoredOf(one, seen.observation), context)
      if (score !== undefined) scores[name] = score
    } catch (thrown) {
      const known = failureOf(thrown)
      if (known === undefined || known.code === 'usage') throw thrown
      error = known.code
      scores[name] = { score: 0, pass: false, reasons: [`it could not judge: ${known.code}: ${known.message}`] }
    }
  }
  const all = Object.values(scores)
  const pass = all.every((score) => score.pass)
  const score = all.length === 0 ? 1 : all.reduce((sum, one) => sum + one.score, 0) / all.length
  error ??= pass ? undefined : infrastructureFailure(seen.observation)
  if (error !== undefined) return { ...seen, status: 'error', error, score, scores }
  return { ...seen, status: pass ? 'passed' : 'failed', score, scores }
}
