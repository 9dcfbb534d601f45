// Runs as spans, metrics and log events: one span for the run, one for each stay in a state, one for each call, one for
// each attempt. Invariant: without a provider nothing is kept, and content is written only when it was asked for.
import type { Clock } from '../../clock/index.ts'
import type { Outcome } from '../../journal/index.ts'
import { ATTRIBUTE, LOG_EVENT, openTelemetry, OPERATION, traceparentOf, type Attributes, type OpenSpan, type Tracing } from '../../trace/index.ts'
import type { RunInfo, StepRequest } from '../effect.ts'
import type { ObservedRun, Observer, RunObserver } from '../observer.ts'
import type { RunEvent } from '../run-event.ts'
import type { RunSecrets, Secrets } from '../secrets.ts'
import { answerAttributes, attemptAttributes, billedAttributes, callLabels, failureAttributes, nothingBilled, operationOf, requestAttributes, runAttributes, stateText, type Billed } from './span-attributes.ts'
import { attemptSentence, circuitSentence, transitionSentence } from './sentences.ts'
import { placeOf, SpanTree, type CallSpan, type VisitSpan } from './span-tree.ts'

type Event<T extends RunEvent['type']> = Extract<RunEvent, { readonly type: T }>

/** What a traced run is made of. */
export interface Traced {
  readonly tracing: Tracing
  readonly root: OpenSpan
  readonly since: number
  readonly agent: string
}

const addTo = (billed: Billed, { usage, costUsd }: Event<'attempt.ended'>): void => {
  if (usage === undefined && costUsd === undefined) return
  billed.any = true
  billed.inputTokens += usage?.inputTokens ?? 0
  billed.outputTokens += usage?.outputTokens ?? 0
  billed.cachedTokens += usage?.cachedTokens ?? 0
  billed.cacheWriteTokens += usage?.cacheWriteTokens ?? 0
  billed.reasoningTokens += usage?.reasoningTokens ?? 0
  billed.costUsd += costUsd ?? 0
  billed.costUnknown ||= costUsd === null
}

const FIRST_ATTEMPT = { [ATTRIBUTE.attempt]: 1 }

const beginAttempt = (call: CallSpan, attempt: number, at: number): OpenSpan => {
  call.performed = attempt
  return call.span.child('attempt', { kind: 'internal', at, attributes: attempt === 1 ? FIRST_ATTEMPT : { [ATTRIBUTE.attempt]: attempt, [ATTRIBUTE.resendCount]: attempt - 1 } })
}

/** Builds the spans of one run from its events. */
export class TracedRun implements RunObserver {
  readonly #tracing: Tracing
  readonly #tree: SpanTree
  readonly #agent: string
  readonly #since: number
  readonly #clock: Pick<Clock, 'now'>
  readonly #content: boolean
  /** Given when content is written. */
  readonly #secrets: RunSecrets | undefined
  readonly #billed = nothingBilled()
  readonly #leaving: VisitSpan[] = []
  #moved = false
  #over = false

  constructor(run: RunInfo, { tracing, root, since, agent }: Traced, clock: Pick<Clock, 'now'>, secrets: RunSecrets | undefined) {
    this.#tracing = tracing
    this.#tree = new SpanTree(run, root, secrets !== undefined)
    this.#since = since
    this.#agent = agent
    this.#clock = clock
    this.#content = secrets !== undefined
    this.#secrets = secrets
  }

