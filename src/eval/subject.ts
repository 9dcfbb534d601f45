// Performs one trial of a case and says what was seen. Invariant: what goes wrong in the code under evaluation is an
// observation, never an error of the evaluation.
import type { Agent } from '../agent/index.ts'
import type { Clock } from '../clock/index.ts'
import { failure, failureOf, type Failure } from '../failure/index.ts'
import type { Journal } from '../journal/index.ts'
import type { ModelProvider } from '../model/index.ts'
import { toJson } from '../schema/index.ts'
import type { EvalCase } from './case.ts'
import type { EvaluatedFunction, Evaluation, Report } from './evaluation.ts'
import type { Observation } from './observation.ts'
import { observeRun } from './observe-run.ts'

/** What performing a trial needs. */
export interface Performing {
  readonly evaluation: Evaluation
  readonly providers: readonly ModelProvider[]
  /** Used where the evaluation names no services of its own. */
  readonly services: NonNullable<Evaluation['services']>
  /** Where runs of agents are remembered. */
  readonly journal: Journal
  /** Where the agent is loaded from, where that is known. */
  readonly source: string | undefined
  readonly clock: Clock
  /** Aborts every trial under way. */
  readonly signal: AbortSignal
}

const isAgent = (subject: Agent | EvaluatedFunction): subject is Agent => typeof subject !== 'function'

const shortFailure = ({ code, message }: Failure): NonNullable<Observation['failure']> => ({ code, message })

const observeFunction = async (run: EvaluatedFunction, input: unknown, services: { readonly [name: string]: unknown }, { clock, evaluation, signal }: Performing): Promise<Observation> => {
  const started = clock.monotonic()
  let facts: Report = {}
  const stop = new AbortController()
  const late = failure('timeout', `The trial took longer than ${evaluation.timeoutMs} ms. Raise timeoutMs of the evaluation.`)
  const onAbort = (): void => stop.abort(failure('cancelled', 'The evaluation was stopped.'))
  signal.addEventListener('abort', onAbort, { once: true })
  const cancel = clock.timer(evaluation.timeoutMs, () => stop.abort(late))
  const ended = new Promise<never>((_resolve, reject) => stop.signal.addEventListener('abort', () => reject(stop.signal.reason as Error), { once: true }))
  const report = (more: Report): void => void (facts = { ...facts, ...more })
  let end: Pick<Observation, 'outcome' | 'output' | 'failure'>
  try {
    const output = toJson(await Promise.race([run(input, { signal: stop.signal, report, services }), ended]))
    end = { outcome: 'done', ...(output === undefined ? {} : { output }) }
  } catch (thrown) {
    const known = failureOf(thrown) ?? failure('defect', `The evaluated function threw: ${thrown instanceof Error ? thrown.message : String(thrown)}`)
    end = { outcome: known.code === 'cancelled' ? 'cancelled' : 'failed', failure: shortFailure(known) }
  } finally {
    cancel()
    signal.removeEventListener('abort', onAbort)
  }
  const nothing = { states: [], calls: [], models: [], modelCalls: 0, transitions: 0, inputTokens: 0, outputTokens: 0, costUsd: 0, refusals: 0 }
  return { ...nothing, ...facts, ...end, durationMs: Math.round(clock.monotonic() - started), at: clock.now() }
}

/** Performs one trial. @throws whatever `services`, `respond` or `capture` throw: they are part of the evaluation. */
export const performTrial = async (one: EvalCase, performing: Performing): Promise<Observation> => {
  const { evaluation } = performing
  const made = evaluation.services ?? performing.services
  const services = typeof made === 'function' ? await made() : made
  const { agent } = evaluation
  const seen = isAgent(agent) ? await observeRun(agent, one, services, performing) : await observeFunction(agent, one.input, services, performing)
  if (evaluation.capture === undefined) return seen
  const world = toJson(await evaluation.capture({ services, output: seen.output }))
  return world === undefined ? seen : { ...seen, world }
}
