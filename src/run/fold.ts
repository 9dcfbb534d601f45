// The fold: applies what came in from outside, one cause at a time, to the machines of a run. It is pure but for its own
// memory; start, resume, replay and tests differ only in where the causes come from.
import type { EventObject } from 'xstate'
import { effectOf, type Agent, type RunView } from '../agent/index.ts'
import { FailureError, failure, failureOf, isFailure, type Failure, type Json } from '../failure/index.ts'
import type { Carried, Cause, Intent, Move, RowUpdate, RunEnd, StateValue, Waiting } from '../journal/index.ts'
import type { Message } from '../prompt/index.ts'
import { nextKey, placesOf, type Actor, type OpenEffect } from './actor.ts'
import { createActor, hasView, refreshView } from './actor-setup.ts'
import { closeEffect, stopActor } from './closing.ts'
import { Grace, type GraceStanding } from './grace.ts'
import { changedFields } from './context-change.ts'
import type { Command, Decision, MachineStanding } from './decide.ts'
import { putInDoubt, resolvedOutcome } from './doubt.ts'
import { effectContext } from './effect-context.ts'
import { dropDelay, setDelay, takeDelay } from './delays.ts'
import { beforeCommands, snapshotText } from './fold-snapshot.ts'
import type { Delivery, FoldStep, OpenTimer } from './fold-step.ts'
import type { ChildEnd, RunInfo, StepRequest } from './effect.ts'
import { openEffect } from './effects/index.ts'
import { count, refusalOf, tooManyVisits } from './admission.ts'
import { attemptNotice, stateNotices } from './notices.ts'
import { endOf } from './run-end.ts'
import type { RunEventBody } from './run-event.ts'
import { takeStanding } from './standing.ts'
import { rowUpdate, waitingOf } from './status.ts'
import { addOutcome, noteBrokenOff, fullLimits, type About, type FullLimits } from './usage.ts'

/** A run being folded. */
export class Fold {
  readonly info: RunInfo
  readonly agent: Agent
  readonly limits: FullLimits
  /** Open attempts by `key.attempt`. */
  readonly steps = new Map<string, StepRequest>()
  readonly timers = new Map<string, OpenTimer>()
  readonly doubted = new Set<string>()
  readonly root: Actor
  /** Effects by the keys of their steps and timers. */
  readonly owners = new Map<string, { readonly actor: Actor; readonly effect: OpenEffect; readonly suffix: string }>()
  readonly actors = new Map<string, Actor>()
  /** A run in the queue: the input that its machine will begin with. */
  queued: { readonly input: unknown } | undefined
  now = 0
  inbox = 0
  end: RunEnd | undefined
  readonly carried: Carried | undefined
  /** Threads that states go on with by name, and that a session keeps. */
  readonly namedThreads = new Set<string>()
  #waiting: readonly Waiting[] | undefined
  #moves: Move[] = []
  #intents: Intent[] = []
  #notices: { readonly actor: string; readonly event: RunEventBody }[] = []
  #queue: Delivery[] = []
  #acts: (() => void)[] = []
  readonly #grace = new Grace()
  /** Whether the next cause is to leave a snapshot. */
  remembers = false
  #memory: string | undefined

  constructor(info: RunInfo, agent: Agent, threads: ReadonlyMap<string, readonly Message[]>, carried: Carried | undefined) {
    this.info = info
    this.agent = agent
    this.limits = fullLimits(agent.limits)
    this.carried = carried
    this.root = createActor('', agent, undefined, threads)
  }

