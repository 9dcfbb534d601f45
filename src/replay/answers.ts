// Who answers a replayed run: the recording, in the order in which things came then, and for some effects the world.
// It is a port like any other, so the driver does not know that it replays. Invariant: each recorded cause is used once.
import type { Cause, Entry, Outcome } from '../journal/index.ts'
import type { Arrival, Commit, DurablePort, StepRequest } from '../run/index.ts'
import { argsHashOf, idOf, type Ask } from './recording.ts'

type AttemptCause = Extract<Cause, { readonly type: 'attempt' }>

/** A recorded attempt as it answers a request. */
export interface Answer {
  readonly entry: Entry
  readonly cause: AttemptCause
}

/** What a port needs to answer. */
export interface AnswersOptions {
  /** Entries after the first arrival. */
  readonly entries: readonly Entry[]
  readonly asks: ReadonlyMap<string, Ask>
  /** What an attempt is found by: its key; else what it calls, in order; or what it calls with the same arguments. */
  readonly findBy: 'key' | 'name' | 'call'
  /** Performs what is to happen anew; undefined for what the recording answers. */
  readonly perform: (request: StepRequest) => Promise<Outcome> | undefined
  /** Called with each request and the recorded attempt that answers it, if there is one. */
  readonly onRequest: (request: StepRequest, answer: Answer | undefined) => void
  /** Called when a request that was performed anew has its outcome. */
  readonly onPerformed: (request: StepRequest, answer: Answer | undefined, outcome: Outcome) => void
  /** Called once an arrival is folded. `entry` is the recorded one it came from. `inOrder` is false once an arrival overtook another. */
  readonly onCommit: (commit: Commit, entry: Entry | undefined, inOrder: boolean) => void
}

const isAttempt = (entry: Entry): boolean => entry.body.cause.type === 'attempt'

/** The part of a timer's key that stays when its state is renamed. */
const timerName = (key: string): string => key.slice(key.search(/[~:]/))

/** Recorded attempts, found by the request they answer. */
class AttemptIndex {
  readonly #byId = new Map<string, Answer>()
  readonly #taken = new Set<Answer>()
  readonly #options: AnswersOptions

  constructor(options: AnswersOptions) {
    this.#options = options
    for (const entry of options.entries) {
      const { cause } = entry.body
      if (cause.type === 'attempt') this.#byId.set(idOf(cause), { entry, cause })
    }
  }

  find(request: StepRequest): Answer | undefined {
    const { findBy } = this.#options
    const exact = this.#byId.get(idOf(request))
    const fits = exact !== undefined && !this.#taken.has(exact) && (findBy !== 'call' || this.#asksAlike(idOf(request), request, true))
    const answer = fits ? exact : findBy === 'key' ? undefined : (this.#alike(request, false) ?? (findBy === 'call' ? this.#alike(request, true) : undefined))
    if (answer !== undefined) this.#taken.add(answer)
    return answer
  }

  /** The first attempt of the same call. @param again also one that answered before. */
  #alike(request: StepRequest, again: boolean): Answer | undefined {
    for (const [id, answer] of this.#byId) {
      const free = again || !this.#taken.has(answer)
      if (free && answer.cause.attempt === request.attempt && this.#asksAlike(id, request, this.#options.findBy === 'call')) return answer
    }
    return undefined
  }

  #asksAlike(id: string, { kind, name, args }: StepRequest, withArgs: boolean): boolean {
    const ask = this.#options.asks.get(id)
    return ask?.kind === kind && ask.name === name && (!withArgs || ask.argsHash === argsHashOf(args))
  }
}

/** An effect that is performed anew. */
interface Performing {
  readonly answer: Answer | undefined
  readonly outcome: Promise<Outcome>
}

/** The port of a replay. */
export class Answers implements DurablePort {
  readonly #options: AnswersOptions
  readonly #index: AttemptIndex
  readonly #used = new Set<Entry>()
  readonly #requests = new Map<string, StepRequest>()
  readonly #answers = new Map<Entry, StepRequest>()
  readonly #performing = new Map<string, Performing>()
  readonly #timers = new Map<string, number>()
  #performs = false
  #next = 0
  #at = 0
  #position = 0
  #inOrder = true
  #current: Entry | undefined

  constructor(options: AnswersOptions) {
    this.#options = options
    this.#index = new AttemptIndex(options)
  }

  /** The first arrival of the run comes from this entry. */
  begin(entry: Entry): Arrival {
    this.#current = entry
    return this.#arrive(entry.body.cause, entry.at)
  }

