// What scorers are and give: plain functions from one observed trial to a score with its reasons. Invariant: a scorer may
// decline a case by giving undefined, and a trial passes when every scorer that did not decline says so.
import type { Agent } from '../agent/index.ts'
import type { RunOutcome } from '../run/index.ts'
import type { Observation } from './observation.ts'

/** What a scorer says about one trial. */
export interface Score {
  /** From 0 to 1. */
  readonly score: number
  /** Whether it is good enough. */
  readonly pass: boolean
  /** Why not, or why: each a short sentence. */
  readonly reasons: readonly string[]
}

/** One trial as scorers see it. `O` is the agent's output, `X` what the case expects. */
export interface Scored<O = unknown, X = unknown> extends Omit<Observation, 'output'> {
  /** Id of the case. */
  readonly id: string
  /** Input of the case. */
  readonly input: unknown
  /** Undefined when the run gave none. */
  readonly output: O | undefined
  /** What the case expects; undefined when it says nothing. */
  readonly expected: X | undefined
  /** Tags of the case; empty when it has none. */
  readonly tags: readonly string[]
  /** Facts of the case; empty when it has none. */
  readonly metadata: { readonly [name: string]: unknown }
}

/** What a scorer may use beside the trial. */
export interface ScoringContext {
  /** Runs an agent with the evaluation's providers; answers to the same input are remembered. */
  readonly run: <I, O>(agent: Agent<I, O>, input: I) => Promise<RunOutcome<O>>
}

/** Judges one trial. True and false are a score of 1 and 0; undefined means that the case is none of its business. */
export type Scorer<O = unknown, X = unknown> = (trial: Scored<O, X>, context: ScoringContext) => Score | boolean | undefined | Promise<Score | boolean | undefined>

/** How far a judge agrees with people. */
export interface Agreement {
  /** Labelled rows that were judged. */
  readonly rows: number
  /** Share of rows with the same verdict. */
  readonly share: number
  /** Cohen's kappa: agreement beyond chance, at most 1. null when all labels are alike. */
  readonly kappa: number | null
}

/** A scorer whose own reliability can be measured. */
export interface MeasuredScorer extends Scorer {
  /** Judges labelled rows and compares. @throws FailureError when a row cannot be judged. */
  readonly agreement: (context: ScoringContext) => Promise<Agreement>
}

/** A passing score. */
export const passed: Score = { score: 1, pass: true, reasons: [] }

/** A failing score, with its reasons. */
export const failedBecause = (...reasons: readonly string[]): Score => ({ score: 0, pass: false, reasons })

/** Passes without reasons against it, else fails. */
export const passUnless = (reasons: readonly string[]): Score => (reasons.length === 0 ? passed : failedBecause(...reasons))

/** Longest value shown in a reason, characters. */
const SHOWN = 200

/** A value as reasons and reports show it. */
export const showValue = (value: unknown, longest = SHOWN): string => {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value))
  return text.length <= longest ? text : `${text.slice(0, longest)}…`
}
