// What a replay says: whether the run is the same, and if not, the first place where it differs and what to blame.
import type { RunEnd, StateValue } from '../journal/index.ts'

/** What changed since the recording. `data` is what effects gave; `recording` is the file itself. */
export type Cause = 'prompt' | 'machine' | 'tool schema' | 'output schema' | 'model' | 'policy' | 'data' | 'recording'

/** The change behind a difference. */
export interface Blame {
  /** What kind of thing changed. */
  readonly what: Cause
  /** Which one: a prompt's id, a state, a tool. */
  readonly name: string
  /** Its short hash in the recording, where it has one. */
  readonly before?: string
  /** Its short hash today, where it has one. */
  readonly after?: string
  /** What changed, one line each. */
  readonly changes: readonly string[]
}

/** How a step differs. */
export type DifferenceKind = 'transition' | 'context' | 'effects' | 'request' | 'result' | 'end' | 'unanswered' | 'unused' | 'unstable'

/** One place where a replay differs from its recording. */
export interface Difference {
  /** What differs. */
  readonly kind: DifferenceKind
  /** True when only a hash changed: the recorded answer was given to something else than what is asked today. */
  readonly stale: boolean
  /** Entry of the recording, from 0. */
  readonly step: number
  /** Actor path; empty for the run's own machine. */
  readonly actor: string
  /** Where that machine stood before the step. */
  readonly from: StateValue
  /** What the recording has, in words. */
  readonly expected: string
  /** What the replay gave, in words. */
  readonly actual: string
  /** Places where the values differ, one line each. */
  readonly places: readonly string[]
  /** What changed. */
  readonly blame: Blame
}

/** What became of a replay. */
export interface ReplayReport {
  /** File or run id. */
  readonly name: string
  /** `stale` when the run went as recorded but some answers belong to an older prompt, model or schema. */
  readonly status: 'same' | 'stale' | 'diverged'
  /** Entries that were folded. */
  readonly steps: number
  /** Every difference that was looked at, in order; a strict replay stops after the first that is not stale. */
  readonly differences: readonly Difference[]
  /** How the replayed run ended; undefined when it waits or stopped. */
  readonly end?: RunEnd
}
