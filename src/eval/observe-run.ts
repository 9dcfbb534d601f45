// Runs an agent on a case and reads off what happened: states and calls from the run's events, use and end from its
// journal. Invariant: observing changes nothing, so an evaluated run does what a run in production does.
import type { Agent } from '../agent/index.ts'
import { failureOf, type Failure, type Json } from '../failure/index.ts'
import type { Entry, Journal } from '../journal/index.ts'
import { createRuntime, type Observer, type RunEvent, type RunHandle, type RunOutcome, type Runtime } from '../run/index.ts'
import { toJson } from '../schema/index.ts'
import type { EvalCase } from './case.ts'
import type { Evaluation } from './evaluation.ts'
import type { Observation, PerformedCall, VisitedState } from './observation.ts'
import type { Performing } from './subject.ts'

/** How often a run is answered before it is left waiting. */
const MOST_ANSWERS = 50

/** States that hold others; the ones inside them tell the way. */
const CONTAINERS: ReadonlySet<string> = new Set(['agent', 'group', 'parallel', 'region', 'compound', 'loop', 'fallback'])

/** `/research#1` as a prefix of state names: `research/`. */
const prefixOf = (actor: string): string => (actor === '' ? '' : `${actor.replaceAll(/#\d+(:\d+)?/g, '').replace(/^\//, '')}/`)

/** Gathers what events tell. */
class Trace implements Observer {
  readonly states: VisitedState[] = []
  readonly calls: PerformedCall[] = []
  transitions = 0
  readonly #keys: string[] = []
  #failed: string | undefined

  readonly run = (): { readonly event: (event: RunEvent) => void } => ({ event: (event) => this.#see(event) })

  #see(event: RunEvent): void {
    if (event.type === 'transition.taken') {
      this.transitions += 1
      this.#failed = event.failed
    } else if (event.type === 'state.entered' && !CONTAINERS.has(event.kind)) {
      this.states.push({ state: `${prefixOf(event.actor)}${event.state}`, ...(this.#failed === undefined ? {} : { failed: this.#failed }) })
    } else if (event.type === 'effect.started' && (event.kind === 'tool' || event.kind === 'tools') && event.attempt === 1) {
      this.calls.push({ name: event.name, args: event.args ?? null })
      this.#keys.push(event.key)
    } else if (event.type === 'attempt.ended' && event.failure !== undefined && event.retryInMs === undefined) {
      const at = this.#keys.indexOf(event.key)
      const call = this.calls[at]
      if (call !== undefined) this.calls[at] = { ...call, failed: event.failure.code }
    }
  }
}

/** A journal that outlives the runtime that uses it. */
const shared = (journal: Journal): Journal =>
  new Proxy(journal, {
    get: (target, name) => {
      if (name === 'close') return () => Promise.resolve()
      const member: unknown = Reflect.get(target, name)
      return typeof member === 'function' ? member.bind(target) : member
    },
  })

/** Answers a run for as long as it waits and the evaluation has an answer. */
const settle = async (run: RunHandle, one: EvalCase, respond: Evaluation['respond']): Promise<RunOutcome> => {
  const about = { id: one.id, input: one.input, ...(one.metadata === undefined ? {} : { metadata: one.metadata }) }
  let outcome = await run.outcome()
  for (let answers = 0; outcome.outcome === 'waiting' && answers < MOST_ANSWERS; answers++) {
    const event = outcome.waiting.map((waiting) => respond?.(waiting, about)).find((answer) => answer !== undefined)
    if (event === undefined) return outcome
    await run.send(event)
    outcome = await run.outcome()
  }
  return outcome
}

const modelsOf = (entries: readonly Entry[]): { readonly models: readonly string[]; readonly refusals: number } => {
  const models = new Set<string>()
  let refusals = 0
  for (const { body } of entries) {
    if (body.cause.type !== 'attempt') continue
    for (const { provider, model, answered } of body.cause.outcome.calls ?? []) models.add(`${provider}/${answered ?? model}`)
    if (!body.cause.outcome.ok && body.cause.outcome.failure.code === 'refused') refusals += 1
  }
  return { models: [...models], refusals }
}

const endOf = (outcome: RunOutcome): Pick<Observation, 'outcome' | 'output' | 'failure'> => {
  const output = 'output' in outcome ? toJson(outcome.output) : undefined
  return {
    outcome: outcome.outcome,
    ...(output === undefined ? {} : { output }),
    ...('failure' in outcome ? { failure: { code: outcome.failure.code, message: outcome.failure.message } } : {}),
  }
}

const nothingSeen = (trace: Trace, failure: Failure, at: number, durationMs: number): Observation => ({
  outcome: 'failed',
  failure: { code: failure.code, message: failure.message },
  states: trace.states,
  calls: trace.calls,
  models: [],
  modelCalls: 0,
  transitions: trace.transitions,
  inputTokens: 0,
  outputTokens: 0,
  costUsd: 0,
  refusals: 0,
  durationMs,
  at,
})

const begin = async (runtime: Runtime, agent: Agent, input: unknown, { evaluation, signal, clock, source }: Performing): Promise<{ readonly run: RunHandle; readonly stop: () => void }> => {
  const run = await runtime.start(agent, input as Json, { user: evaluation.user, route: `eval/${evaluation.name}`, ...(source === undefined ? {} : { source }) })
  const cancel = (why: string): void => void run.cancel(why).catch(() => {})
  const onAbort = (): void => cancel('The evaluation was stopped.')
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  const stopTimer = clock.timer(evaluation.timeoutMs, () => cancel(`The trial took longer than ${evaluation.timeoutMs} ms.`))
  return {
    run,
    stop: () => {
      stopTimer()
      signal.removeEventListener('abort', onAbort)
    },
  }
}

/** Runs an agent on a case. A run that cannot even start is seen as failed. */
export const observeRun = async (agent: Agent, one: EvalCase, services: { readonly [name: string]: unknown }, performing: Performing): Promise<Observation> => {
  const { evaluation, providers, journal, clock } = performing
  const trace = new Trace()
  const started = clock.monotonic()
  const durationMs = (): number => Math.round(clock.monotonic() - started)
  const runtime = createRuntime({ journal: shared(journal), providers, services, clock, observers: [trace] })
  try {
    const { run, stop } = await begin(runtime, agent, one.input, performing)
    try {
      const outcome = await settle(run, one, evaluation.respond)
      const took = durationMs()
      return {
        ...endOf(outcome),
        run: run.id,
        states: trace.states,
        calls: trace.calls,
        ...modelsOf(await runtime.entries(run.id)),
        modelCalls: outcome.modelCalls,
        transitions: trace.transitions,
        inputTokens: outcome.inputTokens,
        outputTokens: outcome.outputTokens,
        costUsd: outcome.costUsd,
        durationMs: took,
        at: clock.now(),
      }
    } finally {
      stop()
    }
  } catch (thrown) {
    const known = failureOf(thrown)
    if (known === undefined) throw thrown
    return nothingSeen(trace, known, clock.now(), durationMs())
  } finally {
    await runtime.close(0)
  }
}