  step(request: StepRequest): void {
    const answer = this.#index.find(request)
    this.#requests.set(idOf(request), request)
    if (answer !== undefined) this.#answers.set(answer.entry, request)
    this.#options.onRequest(request, answer)
    const again = answer !== undefined && this.#used.has(answer.entry) ? Promise.resolve(answer.cause.outcome) : undefined
    const outcome = this.#options.perform(request) ?? again
    if (outcome === undefined) return
    this.#performs = true
    this.#performing.set(idOf(request), { answer, outcome })
  }

  timer({ key, dueAt }: Parameters<DurablePort['timer']>[0]): void {
    this.#timers.set(key, dueAt)
  }

  inbox(n: number): void {
    this.#position = n
  }

  drop(key: string): void {
    this.#requests.delete(key)
    this.#timers.delete(key)
  }

  async select(mayPark: boolean): Promise<Arrival | undefined> {
    const { entries } = this.#options
    while (this.#used.has(entries[this.#next] as Entry)) this.#next++
    for (let look = this.#next; look < entries.length; look++) {
      const entry = entries[look] as Entry
      const coming = this.#used.has(entry) ? undefined : this.#causeNow(entry, look === this.#next, mayPark)
      if (coming === undefined) continue
      if (look !== this.#next) this.#inOrder = false
      return this.#take(entry, coming)
    }
    return this.#performs ? this.#unrecorded() : undefined
  }

  async commit(commit: Commit): Promise<void> {
    const { cause } = commit.arrival
    if (cause.type === 'attempt') {
      this.#requests.delete(idOf(cause))
      this.#performing.delete(idOf(cause))
    }
    if (cause.type === 'timer') this.#timers.delete(cause.key)
    this.#options.onCommit(commit, this.#current, this.#inOrder)
  }

  /** Recorded attempts that nothing asked for. */
  unused(): readonly Answer[] {
    return this.#options.entries.flatMap((entry) => (isAttempt(entry) && !this.#used.has(entry) ? [{ entry, cause: entry.body.cause as AttemptCause }] : []))
  }

  /** Requests that nothing answered. */
  open(): readonly StepRequest[] {
    return [...this.#requests.values()]
  }

  #arrive(cause: Cause, atMs: number): Arrival {
    this.#at = Math.max(this.#at, atMs)
    return { cause, at: this.#at }
  }

  /** The cause of a recorded entry as the run can take it now, or the request it answers; undefined when it cannot come yet. */
  #causeNow(entry: Entry, first: boolean, mayPark: boolean): Cause | StepRequest | undefined {
    const { cause } = entry.body
    switch (cause.type) {
      case 'attempt': {
        const request = this.#answers.get(entry)
        return request !== undefined && this.#requests.has(idOf(request)) ? request : undefined
      }
      case 'timer': {
        const alike = (open: string): boolean => this.#options.findBy !== 'key' && timerName(open) === timerName(cause.key)
        const key = this.#timers.has(cause.key) ? cause.key : [...this.#timers.keys()].find(alike)
        return key === undefined ? undefined : { type: 'timer', key }
      }
      case 'event':
        return first || mayPark ? { ...cause, n: this.#position } : undefined
      case 'start':
      case 'resumed':
      case 'migrated':
        return first ? cause : undefined
    }
  }

  async #take(entry: Entry, coming: Cause | StepRequest): Promise<Arrival | undefined> {
    this.#used.add(entry)
    this.#current = entry
    if ('type' in coming) return this.#arrive(coming, entry.at)
    const { cause } = entry.body
    const outcome = await this.#outcome(coming, cause.type === 'attempt' ? cause.outcome : undefined)
    return outcome === undefined ? undefined : this.#arrive({ type: 'attempt', key: coming.key, attempt: coming.attempt, outcome }, entry.at)
  }

  /** What the recording does not have: an effect performed anew, or a retry that an outcome of today led to. */
  async #unrecorded(): Promise<Arrival | undefined> {
    this.#current = undefined
    for (const request of this.#requests.values()) {
      const outcome = await this.#outcome(request, undefined)
      if (outcome !== undefined) return this.#arrive({ type: 'attempt', key: request.key, attempt: request.attempt, outcome }, this.#at)
    }
    const [due] = [...this.#timers].filter(([key]) => key.endsWith('~retry')).sort(([, a], [, b]) => a - b)
    return due === undefined ? undefined : this.#arrive({ type: 'timer', key: due[0] }, due[1])
  }

  async #outcome(request: StepRequest, recorded: Outcome | undefined): Promise<Outcome | undefined> {
    const work = this.#performing.get(idOf(request))
    if (work === undefined) return recorded
    const outcome = await work.outcome
    this.#options.onPerformed(request, work.answer, outcome)
    return outcome
  }
}
