// The model calls of a run that are under way, from the events of the process that drives it. Invariant: bounded, however
// long a reply; a call is forgotten as soon as its result is in the journal.
import type { RunEvent } from '../../run/index.ts'
import type { LiveAttempt, LiveCall } from '../page/wire.ts'
import { clip } from './clip.ts'

/** Characters of an attempt that are kept, the last ones. */
const LONGEST = 8_000
const MOST_CALLS = 20
const MOST_ATTEMPTS = 5

/** Kinds of calls whose words are streamed. */
const SPEAKS: ReadonlySet<string> = new Set(['model', 'decide', 'compact'])

interface Writing {
  readonly state: string
  readonly name: string
  readonly attempts: Map<number, LiveAttempt>
}

/** Calls under way. */
export class LiveCalls {
  readonly #calls = new Map<string, Writing>()
  #changed = false

  /** The calls, when something changed since they were asked for last. */
  news(): readonly LiveCall[] | undefined {
    if (!this.#changed) return undefined
    this.#changed = false
    return [...this.#calls].slice(-MOST_CALLS).map(([key, { state, name, attempts }]) => ({ key, state, name, attempts: [...attempts.values()].slice(-MOST_ATTEMPTS) }))
  }

  /** Takes an event of the run in. */
  take(event: RunEvent): void {
    switch (event.type) {
      case 'effect.started':
        if (SPEAKS.has(event.kind)) this.#begin(event.key, event.state, event.name, event.attempt)
        return
      case 'token.delta':
        return this.#write(event.key, (attempt) => ({ ...attempt, text: (attempt.text + event.text).slice(-LONGEST) }))
      case 'output.partial':
        return this.#write(event.key, (attempt) => ({ ...attempt, partial: clip(event.value) }))
      case 'attempt.discarded':
        return this.#discard(event.key, event.attempt)
      case 'attempt.ended':
        return this.#end(event.key, event.attempt)
      case 'run.waiting':
      case 'run.ended':
        this.#changed ||= this.#calls.size > 0
        return this.#calls.clear()
      case 'state.left':
        for (const [key, { state }] of this.#calls) if (state === event.state || state === `${event.actor}/${event.state}`) this.#forget(key)
        return
      default:
        return undefined
    }
  }

  #begin(key: string, state: string, name: string, number: number): void {
    const call = this.#calls.get(key) ?? { state, name, attempts: new Map<number, LiveAttempt>() }
    this.#calls.set(key, call)
    call.attempts.set(number, { number, text: '', discarded: false })
    this.#changed = true
  }

  #write(key: string, change: (attempt: LiveAttempt) => LiveAttempt): void {
    const attempts = this.#calls.get(key)?.attempts
    const latest = [...(attempts?.values() ?? [])].at(-1)
    if (latest === undefined) return
    attempts?.set(latest.number, change(latest))
    this.#changed = true
  }

  #discard(key: string, number: number): void {
    const attempts = this.#calls.get(key)?.attempts
    const attempt = attempts?.get(number)
    if (attempt === undefined) return
    attempts?.set(number, { ...attempt, discarded: true })
    this.#changed = true
  }

  /** A call whose attempt was not discarded is over. */
  #end(key: string, number: number): void {
    if (this.#calls.get(key)?.attempts.get(number)?.discarded === false) this.#forget(key)
  }

  #forget(key: string): void {
    this.#changed = this.#calls.delete(key) || this.#changed
  }
}
