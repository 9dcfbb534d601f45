// Gives an effect's logic its hands: everything it may ask of the run, and nothing once it has ended.
import type { Agent, CallbackArgs } from '../agent/index.ts'
import { seededRandom } from '../clock/index.ts'
import { failure, type Failure } from '../failure/index.ts'
import { sha256 } from '../schema/index.ts'
import type { Actor, OpenEffect } from './actor.ts'
import type { InboxItem } from '../journal/index.ts'
import type { ToolCall } from '../prompt/index.ts'
import type { EffectContext, StepRequest } from './effect.ts'
import { callKey, timerSuffix } from './closing.ts'
import type { Fold } from './fold.ts'
import type { RunEventBody } from './run-event.ts'
import { capOf } from './run-cap.ts'
import { Thread, type PendingCalls } from './thread.ts'
import type { About } from './usage.ts'

const randomFor = (seed: number, key: string): number => seededRandom(Number.parseInt(sha256(`${seed} ${key}`).slice(0, 8), 16))()

const runDeadline = (fold: Fold, actor: Actor): StepRequest['deadline'] => {
  let found: StepRequest['deadline']
  for (let above: Actor | undefined = actor; above !== undefined; above = above.parent?.actor) {
    const limit = above.agent.limits.durationMs
    if (limit === undefined) continue
    const at = fold.now + Math.max(0, limit - above.used.durationMs)
    if (found === undefined || at < found.at) {
      found = {
        at,
        failure: failure('deadline_exceeded', `The run used up its ${limit} ms. Raise limits.durationMs or do less.`, {
          details: { scope: 'run', limit: 'durationMs', value: limit },
        }),
      }
    }
  }
  return found
}

const pendingFor = (actor: Actor, effect: OpenEffect): PendingCalls | undefined => {
  const places = actor.pending.toReversed()
  return places.find((pending) => pending.thread.pending === pending && (regionsOf(actor).get(pending.state) ?? '') === effect.region)
}

const regions = new WeakMap<Actor, Map<string, string>>()

/** The parallel regions of the states whose calls wait to be taken. */
export const regionsOf = (actor: Actor): Map<string, string> => {
  const known = regions.get(actor) ?? new Map<string, string>()
  regions.set(actor, known)
  return known
}

const threadOf = (actor: Actor, name: string): Thread => {
  const known = actor.threads.get(name)
  return known ?? newThread(actor, name)
}

const newThread = (actor: Actor, name: string): Thread => {
  const base = `${actor.path}/${name}#${actor.visits[name] ?? 1}`
  const before = actor.threads.get(name)?.id
  // A thread that takes over within one visit is told apart by a number.
  const serial = before === base ? 2 : before?.startsWith(`${base}~`) === true ? Number(before.slice(base.length + 1)) + 1 : 0
  const thread = new Thread(serial === 0 ? base : `${base}~${serial}`)
  actor.threads.set(name, thread)
  return thread
}

/** Arguments that callbacks get: the context now, the invoke's input, and messages by thread. */
const callbackArgs = (actor: Actor, input: unknown): CallbackArgs<never> => ({
  context: actor.snapshot.context as never,
  ...(input === undefined ? {} : { input }),
  messages: (name) => actor.threads.get(name)?.messages.slice() ?? [],
})

/** The context of one effect: a class, since every entry of a state makes one. */
class Hands implements EffectContext {
  readonly kind: EffectContext['kind']
  readonly input: unknown
  readonly #fold: Fold
  readonly #actor: Actor
  readonly #effect: OpenEffect

  constructor(fold: Fold, actor: Actor, effect: OpenEffect, input: unknown) {
    this.kind = effect.spec.kind as EffectContext['kind']
    this.input = input
    this.#fold = fold
    this.#actor = actor
    this.#effect = effect
  }

  get key(): string {
    return this.#effect.key
  }

  get state(): string {
    return this.#effect.state
  }

  get run(): EffectContext['run'] {
    return this.#fold.info
  }

