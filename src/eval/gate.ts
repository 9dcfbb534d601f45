// The verdict on a change: must-pass cases, the paired sequential test, and guardrails. Invariant: it is a pure function of
// results and settings; it never asks for more than it is given, and says when more would decide.
import { clusterOf, type EvalCase } from './case.ts'
import type { FullGate } from './gate-options.ts'
import { guardrailsOf, type GuardrailFinding } from './guardrails.ts'
import type { ReplayedRecording } from './recordings.ts'
import { look, type Look, type Pair, type Verdict } from './statistics/sequential.ts'
import type { Trial } from './trial.ts'

/** One case with its trials, and those of the base where the case was there too. */
export interface CaseResult {
  readonly case: EvalCase
  readonly trials: readonly Trial[]
  /** Absent when there is no base, or the case is new or changed. */
  readonly base?: readonly Trial[]
  /** True when the trials are the base's own, because nothing that the case touches has changed. */
  readonly unchanged: boolean
}

/** What a gate says. */
export interface GateResult {
  readonly verdict: Verdict
  /** Why, the deciding reason first. */
  readonly reasons: readonly string[]
  /** The last look of the paired test; absent without a base. */
  readonly look?: Look
  readonly guardrails: readonly GuardrailFinding[]
  /** Must-pass cases that failed. */
  readonly mustPassFailures: readonly string[]
  /** True when more trials may decide. */
  readonly wantsMore: boolean
}

/** Cases of which every trial must pass. */
const isMustPass = (one: EvalCase, { mustPass }: Pick<FullGate, 'mustPass'>): boolean => mustPass === 'all' || (one.tags ?? []).some((tag) => mustPass.includes(tag))

/** Trials that say something about the agent. */
export const counted = (trials: readonly Trial[]): readonly Trial[] => trials.filter(({ status }) => status !== 'error')

const valueOf = ({ status, score }: Trial, { metric }: FullGate): number => (metric === 'score' ? score : status === 'passed' ? 1 : 0)

interface Paired {
  readonly result: CaseResult
  readonly base: readonly Trial[]
  readonly head: readonly Trial[]
}

const pairedOf = (results: readonly CaseResult[]): readonly Paired[] =>
  results.flatMap((result) => {
    const [base, head] = [counted(result.base ?? []), counted(result.trials)]
    return base.length === 0 || head.length === 0 ? [] : [{ result, base, head }]
  })

const points = (share: number): string => `${share > 0 ? '+' : share < 0 ? '−' : ''}${Math.abs(share * 100).toFixed(1)} points`

const reasonOf = ({ verdict, change, interval, blockBound, detectable, pairs }: Look, { margin }: FullGate): string => {
  if (pairs === 0) return 'nothing that any case touches has changed'
  const moved = `the change is ${points(change)}, between ${points(interval[0])} and ${points(interval[1])}`
  if (verdict === 'regressed') return `${moved}; even with the bound corrected for looks it is a loss (at best ${points(blockBound)})`
  if (verdict === 'non_inferior') return `${moved}: a loss of ${(margin * 100).toFixed(0)} points or more is ruled out`
  return `${moved}: neither a loss nor its absence is shown; a loss of ${(detectable * 100).toFixed(1)} points would be seen with these trials`
}

/** Judges recordings. @returns undefined when they are no reason to stop. @param only nothing else is going to be run. */
export const judgeRecordings = (recordings: readonly ReplayedRecording[], only: boolean): GateResult | undefined => {
  const diverged = recordings.filter(({ status }) => status === 'diverged')
  const stale = recordings.filter(({ status }) => status === 'stale').map(({ name }) => name)
  const reasons = [
    ...diverged.map(({ name, difference }) => `the recording ${name} goes another way: ${difference}`),
    ...(stale.length === 0 ? [] : [`answers of ${stale.length === 1 ? 'a recording belong' : 'recordings belong'} to an older prompt, model or schema: ${stale.join(', ')}`]),
  ]
  const nothing = { guardrails: [], mustPassFailures: [], wantsMore: false }
  if (diverged.length > 0) return { ...nothing, verdict: 'regressed', reasons }
  return only ? { ...nothing, verdict: 'non_inferior', reasons: [...reasons, `${recordings.length} ${recordings.length === 1 ? 'recording replays' : 'recordings replay'} as recorded`] } : undefined
}

/** Judges a change by the trials so far. */
export const judgeChange = (results: readonly CaseResult[], gate: FullGate, looks: number): GateResult => {
  const mustPassFailures = results.filter(({ case: one, trials }) => isMustPass(one, gate) && trials.some(({ status }) => status === 'failed')).map(({ case: one }) => one.id)
  const paired = pairedOf(results)
  const changed = paired.filter(({ result }) => !result.unchanged)
  const pairs = changed.map(({ result, base, head }): Pair => ({ id: result.case.id, cluster: clusterOf(result.case), base: base.map((trial) => valueOf(trial, gate)), head: head.map((trial) => valueOf(trial, gate)) }))
  const guardrails = guardrailsOf(
    changed.map(({ result, base, head }) => ({ cluster: clusterOf(result.case), base: base.map(({ observation }) => observation), head: head.map(({ observation }) => observation) })),
    gate.guardrails,
  )
  const found = paired.length === 0 ? undefined : look(pairs, { margin: gate.margin, alpha: gate.alpha, looks, unchanged: paired.length - changed.length })
  const broken = guardrails.filter((finding) => finding.broken)
  const blocking = [
    ...(mustPassFailures.length === 0 ? [] : [`must-pass ${mustPassFailures.length === 1 ? 'case' : 'cases'} failed: ${mustPassFailures.join(', ')}`]),
    ...(found?.verdict === 'regressed' ? [reasonOf(found, gate)] : []),
    ...broken.map(({ name, ratio, interval, limit }) => `${name} is ${ratio.toFixed(2)} times the base's (at least ${interval[0].toFixed(2)}), over the limit of ${limit}`),
  ]
  const rest = found === undefined ? ['there are no results of a base to compare with'] : found.verdict === 'regressed' ? [] : [reasonOf(found, gate)]
  return {
    verdict: blocking.length > 0 ? 'regressed' : (found?.verdict ?? 'inconclusive'),
    reasons: [...blocking, ...rest],
    ...(found === undefined ? {} : { look: found }),
    guardrails,
    mustPassFailures,
    wantsMore: blocking.length === 0 && found?.verdict === 'inconclusive',
  }
}
