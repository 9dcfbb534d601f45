// One case of an evaluation: an input, and what is known of a good answer. Invariant: the hash of a case covers what a run
// sees of it and nothing else, so a corrected expectation is scored anew without running anything.
import { hashOf } from '../schema/index.ts'

/** One case of an evaluation. `I` is the agent's input, `X` what scorers compare with. */
export interface EvalCase<I = unknown, X = unknown> {
  /** Unique in its evaluation, and stable: results of two versions are paired by it. */
  readonly id: string
  /** What the agent is started with. */
  readonly input: I
  /** What scorers compare with. Absent where they judge without it. */
  readonly expected?: X
  /** `must-pass` and `canary` mean something; all of them group results in reports. */
  readonly tags?: readonly string[]
  /** Cases that stand or fall together, such as variants of one question: errors are clustered by it. Default: the case's own. */
  readonly cluster?: string
  /** More facts, for `respond` and for scorers. */
  readonly metadata?: { readonly [name: string]: unknown }
  /** The run that this case was made from. */
  readonly sourceRun?: string
}

/** What a run sees of a case. */
export type RunCase = Pick<EvalCase, 'id' | 'input' | 'metadata'>

/** Hash of what a run sees of a case. */
export const caseHash = ({ id, input, metadata }: RunCase): string => hashOf({ id, input: input ?? null, metadata: metadata ?? null }).slice(0, 16)

/** The cluster that a case belongs to. */
export const clusterOf = ({ id, cluster }: EvalCase): string => cluster ?? id