  /** Applies one cause. Never throws: a defect ends the run. */
  apply(cause: Cause, at: number): FoldStep {
    this.#moves = []
    this.#intents = []
    this.#notices = []
    this.#acts = []
    this.#memory = undefined
    this.#passTime(cause, at)
    this.#waiting = undefined
    try {
      this.#take(cause)
      this.#settle()
    } catch (thrown) {
      this.#defect(thrown)
    }
    this.#waiting = undefined
    return { moves: this.#moves, intents: this.#intents, notices: this.#notices, end: this.end }
  }

  /** Custom actions of the last step, for the live run only. */
  takeActs(): readonly (() => void)[] {
    const acts = this.#acts
    this.#acts = []
    return acts
  }

  /** What the run waits for, when it waits for the world and nothing of its own is under way. */
  waiting(): readonly Waiting[] {
    return (this.#waiting ??= waitingOf(this))
  }

  /** The row a list shows, from what is folded. */
  row(at: number): RowUpdate {
    return rowUpdate(this, at)
  }

  /** Active time passes unless the run only waited, or was not running at all. */
  #passTime(cause: Cause, at: number): void {
    const idle = cause.type === 'start' || cause.type === 'resumed' || cause.type === 'migrated' || this.waiting().length > 0
    const passed = idle ? 0 : Math.max(0, at - this.now)
    for (const actor of this.actors.values()) actor.used.durationMs += passed
    this.now = Math.max(this.now, at)
  }

  #take(cause: Cause): void {
    switch (cause.type) {
      case 'start':
        if (cause.queued === true) this.queued = { input: cause.input }
        else this.#startActor(this.root, cause.input)
        return
      case 'attempt':
        return this.#attempt(cause)
      case 'timer':
        return this.#timer(cause.key)
      case 'event':
        this.inbox = cause.n + 1
        return this.#event(cause.event)
      case 'resumed': {
        const { queued } = this
        this.queued = undefined
        return queued === undefined ? (cause.doubt ?? []).forEach((key) => putInDoubt(this, key)) : this.#startActor(this.root, queued.input)
      }
      case 'migrated':
        return this.#enact(this.root, { type: 'stateloop.migrated' }, takeStanding(this, cause.standing))
    }
  }

