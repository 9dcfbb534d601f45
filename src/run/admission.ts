// Whether an effect may start: the limits of its actor, of all actors above it and of the session, and going in circles.
import type { Limits } from '../agent/index.ts'
import { failure, type Failure } from '../failure/index.ts'
import type { Carried } from '../journal/index.ts'
import type { Actor } from './actor.ts'
import { carriedOf, checkLimits, type About } from './usage.ts'

const circling = (actor: Actor, period: number): Failure => {
  const what = period === 1 ? 'call' : `${period} calls`
  return failure('no_progress', `The last ${what} gave the same result ${actor.limits.repeat} times in a row. Route no_progress to another approach, or declare the tool as polling.`, {
    details: { scope: 'run', limit: 'repeat', value: actor.limits.repeat, period },
  })
}

/** The first reason against, or undefined. */
export const refusalOf = (actor: Actor, about: About, session: Limits | undefined, carried: Carried | undefined): Failure | undefined => {
  const period = actor.repeat.takeCycle()
  if (period !== undefined) return circling(actor, period)
  let root = actor
  for (let above: Actor | undefined = actor; above !== undefined; above = above.parent?.actor) {
    root = above
    const scope = above.path === '' ? 'run' : `child ${above.path}`
    const refused = checkLimits(scope, above.path === '' ? above.limits : above.agent.limits, carriedOf(above.used, undefined), about)
    if (refused !== undefined) return refused
  }
  return session === undefined ? undefined : checkLimits('session', session, carriedOf(root.used, carried), about)
}

/** Counts a call for its actor and all above it. */
export const count = (actor: Actor, about: About): void => {
  for (let above: Actor | undefined = actor; above !== undefined; above = above.parent?.actor) {
    if (about === 'model') above.used.modelCalls += 1
    if (about === 'tool') above.used.toolCalls += 1
  }
}

/** The failure of a state that was entered more often than it allows. */
export const tooManyVisits = (state: string, visits: number, maxVisits: number): Failure =>
  failure('loop_limit', `State ${state} was entered ${visits} times, more than its maxVisits of ${maxVisits}. Raise it, or route loop_limit to an answer with what is there.`, {
    details: { scope: 'state', limit: 'maxVisits', value: maxVisits, used: visits },
  })
