// Results in a few numbers: pass rates with their intervals, over all cases, by tag and by scorer. Invariant: errors count
// neither as passed nor as failed, and cases of one cluster are not counted as if they were independent.
import { clusterOf } from './case.ts'
import { counted, type CaseResult } from './gate.ts'
import { clusteredMean, intervalOf } from './statistics/clustered.ts'
import { wilson, type Interval } from './statistics/wilson.ts'
import type { Trial } from './trial.ts'

/** A pass rate with how sure it is. */
export interface Summary {
  readonly cases: number
  readonly trials: number
  readonly errors: number
  /** Share of counted trials that passed; null when none was counted. */
  readonly passRate: number | null
  /** 95 % interval. */
  readonly interval: Interval | null
}

const passShare = (trials: readonly Trial[]): number => trials.filter(({ status }) => status === 'passed').length / trials.length

/** With one trial a case and no clusters, Wilson's interval; else a clustered one, kept within 0 and 1. */
const intervalFor = (cases: readonly { readonly cluster: string; readonly trials: readonly Trial[] }[]): Interval => {
  const trials = cases.flatMap((one) => one.trials)
  const clusters = new Set(cases.map(({ cluster }) => cluster)).size
  const passes = trials.filter(({ status }) => status === 'passed').length
  const alike = passes === 0 || passes === trials.length
  if (alike || clusters < 2 || (clusters === cases.length && trials.length === cases.length)) return wilson(alike ? (passes === 0 ? 0 : clusters) : passes, alike ? clusters : trials.length)
  const [low, high] = intervalOf(clusteredMean(cases.map(({ cluster, trials: own }) => ({ value: passShare(own), cluster }))))
  return [Math.max(0, low), Math.min(1, high)]
}

/** Sums up one side of results. */
export const summaryOf = (results: readonly CaseResult[], side: 'head' | 'base' = 'head'): Summary => {
  const trialsOf = ({ trials, base = [] }: CaseResult): readonly Trial[] => (side === 'head' ? trials : base)
  const all = results.flatMap(trialsOf)
  const cases = results.flatMap((result) => {
    const trials = counted(trialsOf(result))
    return trials.length === 0 ? [] : [{ cluster: clusterOf(result.case), trials }]
  })
  const count = counted(all).length
  return {
    cases: cases.length,
    trials: count,
    errors: all.length - count,
    passRate: cases.length === 0 ? null : cases.reduce((sum, { trials }) => sum + passShare(trials), 0) / cases.length,
    interval: cases.length === 0 ? null : intervalFor(cases),
  }
}

/** Results by tag, in the order of the tags' names. */
export const byTag = (results: readonly CaseResult[]): readonly { readonly tag: string; readonly results: readonly CaseResult[] }[] =>
  [...new Set(results.flatMap(({ case: one }) => one.tags ?? []))].toSorted().map((tag) => ({ tag, results: results.filter(({ case: one }) => one.tags?.includes(tag) === true) }))

/** How often each scorer passed, over counted trials. */
export const byScorer = (results: readonly CaseResult[]): readonly { readonly scorer: string; readonly passes: number; readonly trials: number; readonly mean: number }[] => {
  const found = new Map<string, { passes: number; trials: number; sum: number }>()
  for (const { scores } of results.flatMap(({ trials }) => counted(trials))) {
    for (const [scorer, { pass, score }] of Object.entries(scores)) {
      const sofar = found.get(scorer) ?? { passes: 0, trials: 0, sum: 0 }
      found.set(scorer, { passes: sofar.passes + (pass ? 1 : 0), trials: sofar.trials + 1, sum: sofar.sum + score })
    }
  }
  return [...found].map(([scorer, { passes, trials, sum }]) => ({ scorer, passes, trials, mean: sum / trials }))
}

/** Cases of which a trial failed or met an error. */
export const unsound = (results: readonly CaseResult[]): readonly CaseResult[] => results.filter(({ trials }) => trials.some(({ status }) => status !== 'passed'))