  #attempt({ key, attempt, outcome }: Extract<Cause, { readonly type: 'attempt' }>): void {
    const step = this.steps.get(`${key}.${attempt}`)
    const owner = this.owners.get(key)
    if (step === undefined || owner === undefined) throw new Error(`The journal has a result for ${key}, attempt ${attempt}, which this machine never asked for.`)
    this.steps.delete(`${key}.${attempt}`)
    this.doubted.delete(`${key}.${attempt}`)
    for (let actor: Actor | undefined = owner.actor; actor !== undefined; actor = actor.parent?.actor) addOutcome(actor.used, outcome)
    if (!outcome.ok && (outcome.failure.details?.['scope'] === 'run' || outcome.failure.code === 'deadline_exceeded')) this.#grace.note(outcome.failure)
    if (!outcome.ok && outcome.failure.code === 'defect') throw new FailureError(outcome.failure)
    const before = this.timers.size
    owner.effect.logic.attempt?.(owner.suffix, attempt, outcome)
    const retry = this.timers.size > before ? this.timers.get(`${key}~retry`) : undefined
    const followed = this.steps.has(`${key}.${attempt + 1}`) || retry !== undefined
    if (followed && !outcome.ok && (step.kind === 'model' || step.kind === 'decide' || step.kind === 'compact')) this.notice(owner.actor, { type: 'attempt.discarded', key, state: step.state, attempt })
    this.notice(owner.actor, attemptNotice(step, outcome, retry === undefined ? undefined : retry.dueAt - this.now))
  }

  #timer(key: string): void {
    if (!this.timers.delete(key)) throw new Error(`The journal has timer ${key}, which this machine never set.`)
    const owner = this.owners.get(key)
    if (owner !== undefined) {
      owner.effect.timers.delete(owner.suffix)
      owner.effect.logic.timer?.(owner.suffix)
      return
    }
    const delivery = takeDelay(this.actors.values(), key)
    if (delivery !== undefined) this.#queue.push(delivery)
  }

  #event(event: Extract<Cause, { readonly type: 'event' }>['event']): void {
    if (event.type === 'stateloop.cancel') {
      const reason = typeof event['reason'] === 'string' ? event['reason'] : 'cancelled'
      noteBrokenOff(this.root.used, this.steps.values())
      return this.#finish({ outcome: 'cancelled', failure: failure('cancelled', `The run was cancelled: ${reason}.`) })
    }
    if (event.type === 'RESOLVE') return this.#resolve(event)
    for (const actor of this.actors.values()) {
      for (const effect of actor.effects.values()) if (effect.logic.event?.(event) === 'taken') return
    }
    const taker = [...this.actors.values()].find((actor) => actor.snapshot.can(event as never))
    if (taker !== undefined) this.#queue.push({ actor: taker, event })
  }

  #resolve(event: { readonly [field: string]: Json }): void {
    const key = typeof event['key'] === 'string' ? event['key'] : [...this.doubted][0]
    const step = key === undefined ? undefined : this.steps.get(key)
    if (key === undefined || step === undefined || !this.doubted.delete(key)) return
    if (event['action'] === 'retry') return
    this.#attempt({ type: 'attempt', key: step.key, attempt: step.attempt, outcome: resolvedOutcome(event) })
  }

  #settle(): void {
    for (let delivery = this.#queue.shift(); delivery !== undefined && this.end === undefined; delivery = this.#queue.shift()) this.#deliver(delivery)
    if (this.end !== undefined || this.queued !== undefined) return
    const stuck = this.steps.size === 0 && this.timers.size === 0 && this.waiting().length === 0
    if (stuck) throw new Error(`The run stands at ${JSON.stringify(this.root.snapshot.value)} with no effect, no timer and no event that could move it. Give that state a way out.`)
  }

  #deliver({ actor, event, state }: Delivery): void {
    if (!this.actors.has(actor.path) || actor.snapshot.status !== 'active') return
    if (!this.#countTransition(actor)) return
    if (isFailure(event.error)) {
      actor.lastFailure = { ...event.error, state: state ?? '' }
      this.notice(actor, { type: 'failure.raised', state: state ?? '', failure: event.error })
    }
    const view = refreshView(actor, this.info, this.root.used)
    this.#enact(actor, event, actor.decider.next(actor.snapshot, event), view)
  }

  /** Counts a transition for the actor and all above it; ends the run when its grace is over. */
  #countTransition(actor: Actor): boolean {
    for (let above: Actor | undefined = actor; above !== undefined; above = above.parent?.actor) above.used.transitions += 1
    const over = this.#grace.spend(this.root.used.transitions, this.limits.transitions)
    if (over !== undefined) this.#finish({ outcome: 'limited', failure: over })
    return over === undefined
  }

  #startActor(actor: Actor, input: unknown): void {
    this.actors.set(actor.path, actor)
    if (!this.#countTransition(actor)) return
    this.#enact(actor, { type: 'xstate.init' }, actor.decider.initial(input))
  }

  #enact(actor: Actor, event: EventObject & { readonly error?: unknown }, { snapshot, commands, edges }: Decision, view?: RunView): void {
    const previous = actor.snapshot as typeof actor.snapshot | undefined
    actor.snapshot = snapshot
    const changed = changedFields(actor.agent, previous?.context as object | undefined, snapshot.context as object)
    this.#moves.push({
      actor: actor.path,
      event: event.type,
      value: snapshot.value as StateValue,
      ...(changed === undefined ? {} : { changed }),
      ...(isFailure(event.error) ? { failed: event.error.code } : {}),
    })
    for (const notice of stateNotices(previous, snapshot, event, edges)) this.notice(actor, notice)
    if (!hasView(actor, view)) refreshView(actor, this.info, this.root.used)
    if (snapshot.status === 'error') return this.#actorFailed(actor, snapshot.error)
    if (this.remembers && actor === this.root) this.#memory = this.#queue.length === 0 ? beforeCommands(this, this.#grace.standing, commands) : undefined
    for (const command of commands) this.#command(actor, command)
    if (snapshot.status === 'done') this.#actorDone(actor)
  }

  /** A snapshot of where the last cause led to, if one was asked for and can be taken. */
  takeSnapshot(): string | undefined {
    const before = this.#memory
    this.#memory = undefined
    return before === undefined || this.end !== undefined ? undefined : snapshotText(before, this)
  }

  /** Puts a fresh fold's machine where a snapshot stood, and carries out what it wanted done. Whatever else a fold keeps must be there. */
  recall(machine: MachineStanding, grace: GraceStanding): void {
    const { snapshot, commands } = this.root.decider.recall(machine)
    this.#grace.take(grace)
    this.actors.set('', this.root)
    this.root.snapshot = snapshot
    refreshView(this.root, this.info, this.root.used)
    for (const command of commands) this.#command(this.root, command)
    this.#settle()
  }

  #command(actor: Actor, command: Command): void {
    switch (command.type) {
      case 'start':
        return this.#invoke(actor, command)
      case 'stop': {
        const effect = actor.effects.get(command.id)
        if (effect !== undefined) closeEffect(this, actor, effect)
        const child = actor.machines.get(command.id)
        if (child !== undefined) stopActor(this, child)
        return
      }
      case 'delay':
        return setDelay(this, actor, command)
      case 'cancel':
        return dropDelay(this, actor, command.id)
      case 'send': {
        const child = this.actors.get(actor.machines.get(command.to) ?? '-')
        if (child !== undefined) this.#queue.push({ actor: child, event: command.event })
        return
      }
      case 'emit':
        return this.notice(actor, { type: 'machine.emitted', event: command.event })
      case 'act':
        this.#acts.push(command.exec)
    }
  }

  #invoke(actor: Actor, { id, logic, input }: Extract<Command, { readonly type: 'start' }>): void {
    const spec = effectOf(logic)
    const place = placesOf(actor.decider.machine).get(id) ?? { state: id, region: '' }
    if (spec === undefined) return this.#invokeMachine(actor, id, logic, input)
    const key = nextKey(actor, id)
    const visits = (actor.visits[place.state] ?? 0) + 1
    actor.visits = { ...actor.visits, [place.state]: visits }
    const effect: OpenEffect = { id, key, state: place.state, region: place.region, spec, live: true, logic: {}, steps: new Map(), timers: new Set(), children: new Set() }
    actor.effects.set(id, effect)
    const context = effectContext(this, actor, effect, input)
    if (spec.maxVisits !== undefined && visits > spec.maxVisits) {
      context.fail(tooManyVisits(place.state, visits, spec.maxVisits))
      return
    }
    effect.logic = openEffect(spec, context)
  }

  #invokeMachine(actor: Actor, id: string, logic: unknown, input: unknown): void {
    const machine = logic as Agent['machine'] | undefined
    if (machine === undefined || !('root' in machine)) {
      throw new Error(`Actor ${id} of machine ${actor.agent.id} is neither an effect of Stateloop nor a machine, so it cannot be journaled. Use fromCode, fromTool or another actor source of Stateloop.`)
    }
    const path = nextKey(actor, id)
    if (machine.options.maxIterations === Infinity || machine.options.maxIterations === undefined) machine.options.maxIterations = 1000
    actor.machines.set(id, path)
    const child = createActor(path, { ...actor.agent, machine, limits: {} }, { actor, id }, new Map())
    this.notice(actor, { type: 'child.started', child: path, state: placesOf(actor.decider.machine).get(id)?.state ?? id, agent: machine.id })
    this.#startActor(child, input)
  }

  /** Opens an attempt: an intent now, performed once the entry is durable. */
  openStep(actor: Actor, effect: OpenEffect, suffix: string, request: StepRequest): void {
    this.steps.set(`${request.key}.${request.attempt}`, request)
    this.owners.set(request.key, { actor, effect, suffix })
    effect.steps.set(suffix, request.attempt)
    this.#intents.push({ key: request.key, attempt: request.attempt })
    this.notice(actor, { type: 'effect.started', key: request.key, state: request.state, kind: request.kind, name: request.name, attempt: request.attempt, ...(request.args === undefined ? {} : { args: request.args }) })
  }

  /** Sets a timer of an effect. */
  openTimer(actor: Actor, effect: OpenEffect, suffix: string, key: string, dueAt: number): void {
    this.timers.set(key, { key, dueAt })
    this.owners.set(key, { actor, effect, suffix })
    effect.timers.add(suffix)
  }

  /** Ends an effect and sends its machine the event. */
  endEffect(actor: Actor, effect: OpenEffect, event: EventObject & { readonly error?: unknown; readonly output?: unknown }): void {
    closeEffect(this, actor, effect)
    this.#queue.push({ actor, event, state: effect.state })
  }

  /** Sends an actor an event it can take. */
  send = (actor: Actor, event: EventObject): void => void this.#queue.push({ actor, event })

  startChild(actor: Actor, effect: OpenEffect, suffix: string, agent: Agent, input: unknown): void {
    const path = suffix === '' ? effect.key : `${effect.key}:${suffix}`
    effect.children.add(path)
    this.notice(actor, { type: 'child.started', child: path, state: effect.state, agent: agent.id })
    this.#startActor(createActor(path, agent, { actor, id: effect.id, suffix }, new Map()), input)
  }

  /** The limit that forbids what an actor is about to do; counts it when none does. */
  admit(actor: Actor, about: About): Failure | undefined {
    const refused = refusalOf(actor, about, this.agent.sessionLimits, this.carried)
    if (refused === undefined) count(actor, about)
    else this.#grace.note(refused)
    return refused
  }

  /** Tells watchers of something, once the step is durable. */
  notice(actor: Actor, event: RunEventBody): void {
    this.#notices.push({ actor: actor.path, event })
  }

  #actorDone(actor: Actor): void {
    const end = endOf(actor)
    if (actor.parent === undefined) return this.#finish(end)
    this.#childEnded(actor, { outcome: end.outcome === 'cancelled' ? 'failed' : end.outcome, output: end.output, ...(end.failure === undefined ? {} : { failure: end.failure }) })
  }

  #actorFailed(actor: Actor, thrown: unknown): void {
    const known = failureOf(thrown)
    if (known === undefined) throw thrown
    if (actor.parent === undefined) return this.#finish({ outcome: this.#grace.breach === undefined ? 'failed' : 'limited', failure: known })
    this.#childEnded(actor, { outcome: 'failed', failure: known })
  }

  #childEnded(child: Actor, end: ChildEnd): void {
    const { actor, id, suffix } = child.parent ?? { actor: this.root, id: '' }
    stopActor(this, child.path)
    this.notice(actor, { type: 'child.ended', child: child.path, outcome: end.outcome, ...(end.failure === undefined ? {} : { failure: end.failure }) })
    const effect = actor.effects.get(id)
    if (effect !== undefined) return effect.logic.child?.(suffix ?? '', end)
    actor.machines.delete(id)
    const event = end.outcome === 'done' ? { type: `xstate.done.actor.${id}`, output: end.output, actorId: id } : { type: `xstate.error.actor.${id}`, error: end.failure, actorId: id }
    this.#queue.push({ actor, event })
  }

  #finish(end: RunEnd): void {
    this.end = end
    for (const actor of this.actors.values()) stopActor(this, actor.path)
    this.steps.clear()
    this.timers.clear()
    this.#intents = []
    this.#queue = []
  }

  #defect(thrown: unknown): void {
    const known = failureOf(thrown)
    const message = thrown instanceof Error ? thrown.message : String(thrown)
    this.#finish({ outcome: 'failed', defect: true, failure: known ?? failure('defect', `The run stopped at a bug: ${message}`, { cause: thrown }) })
  }
}
