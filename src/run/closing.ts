// Takes down what a transition leaves behind: an effect with its steps, timers and children, or an actor with everything
// below it. Results that arrive later find no owner.
import type { Actor, OpenEffect } from './actor.ts'
import type { Fold } from './fold.ts'

/** Timer keys: a call's retry timer carries the call's suffix in front, all others follow the effect's key. */
export const timerSuffix = (suffix: string): string => {
  if (suffix.startsWith('~')) return suffix
  return suffix.endsWith('~retry') ? `:${suffix}` : `~${suffix}`
}

/** Key of a call within an effect. */
export const callKey = (effect: string, suffix: string): string => (suffix === '' ? effect : `${effect}:${suffix}`)

/** Ends an effect. Doing it twice does nothing. */
export const closeEffect = (fold: Fold, actor: Actor, effect: OpenEffect): void => {
  if (!effect.live) return
  effect.live = false
  actor.effects.delete(effect.id)
  for (const [suffix, attempt] of effect.steps) {
    const key = callKey(effect.key, suffix)
    fold.steps.delete(`${key}.${attempt}`)
    fold.doubted.delete(`${key}.${attempt}`)
    fold.owners.delete(key)
  }
  for (const suffix of effect.timers) {
    const key = `${effect.key}${timerSuffix(suffix)}`
    fold.timers.delete(key)
    fold.owners.delete(key)
  }
  for (const child of effect.children) stopActor(fold, child)
}

/** Stops an actor and everything below it. */
export const stopActor = (fold: Fold, path: string): void => {
  const actor = fold.actors.get(path)
  if (actor === undefined) return
  fold.actors.delete(path)
  for (const effect of actor.effects.values()) closeEffect(fold, actor, effect)
  for (const child of actor.machines.values()) stopActor(fold, child)
  for (const delay of actor.delays.values()) fold.timers.delete(delay.key)
}
