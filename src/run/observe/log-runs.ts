// Runs as log lines: one for each transition and each attempt, with the level that its outcome deserves. Invariant: a line
// holds the fields listed here and nothing else, so what people, models and tools said is never in it.
import type { Failure } from '../../failure/index.ts'
import { attemptSentence, circuitSentence, transitionSentence } from './sentences.ts'
import { stateText } from './span-attributes.ts'
import { placeOf, traceIdsOf, type Place } from './span-tree.ts'
import type { ObservedRun, Observer } from '../observer.ts'
import type { RunEvent } from '../run-event.ts'

type Level = 'info' | 'warn' | 'error'
type Fields = { readonly [name: string]: string | number | boolean | null | undefined }
type Line = readonly [level: Level, message: string, fields: Fields, place: Place]

/** What a logger must be able to do; `pino()` is one. Must not throw. */
export type RunLogger = { readonly [L in Level]: (fields: object, message: string) => void }

const ROOT: Place = { actor: '', state: '' }

/** What may be said of a failure: its message may quote models and tools. */
const failureFields = (failure: Failure | undefined): Fields => ({
  failure: failure?.code,
  status: failure?.provider?.status,
  providerCode: failure?.provider?.code,
  requestId: failure?.provider?.requestId,
  retryAfterMs: failure?.provider?.retryAfterMs,
})

const attemptLine = (event: Extract<RunEvent, { readonly type: 'attempt.ended' }>, { user, route, tenant }: ObservedRun['start']): Line => {
  const { key, state, kind, name, attempt, durationMs, failure, usage, costUsd, calls, retryInMs, prompt, promptHash, stepHash, requestHash, cached, gate } = event
  const [call] = calls ?? []
  const place = placeOf(key, state)
  const tokens = { inputTokens: usage?.inputTokens, outputTokens: usage?.outputTokens, cachedTokens: usage?.cachedTokens, cacheWriteTokens: usage?.cacheWriteTokens, reasoningTokens: usage?.reasoningTokens }
  const billed = { answered: call?.answered, costUsd, priceSource: call?.priceSource, estimated: call?.estimatedTokens === undefined ? undefined : true, user, route, tenant }
  const used = { ...tokens, ...(calls === undefined ? {} : billed), cached: cached === undefined ? undefined : true, waitedMs: gate?.waitedMs }
  return [
    failure === undefined ? 'info' : 'warn',
    attemptSentence(event),
    { state: place.state, kind, name, attempt, durationMs, ...used, retryInMs, prompt, promptHash, stepHash, requestHash, ...failureFields(failure) },
    place,
  ]
}

const ENDS: { readonly [outcome: string]: Level } = { done: 'info', cancelled: 'info', limited: 'warn', failed: 'error' }

const lineOf = (event: RunEvent, { agent, start }: ObservedRun): Line | undefined => {
  switch (event.type) {
    case 'run.started':
      return ['info', 'run started', { version: agent.version, user: start.user, route: start.route, tenant: start.tenant, session: start.session }, ROOT]
    case 'run.resumed':
      return ['info', 'run resumed', {}, ROOT]
    case 'transition.taken': {
      const edge = { from: stateText(event.from), to: stateText(event.to) }
      return [event.failed === undefined ? 'info' : 'warn', transitionSentence(event), { ...edge, event: event.event, failure: event.failed }, { actor: event.actor, state: '' }]
    }
    case 'attempt.ended':
      return attemptLine(event, start)
    case 'breaker.changed':
      return [event.to === 'open' ? 'warn' : 'info', circuitSentence(event), { circuit: event.circuit, openedBy: event.openedBy }, placeOf(event.key, event.state)]
    case 'budget.warned':
    case 'budget.reached': {
      const { type, scope, unit, window, limit, spent, reserved, endsAtMs } = event
      return ['warn', type === 'budget.warned' ? 'limit is near' : 'limit is reached', { budget: scope, unit, window, limit, spent, reserved, endsAtMs }, ROOT]
    }
    case 'run.waiting':
      return ['info', 'run waits', { waitsFor: event.waiting.map((waiting) => waiting.for).join(), state: event.waiting.map((waiting) => waiting.state).join() }, ROOT]
    case 'run.ended':
      return [ENDS[event.outcome] ?? 'info', `run ${event.outcome}`, { outcome: event.outcome, defect: event.defect, ...failureFields(event.failure) }, ROOT]
    default:
      return undefined
  }
}

/**
 * Writes a line for each transition, each attempt, and the beginning and end of a run: `info` when all is well, `warn` for
 * what failed and was routed, `error` for a run that failed. Traced runs carry `trace_id`, `span_id` and `trace_flags`.
 * @example createRuntime({ observers: [logRuns(pino())] })
 */
export const logRuns = (logger: RunLogger): Observer => ({
  run: (run) => ({
    event: (event) => {
      const line = lineOf(event, run)
      if (line === undefined) return
      const [level, message, fields, place] = line
      const ids = traceIdsOf(run.info, place)
      const traced = ids === undefined ? {} : { trace_id: ids.traceId, span_id: ids.spanId, trace_flags: `0${ids.flags.toString(16)}` }
      const given = Object.entries({ actor: event.actor === '' ? undefined : event.actor, ...fields }).filter(([, value]) => value !== undefined)
      logger[level]({ run: run.info.id, agent: run.agent.id, ...Object.fromEntries(given), ...traced }, message)
    },
  }),
})