  get agent(): Agent {
    return this.#actor.agent
  }

  get limits(): EffectContext['limits'] {
    return this.#fold.limits
  }

  get approved(): Set<string> {
    return this.#actor.approved
  }

  now(): number {
    return this.#fold.now
  }

  args(): CallbackArgs<never> {
    return callbackArgs(this.#actor, this.input)
  }

  random(salt: string): number {
    return randomFor(this.#fold.info.seed, `${this.key} ${salt}`)
  }

  admit(about: About): Failure | undefined {
    return this.#fold.admit(this.#actor, about)
  }

  step({ suffix = '', kind = this.kind, ...request }: Parameters<EffectContext['step']>[0]): void {
    if (!this.#isLive()) return
    const { path } = this.#actor
    const key = callKey(this.key, suffix)
    const cap = capOf(this.#fold)?.of(`${key}.${request.attempt}`)
    const perform: StepRequest['perform'] = cap === undefined ? request.perform : (io) => request.perform({ ...io, cap })
    this.#fold.openStep(this.#actor, this.#effect, suffix, { ...request, perform, key, state: path === '' ? this.state : `${path}/${this.state}`, kind })
  }

  timer(suffix: string, dueAt: number): void {
    if (this.#isLive()) this.#fold.openTimer(this.#actor, this.#effect, suffix, `${this.key}${timerSuffix(suffix)}`, dueAt)
  }

  clearTimer(suffix: string): void {
    this.#fold.timers.delete(`${this.key}${timerSuffix(suffix)}`)
    this.#effect.timers.delete(suffix)
  }

  complete(output: unknown, calls?: readonly ToolCall[]): void {
    const { id } = this.#effect
    this.#end({ type: `xstate.done.actor.${id}`, output, actorId: id, ...(calls === undefined ? {} : { calls }) })
  }

  fail(reason: Failure): void {
    const { id } = this.#effect
    this.#end({ type: `xstate.error.actor.${id}`, error: reason, actorId: id })
  }

  can(event: InboxItem['event']): boolean {
    return this.#actor.snapshot.can(event)
  }

  send(event: InboxItem['event']): boolean {
    const able = this.can(event)
    if (able && this.#isLive()) this.#fold.send(this.#actor, event)
    return able
  }

  notice(event: RunEventBody): void {
    this.#fold.notice(this.#actor, event)
  }

  noteRepeat(what: string, args: unknown, result: unknown): void {
    this.#actor.repeat.note(what, args, result)
  }

  runDeadline(): StepRequest['deadline'] {
    return runDeadline(this.#fold, this.#actor)
  }

  thread(name: string, isNamed = name !== this.state): Thread {
    if (isNamed) this.#fold.namedThreads.add(name)
    return threadOf(this.#actor, name)
  }

  newThread(name: string): Thread {
    return newThread(this.#actor, name)
  }

  await(pending: PendingCalls): void {
    const actor = this.#actor
    pending.thread.pending = pending
    regionsOf(actor).set(pending.state, this.#effect.region)
    const index = actor.pending.findIndex((earlier) => earlier.state === pending.state)
    if (index >= 0) actor.pending.splice(index, 1)
    actor.pending.push(pending)
  }

  pending(): PendingCalls | undefined {
    return pendingFor(this.#actor, this.#effect)
  }

  startChild(suffix: string, agent: Agent, input: unknown): void {
    if (this.#isLive()) this.#fold.startChild(this.#actor, this.#effect, suffix, agent, input)
  }

  #isLive(): boolean {
    return this.#effect.live && this.#fold.end === undefined
  }

  #end(event: { readonly type: string; readonly error?: Failure; readonly output?: unknown; readonly calls?: unknown; readonly actorId: string }): void {
    if (this.#isLive()) this.#fold.endEffect(this.#actor, this.#effect, event)
  }
}

/** The context of one effect. */
export const effectContext = (fold: Fold, actor: Actor, effect: OpenEffect, input: unknown): EffectContext => new Hands(fold, actor, effect, input)
