// XState's own delayed events (`after`, `raise` with a delay) as timers of the run. Invariant: a delay that is over or
// cancelled has no timer.
import { nextKey, type Actor } from './actor.ts'
import type { Command } from './decide.ts'
import type { Delivery } from './fold-step.ts'
import type { Fold } from './fold.ts'

/** Sets a delay, counted from the entry that is being folded. */
export const setDelay = (fold: Fold, actor: Actor, { id, event, delayMs }: Extract<Command, { readonly type: 'delay' }>): void => {
  const key = nextKey(actor, `~${id}`)
  actor.delays.set(id, { key, event })
  fold.timers.set(key, { key, dueAt: fold.now + delayMs })
}

/** Cancels a delay. */
export const dropDelay = (fold: Fold, actor: Actor, id: string): void => {
  const delay = actor.delays.get(id)
  if (delay !== undefined) fold.timers.delete(delay.key)
  actor.delays.delete(id)
}

/** Takes the machine event whose delay is over out of its actor. */
export const takeDelay = (actors: Iterable<Actor>, key: string): Delivery | undefined => {
  for (const actor of actors) {
    for (const [id, delay] of actor.delays) {
      if (delay.key !== key) continue
      actor.delays.delete(id)
      return { actor, event: delay.event }
    }
  }
  return undefined
}
