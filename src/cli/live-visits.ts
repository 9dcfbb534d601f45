// The visits of a run as its events come in. Invariant: each visit is handed out once when it is over, in order.
import type { RunEvent } from '../run/index.ts'
import { beginVisit, bill, notePrompt, startedBy, type Standing, type Visit } from './visit.ts'

/** What an event changed for those who print. */
export type Change = { readonly type: 'over'; readonly visit: Visit; readonly standing: Standing } | { readonly type: 'retry'; readonly visit: Visit; readonly code: string; readonly delayMs: number } | undefined

/** A visit under way, with the end of what its model says. */
interface OpenVisit {
  readonly visit: Visit
  said: string
  /** True when states inside of it were entered: those are shown instead. */
  container: boolean
}

/** Characters of streamed text that are kept to be shown. */
const KEPT = 400

const actorOf = (key: string): string => key.slice(0, key.lastIndexOf('/'))

/** Follows a run. */
export class LiveVisits {
  readonly #open: OpenVisit[] = []

  /** Visits under way, outermost first, without those that only hold others. */
  get open(): readonly { readonly visit: Visit; readonly said: string }[] {
    return this.#open.filter(({ container }) => !container)
  }

  /** Goes on with visits that began before this process looked. */
  constructor(open: readonly Visit[] = []) {
    for (const visit of open) this.#open.push({ visit, said: '', container: false })
  }

  take(event: RunEvent): Change {
    switch (event.type) {
      case 'state.entered':
        return this.#enter(event)
      case 'state.left':
        return this.#leave(event)
      case 'attempt.ended':
        return this.#attempt(event)
      case 'failure.raised': {
        const found = this.#find(event.actor, event.state)
        if (found === undefined) return undefined
        if (found.visit.failures.at(-1) !== event.failure.code) found.visit.failures.push(event.failure.code)
        found.visit.failed = true
        return undefined
      }
      case 'token.delta': {
        const found = this.#find(actorOf(event.key), event.state)
        if (found !== undefined) found.said = (found.said + event.text).slice(-KEPT)
        return undefined
      }
      case 'attempt.discarded': {
        const found = this.#find(actorOf(event.key), event.state)
        if (found !== undefined) found.said = ''
        return undefined
      }
      default:
        return undefined
    }
  }

  #find(actor: string, state: string): OpenVisit | undefined {
    return this.#open.findLast(({ visit }) => visit.actor === actor && visit.state === state)
  }

  #enter({ actor, state, kind, at }: Extract<RunEvent, { readonly type: 'state.entered' }>): Change {
    for (const outer of this.#open) if (outer.visit.actor === actor && state.startsWith(`${outer.visit.state}.`)) outer.container = true
    const visit = beginVisit(actor, state, at, kind)
    // Nobody tells when a child machine stops, so its final state is over at once.
    if (kind === 'final' && actor !== '') return { type: 'over', visit, standing: 'final' }
    this.#open.push({ visit, said: '', container: false })
    return undefined
  }

  #leave({ actor, state, at }: Extract<RunEvent, { readonly type: 'state.left' }>): Change {
    const found = this.#find(actor, state)
    if (found === undefined) return undefined
    const stays = this.#open.filter((other) => other !== found && !startedBy(found.visit, other.visit.actor))
    this.#open.splice(0, this.#open.length, ...stays)
    found.visit.leftAt = at
    return found.container ? undefined : { type: 'over', visit: found.visit, standing: 'left' }
  }

  #attempt(event: Extract<RunEvent, { readonly type: 'attempt.ended' }>): Change {
    const found = this.#find(event.actor, event.state)
    if (found === undefined) return undefined
    const { visit } = found
    visit.attempts += 1
    bill(visit, event.usage, event.costUsd === undefined ? 0 : event.costUsd === null ? null : Math.round(event.costUsd * 1e9))
    notePrompt(visit, event)
    found.said = ''
    if (event.failure === undefined) return undefined
    visit.failures.push(event.failure.code)
    return event.retryInMs === undefined ? undefined : { type: 'retry', visit, code: event.failure.code, delayMs: event.retryInMs }
  }
}
