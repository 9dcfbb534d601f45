// Gives an effect's logic its hands: everything it may ask of the run, and nothing once it has ended.
import type { Agent, CallbackArgs } from '../agent/index.ts'
import { seededRandom } from '../clock/index.ts'
import { failure, type Failure } from '../failure/index.ts'
import { sha256 } from '../schema/index.ts'
import type { Actor, OpenEffect } from './actor.ts'
import type { EffectContext, StepRequest } from './effect.ts'
import { callKey, timerSuffix } from './closing.ts'
import type { Fold } from './fold.ts'
import { Thread, type PendingCalls } from './thread.ts'

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
  return places.find((pending) => pending.thread.pending === pending && regionOf(actor, pending.state) === effect.region)
}

const regions = new WeakMap<Actor, Map<string, string>>()
const regionOf = (actor: Actor, state: string): string => regions.get(actor)?.get(state) ?? ''

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

/** The context of one effect. */
export const effectContext = (fold: Fold, actor: Actor, effect: OpenEffect, input: unknown): EffectContext => {
  const kind = effect.spec.kind as EffectContext['kind']
  const live = (act: () => void): void => {
    if (effect.live && fold.end === undefined) act()
  }
  const end = (event: { readonly type: string; readonly error?: Failure; readonly output?: unknown; readonly calls?: unknown; readonly actorId: string }): void => live(() => fold.endEffect(actor, effect, event))
  return {
    key: effect.key,
    state: effect.state,
    kind,
    run: fold.info,
    agent: actor.agent,
    limits: fold.limits,
    input,
    now: () => fold.now,
    args: () => callbackArgs(actor, input),
    spentNano: () => fold.root.used.costNano,
    random: (salt) => randomFor(fold.info.seed, `${effect.key} ${salt}`),
    admit: (about) => fold.admit(actor, about),
    step: ({ suffix = '', kind: given, ...request }) =>
      live(() => {
        const where = actor.path === '' ? effect.state : `${actor.path}/${effect.state}`
        fold.openStep(actor, effect, suffix, { ...request, key: callKey(effect.key, suffix), state: where, kind: given ?? kind })
      }),
    timer: (suffix, dueAt) => live(() => fold.openTimer(actor, effect, suffix, `${effect.key}${timerSuffix(suffix)}`, dueAt)),
    clearTimer: (suffix) => {
      fold.timers.delete(`${effect.key}${timerSuffix(suffix)}`)
      effect.timers.delete(suffix)
    },
    complete: (output, calls) => end({ type: `xstate.done.actor.${effect.id}`, output, actorId: effect.id, ...(calls === undefined ? {} : { calls }) }),
    fail: (reason) => end({ type: `xstate.error.actor.${effect.id}`, error: reason, actorId: effect.id }),
    can: (event) => actor.snapshot.can(event),
    send: (event) => {
      const able = actor.snapshot.can(event)
      if (able) live(() => fold.send(actor, event))
      return able
    },
    notice: (event) => fold.notice(actor, event),
    noteRepeat: (what, args, result) => actor.repeat.note(what, args, result),
    runDeadline: () => runDeadline(fold, actor),
    thread: (name, isNamed = name !== effect.state) => {
      if (isNamed) fold.namedThreads.add(name)
      return threadOf(actor, name)
    },
    newThread: (name) => newThread(actor, name),
    await: (pending) => {
      pending.thread.pending = pending
      const known = regions.get(actor) ?? new Map<string, string>()
      regions.set(actor, known.set(pending.state, effect.region))
      const index = actor.pending.findIndex((earlier) => earlier.state === pending.state)
      if (index >= 0) actor.pending.splice(index, 1)
      actor.pending.push(pending)
    },
    pending: () => pendingFor(actor, effect),
    approved: actor.approved,
    startChild: (suffix, agent: Agent, childInput) => live(() => fold.startChild(actor, effect, suffix, agent, childInput)),
  }
}