  event(event: RunEvent): void {
    this.#moved ||= event.type !== 'run.resumed' && event.type !== 'run.waiting'
    switch (event.type) {
      case 'state.entered':
        return void this.#tree.visit(event, event.at, event.kind)
      case 'state.left':
        return void this.#leaving.push(this.#tree.leave(event, event.at))
      case 'transition.taken':
        return this.#transition(event)
      case 'child.started':
        return void this.#tree.actor(event.child, event.at, { id: event.agent, state: event.state })
      case 'child.ended':
        return this.#tree.closeActor(event.child, event.at, event.failure)
      case 'effect.started':
        return this.#started(event)
      case 'attempt.ended':
        return this.#attemptEnded(event)
      case 'breaker.changed':
        return this.#breaker(event)
      case 'budget.warned':
      case 'budget.reached':
        return this.#measure('budgetNotices', 1, {
          [ATTRIBUTE.agentName]: this.#agent,
          [ATTRIBUTE.budgetScope]: event.scope,
          [ATTRIBUTE.budgetUnit]: event.unit,
          [ATTRIBUTE.budgetWindow]: event.window,
          [ATTRIBUTE.budgetReached]: event.type === 'budget.reached',
        })
      case 'run.ended':
        return this.#end(event.at, event.outcome, event.outcome === 'cancelled' ? undefined : event.failure)
      default:
        return undefined
    }
  }

  async perform(request: StepRequest, work: () => Promise<Outcome>): Promise<Outcome> {
    const { key, kind, attempt } = request
    const named = this.#secrets === undefined || request.args === undefined ? request : { ...request, args: this.#secrets.scrub.data(request.args) }
    const call = this.#tree.call(named, placeOf(key, request.state), this.#clock.now())
    if (call.attempt < attempt) call.attempt = attempt
    if (!call.described && request.call !== undefined && call.span.recording) call.span.set(this.#clean(requestAttributes(request.call(), this.#content)))
    call.described = true
    const span = beginAttempt(call, attempt, this.#clock.now())
    call.running = span
    try {
      const outcome = await span.within(work)
      if (call.running === span) this.#performed(kind, outcome, call, span)
      return outcome
    } catch (thrown) {
      if (call.running === span) span.end(this.#clock.now(), 'defect')
      throw thrown
    }
  }

  released(how: 'ended' | 'parked' | 'stopped'): void {
    // A run that was only looked at and waits on is not worth a span: one that never ends is never exported.
    if (!this.#over && this.#moved) this.#end(this.#clock.now(), how === 'parked' ? 'waiting' : how)
  }

  #performed(kind: string, outcome: Outcome, call: CallSpan, span: OpenSpan): void {
    const [record] = outcome.calls ?? []
    call.running = undefined
    if (call.span.recording) call.span.set(answerAttributes(kind, outcome, this.#content))
    if (span.recording) {
      span.set(attemptAttributes(outcome))
      if (!outcome.ok) span.set(failureAttributes(outcome.failure, this.#content))
    }
    span.end(this.#clock.now(), outcome.ok ? undefined : outcome.failure.code)
    if (record?.firstTokenMs !== undefined && this.#tracing.measures) this.#measure('firstToken', record.firstTokenMs / 1_000, callLabels(call))
  }

  #started(event: Event<'effect.started'>): void {
    const call = this.#tree.call(event, placeOf(event.key, event.state), event.at)
    call.attempt = event.attempt
  }

  #attemptEnded(event: Event<'attempt.ended'>): void {
    const call = this.#tree.call(event, placeOf(event.key, event.state), event.at)
    addTo(call.billed, event)
    addTo(this.#billed, event)
    if (this.#tracing.measures) this.#measureAttempt(event)
    if (event.failure !== undefined) {
      const facts = { ...callLabels(event), ...failureAttributes(event.failure, this.#content), [ATTRIBUTE.attempt]: event.attempt, [ATTRIBUTE.retryInMs]: event.retryInMs, [ATTRIBUTE.effectKey]: event.key }
      call.span.log(LOG_EVENT.exception, { severity: 'warn', at: event.at, body: attemptSentence(event), attributes: facts })
    }
    // Performed elsewhere: in a process before, or in one that only reads.
    if (call.performed < event.attempt) beginAttempt(call, event.attempt, event.at - event.durationMs).end(event.at, event.failure?.code)
    if (event.retryInMs === undefined && call.attempt <= event.attempt) this.#callEnded(call, event)
  }

  #callEnded(call: CallSpan, event: Event<'attempt.ended'>): void {
    const { failure, at } = event
    this.#tree.closeCall(call)
    if (call.span.recording) {
      call.span.set({ [ATTRIBUTE.attempts]: event.attempt })
      if (event.requestHash !== undefined) call.span.set({ [ATTRIBUTE.promptHash]: event.promptHash, [ATTRIBUTE.stepHash]: event.stepHash, [ATTRIBUTE.requestHash]: event.requestHash })
      if (event.cached !== undefined) call.span.set({ [ATTRIBUTE.cacheHit]: true })
      if (call.billed.any) call.span.set(billedAttributes(call.billed))
      if (failure !== undefined) call.span.set(failureAttributes(failure, this.#content))
    }
    call.span.end(at, failure?.code, this.#content ? failure?.message : undefined)
    if (!this.#tracing.measures) return
    const operation = operationOf(call.kind)
    const metric = operation === OPERATION.model ? 'callDuration' : operation === OPERATION.tool ? 'toolDuration' : undefined
    if (metric !== undefined) this.#tracing.measure(metric, (at - call.since) / 1_000, { ...callLabels(call), [ATTRIBUTE.errorType]: failure?.code })
  }

  #breaker(event: Event<'breaker.changed'>): void {
    const { key, state, at, circuit, to, openedBy } = event
    const { span } = this.#tree.visit(placeOf(key, state), at)
    span.log(LOG_EVENT.breaker, { severity: to === 'open' ? 'warn' : 'info', at, body: circuitSentence(event), attributes: { [ATTRIBUTE.circuit]: circuit, [ATTRIBUTE.circuitState]: to, [ATTRIBUTE.openedBy]: openedBy } })
  }

  #transition(event: Event<'transition.taken'>): void {
    const { at, failed, actor } = event
    if (this.#leaving.length === 0 && !this.#tracing.logs) return
    const edge = { [ATTRIBUTE.from]: stateText(event.from), [ATTRIBUTE.to]: stateText(event.to), [ATTRIBUTE.event]: event.event }
    for (const visit of this.#leaving.toReversed()) {
      this.#tree.abandon(visit, at)
      visit.span.set(edge)
      visit.span.end(at, failed)
      if (this.#tracing.measures) this.#measure('stateDuration', (at - visit.since) / 1_000, { [ATTRIBUTE.agentName]: this.#agent, [ATTRIBUTE.state]: visit.state, [ATTRIBUTE.errorType]: failed })
    }
    this.#leaving.length = 0
    if (!this.#tracing.logs) return
    const attributes = { ...edge, [ATTRIBUTE.agentName]: this.#agent, [ATTRIBUTE.actor]: actor === '' ? undefined : actor, [ATTRIBUTE.errorType]: failed }
    this.#tree.actor(actor, at).span.log(LOG_EVENT.transition, { severity: failed === undefined ? 'info' : 'warn', at, body: transitionSentence(event), attributes })
  }

  #measureAttempt(event: Event<'attempt.ended'>): void {
    const labels = callLabels(event)
    if (event.usage !== undefined) {
      this.#measure('tokens', event.usage.inputTokens, { ...labels, [ATTRIBUTE.tokenType]: 'input' })
      this.#measure('tokens', event.usage.outputTokens, { ...labels, [ATTRIBUTE.tokenType]: 'output' })
    }
    if (event.costUsd != null && event.costUsd > 0) this.#measure('cost', event.costUsd, { ...labels, [ATTRIBUTE.agentName]: this.#agent })
    if (event.failure !== undefined) this.#measure('failures', 1, { ...labels, [ATTRIBUTE.agentName]: this.#agent, [ATTRIBUTE.errorType]: event.failure.code })
  }

  /** What a model is told was rendered by the author, so it was never scrubbed. */
  #clean(attributes: Attributes): Attributes {
    return this.#secrets === undefined ? attributes : this.#secrets.scrub.data(attributes)
  }

  #measure(metric: Parameters<Tracing['measure']>[0], value: number, attributes: Attributes): void {
    if (this.#tracing.measures) this.#tracing.measure(metric, value, attributes)
  }

  #end(at: number, outcome: string, failure?: Event<'run.ended'>['failure']): void {
    this.#over = true
    this.#tree.root.set({ [ATTRIBUTE.outcome]: outcome, ...billedAttributes(this.#billed), ...(failure === undefined ? {} : failureAttributes(failure, this.#content)) })
    this.#tree.closeActor('', at, failure)
    this.#measure('agentDuration', (at - this.#since) / 1_000, { [ATTRIBUTE.agentName]: this.#agent, [ATTRIBUTE.outcome]: outcome, [ATTRIBUTE.errorType]: failure?.code })
  }
}

const CONTENT_VARIABLE = 'OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT'

/** What the environment says about content: the variable that other instrumentations read too. */
export const contentFromEnvironment = (): 'metadata' | 'content' => (/^(true|1|span_only|span_and_event)$/i.test(process.env[CONTENT_VARIABLE] ?? '') ? 'content' : 'metadata')

/** Sees runs for OpenTelemetry, whose providers are looked for once for each run. */
export const traceRuns = ({ clock, content, secrets }: { readonly clock: Clock; readonly content: boolean; readonly secrets: Secrets }): Observer => {
  const begun = new WeakMap<RunInfo, Traced>()
  const open = (run: Pick<ObservedRun, 'info' | 'agent'>, earlier?: { readonly link: string | undefined }): Traced | undefined => {
    const tracing = openTelemetry()
    const since = clock.now()
    const attributes = { ...runAttributes(run), [ATTRIBUTE.runResumed]: earlier === undefined ? undefined : true }
    const root = tracing.span(`${OPERATION.agent} ${run.agent.id}`, { kind: 'internal', at: since, attributes, ...(earlier?.link === undefined ? {} : { link: earlier.link }) })
    return root.ids === undefined && !tracing.measures && !tracing.logs ? undefined : { tracing, root, since, agent: run.agent.id }
  }
  return {
    begin: (run) => {
      const traced = open(run)
      if (traced === undefined) return undefined
      begun.set(run.info, traced)
      return traced.root.ids === undefined ? undefined : traceparentOf(traced.root.ids)
    },
    run: (run) => {
      const traced = begun.get(run.info) ?? open(run, run.resumed ? { link: run.start.trace } : undefined)
      return traced === undefined ? undefined : new TracedRun(run.info, traced, clock, content ? secrets.of(run.info.id) : undefined)
    },
  }
}
