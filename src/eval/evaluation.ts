// An evaluation as a value: what is run, on which cases, how it is scored and how a change is gated. Invariant: making one
// performs nothing, and one that was made is well formed.
import type { Agent } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import type { Waiting } from '../journal/index.ts'
import type { ModelProvider } from '../model/index.ts'
import type { OutsideEvent } from '../run/index.ts'
import type { EvalCase, RunCase } from './case.ts'
import type { CaseFile } from './case-file.ts'
import { fullGate, type FullGate, type GateOptions } from './gate-options.ts'
import type { Observation } from './observation.ts'
import type { Scorer } from './score.ts'

/** What code that is no agent may tell about its run, so that scorers can judge more than its output. */
export type Report = Partial<Pick<Observation, 'states' | 'calls' | 'models' | 'modelCalls' | 'transitions' | 'inputTokens' | 'outputTokens' | 'costUsd' | 'refusals'>>

/** What a function gets that is evaluated in an agent's place. */
export interface FunctionContext {
  /** Aborts at the trial's time limit. */
  readonly signal: AbortSignal
  /** Adds facts to what was seen; may be called often, later ones win. */
  readonly report: (facts: Report) => void
  /** The application's own objects. */
  readonly services: { readonly [name: string]: unknown }
}

/** Any code that answers an input: an agent of another framework, a chain, a prompt. It may throw, which fails the trial. */
export type EvaluatedFunction<I = unknown, O = unknown> = (input: I, context: FunctionContext) => O | Promise<O>

/** What an author says about an evaluation. `I` and `O` are the agent's input and output, `X` what cases expect. */
export interface EvaluationOptions<I, O, X> {
  /** Names the stored results: letters, digits, `-`, `_` and `.`. */
  readonly name: string
  /** What is evaluated. */
  readonly agent: Agent<I, O> | EvaluatedFunction<I, O>
  /** The cases, here or in a file. */
  readonly cases: readonly EvalCase<NoInfer<I>, X>[] | CaseFile<X>
  /** What judges each trial, by the name that reports show. */
  readonly scorers: { readonly [name: string]: Scorer<NoInfer<O>, NoInfer<X>> }
  /** Most trials of a case. A run without a base performs them all; the gate performs as few as decide. Default 1. */
  readonly trials?: number
  /** When a change counts as worse. Default: see {@link GateOptions}. */
  readonly gate?: GateOptions
  /** Who answers model calls; the evaluation's own come before those of its module and of the settings. Default: none of its own. */
  readonly providers?: readonly ModelProvider[]
  /** The application's objects for tools; a function is called once for each trial, so that trials do not meet. Default: none. */
  readonly services?: { readonly [name: string]: unknown } | (() => { readonly [name: string]: unknown } | Promise<{ readonly [name: string]: unknown }>)
  /** Answers a run that waits; undefined leaves it waiting, which is how it ended then. Must not throw. Default: it is left waiting. */
  readonly respond?: (waiting: Waiting, of: RunCase) => OutsideEvent | undefined
  /** Reads the state of the world after a run, for `finalState`: plain data. Default: nothing is read. */
  readonly capture?: (after: { readonly services: { readonly [name: string]: unknown }; readonly output: unknown }) => unknown
  /** Whom runs are for. Default `eval`. */
  readonly user?: string
  /** How long a trial may take, milliseconds. Default 300,000. */
  readonly timeoutMs?: number
  /** Files and folders that the code reads when it runs; a change in them means that no stored result holds. Default: none. */
  readonly dependsOn?: readonly (string | URL)[]
  /** Folders of recorded runs of the agent. They are replayed first, without a network; one that goes another way blocks. */
  readonly recordings?: readonly (string | URL)[]
}

/** An evaluation, types erased. */
export interface Evaluation extends Omit<EvaluationOptions<never, unknown, unknown>, 'agent' | 'cases' | 'scorers' | 'gate' | 'trials' | 'user' | 'timeoutMs'> {
  readonly kind: 'evaluation'
  /** What is evaluated. */
  readonly agent: Agent | EvaluatedFunction
  /** The cases, here or in a file. */
  readonly cases: readonly EvalCase[] | CaseFile
  /** What judges each trial, by the name that reports show. */
  readonly scorers: { readonly [name: string]: Scorer }
  /** Most trials of a case. */
  readonly trials: number
  /** When a change counts as worse, with every default filled in. */
  readonly gate: FullGate
  /** Whom runs are for. */
  readonly user: string
  /** How long a trial may take, milliseconds. */
  readonly timeoutMs: number
}

/** Checks that ids are there, and each only once. @throws FailureError `usage`. */
export const checkCases = (name: string, cases: readonly EvalCase[]): void => {
  if (cases.length === 0) fail('usage', `The evaluation ${name} has no cases. Add one: { id: 'first', input: … }.`)
  const seen = new Set<string>()
  for (const [at, { id }] of cases.entries()) {
    if (typeof id !== 'string' || id === '') fail('usage', `Case ${at + 1} of the evaluation ${name} has no id. Give it one that stays, because results are paired by it.`)
    if (seen.has(id)) fail('usage', `The evaluation ${name} has two cases with the id ${JSON.stringify(id)}. Ids are unique, because results are paired by them.`)
    seen.add(id)
  }
}

/**
 * Makes an evaluation.
 * @example
 * export default evaluation({ name: 'weather', agent: weather, cases: [{ id: 'rain', input: 'Rain in Bern?', expected: 'yes' }], scorers: { answer: exact() } })
 * @throws FailureError `usage` when it is not well formed.
 */
export const evaluation = <I, O, X = unknown>(options: EvaluationOptions<I, O, X>): Evaluation => {
  const { name, cases, scorers, trials = 1, gate, user = 'eval', timeoutMs = 300_000 } = options
  if (!/^[\w.-]{1,100}$/.test(name)) fail('usage', `${JSON.stringify(name)} cannot name an evaluation: results are stored under it. Use letters, digits, -, _ and ., such as 'support'.`)
  if (!Number.isSafeInteger(trials) || trials < 1) fail('usage', `The evaluation ${name} has trials: ${trials}. It is a whole number from 1.`)
  if (Object.keys(scorers).length === 0) fail('usage', `The evaluation ${name} has no scorers, so every trial would pass. Add one: scorers: { answer: exact() }.`)
  if (Array.isArray(cases)) checkCases(name, cases as readonly EvalCase[])
  const { agent: subject, ...rest } = options
  return {
    ...rest,
    kind: 'evaluation',
    agent: subject as Agent | EvaluatedFunction,
    cases: cases as Evaluation['cases'],
    scorers: scorers as unknown as Evaluation['scorers'],
    trials,
    gate: fullGate(gate),
    user,
    timeoutMs,
  } as Evaluation
}

/** Tells whether a value is an evaluation; one made by another copy of the library counts. */
export const isEvaluation = (value: unknown): value is Evaluation => typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'evaluation' && 'scorers' in value
