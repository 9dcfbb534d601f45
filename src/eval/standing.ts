// How an evaluation stands, as it is kept for later comparisons. Invariant: it names every counted trial, so a later run
// compares with exactly what was seen.
import { caseHash } from './case.ts'
import { counted } from './gate.ts'
import type { Identity } from './identity.ts'
import type { EvaluationResult } from './run-evaluation.ts'
import { summaryOf } from './summary.ts'
import type { Standing } from './store.ts'

/** The standing of a result. @param commit when all files were as in it. */
export const standingOf = (result: EvaluationResult, identity: Identity, commit: string | undefined): Standing => {
  const { passRate, interval } = summaryOf(result.cases)
  return {
    type: 'standing',
    ...(commit === undefined ? {} : { commit }),
    at: result.at,
    code: identity.code ?? null,
    structure: identity.structure,
    states: identity.states,
    cases: Object.fromEntries(result.cases.map(({ case: one, trials }) => [one.id, { hash: caseHash(one), observations: counted(trials).flatMap(({ stored }) => (stored === '' ? [] : [stored])) }])),
    passRate,
    interval,
    costUsd: result.costUsd,
  }
}
