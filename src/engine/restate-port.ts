// The four verbs on Restate: a step is `ctx.run`, a timer is `ctx.sleep`, the inbox is an awakeable, and select is a race
// whose winner Restate remembers. Invariant: every call of the context is made in the same order on each attempt, so that
// an attempt after a crash sees the same arrivals at the same times, and none of its entries differs from what was written.
import { RestatePromise, type ObjectContext } from '@restatedev/restate-sdk'
import { failure, FailureError } from '../failure/index.ts'
import { chainHash, type InboxItem, type Outcome, type StoredEntry } from '../journal/index.ts'
import { attemptId, bodyOf, entryText, performStep, type Arrival, type Commit, type LivePort, type PortOptions, type StepIo, type StepRequest } from '../run/index.ts'
import { sha256 } from '../schema/index.ts'

/** Where outside events are awaited: state of the run's virtual object, read by those who wake it. */
export interface AwaitedInbox {
  /** Position in the run's inbox. */
  readonly n: number
  /** The awakeable to resolve with the item at that position. */
  readonly awakeable: string
}

/** State of a run's virtual object. */
export interface RunState {
  readonly inbox: AwaitedInbox
}

/** What an attempt at a step came to. */
type Performed = { readonly outcome: Outcome; readonly at: number } | { readonly doubt: true; readonly at: number }

/** Something that is pending, with what it turns into when it is first. */
type Pending = RestatePromise<() => Arrival>

/** What the port needs beside a run. */
export interface RestatePortOptions {
  readonly ctx: ObjectContext<{ inbox: AwaitedInbox }>
  /** Entries that an earlier attempt has written. */
  readonly stored: readonly StoredEntry[]
  /** How long a waiting run stays in its invocation before it leaves, milliseconds. */
  readonly holdMs: number
}

const idOf = (request: StepRequest): string => `${request.key}.${request.attempt}`

/** The port of one attempt. */
class RestatePort implements LivePort {
  readonly #options: PortOptions
  readonly #ctx: RestatePortOptions['ctx']
  readonly #holdMs: number
  readonly #stored: ReadonlyMap<number, StoredEntry>
  readonly #pending = new Map<string, Pending>()
  readonly #timers = new Map<string, number>()
  readonly #queue: StepRequest[] = []
  readonly #running = new Map<string, { readonly controller: AbortController; readonly stopDeadline: () => void }>()
  #head: PortOptions['head']
  #repeated = false
  #inbox = 0
  #armed = -1
  #stopped: Error | undefined

  constructor(options: PortOptions, { ctx, stored, holdMs }: RestatePortOptions) {
    this.#options = options
    this.#ctx = ctx
    this.#holdMs = holdMs
    this.#head = options.head
    this.#stored = new Map(stored.map((entry) => [entry.seq, entry]))
    // Restate gave up this attempt, and another one may already be at work.
    ctx.request().attemptCompletedSignal.addEventListener('abort', () => this.close())
  }

  head = (): PortOptions['head'] => this.#head
  repeated = (): boolean => this.#repeated
  step = (request: StepRequest): void => void this.#queue.push(request)
  inbox = (n: number): void => void (this.#inbox = n)

  timer = ({ key, dueAt }: { readonly key: string; readonly dueAt: number }): void => {
    this.#timers.set(key, dueAt)
    const sleep = this.#ctx.sleep(Math.max(0, dueAt - this.#options.acting.clock.now()), key)
    this.#pending.set(
      key,
      sleep.map(() => () => this.#timerArrival(key)),
    )
  }

  drop = (key: string): void => {
    const queued = this.#queue.findIndex((request) => idOf(request) === key)
    if (queued >= 0) this.#queue.splice(queued, 1)
    this.#pending.delete(key)
    this.#timers.delete(key)
    this.#abort(key, 'The run left the state.')
  }

  select = async (mayPark: boolean): Promise<Arrival | undefined> => {
    for (;;) {
      if (this.#stopped !== undefined) throw this.#stopped
      this.#begin()
      const posted = await this.#armInbox()
      if (posted !== undefined) return posted
      if (!mayPark) return (await RestatePromise.race([...this.#pending.values()]))()
      const arrived = await this.#waitWhileHeld()
      if (arrived !== 'held') return arrived
    }
  }

  commit = async (commit: Commit): Promise<void> => {
    const { arrival, row, settlement } = commit
    const text = entryText(bodyOf(commit))
    const seq = this.#head.seq + 1
    const { at } = arrival
    const hash = chainHash(this.#head.hash, seq, at, text)
    const stored = this.#stored.get(seq)
    if (stored !== undefined && stored.hash !== hash) this.#refuseChanged(seq)
    if (stored === undefined) await this.#options.journal.append(this.#options.lease, { seq, at, hash, text }, row, settlement)
    this.#repeated = stored !== undefined
    this.#head = { seq, hash, at }
  }

  close = (): void => {
    for (const id of this.#running.keys()) this.#abort(id, 'This attempt of the run is over.')
  }

  interrupt = (reason: Error): void => void (this.#stopped = reason)
  handOver = (reason: Error): void => void (this.#stopped = reason)

  #refuseChanged(seq: number): never {
    const { run } = this.#options.lease
    throw new FailureError(
      failure('definition_changed', `Run ${run} does not fold the same as in an earlier attempt at entry ${seq}. Serve the code that it began with until it ends or waits.`, { details: { run, seq } }),
    )
  }

  /** Milliseconds UTC, never before what was there. */
  #at(atMs: number): number {
    return Math.max(this.#head.at, atMs)
  }

  #timerArrival(key: string): Arrival {
    const dueAt = this.#timers.get(key) ?? 0
    this.#timers.delete(key)
    this.#pending.delete(key)
    return { cause: { type: 'timer', key }, at: this.#at(dueAt) }
  }

  #eventArrival(item: InboxItem): Arrival {
    this.#pending.delete('inbox')
    return { cause: { type: 'event', n: item.n, event: item.event, ...(item.by === undefined ? {} : { by: item.by }) }, at: this.#at(item.at) }
  }

  /** Begins queued steps while there is room: here and not when one finishes, so that the order is the same each time. */
  #begin(): void {
    while (this.#running.size < this.#options.parallel) {
      const request = this.#queue.shift()
      if (request === undefined) return
      this.#run(request)
    }
  }

  #run(request: StepRequest): void {
    const id = idOf(request)
    const controller = new AbortController()
    const running = { controller, stopDeadline: (): void => {} }
    this.#running.set(id, running)
    // After a person said `retry` the same attempt begins again, after a later entry.
    const after = this.#head.seq
    const performing = this.#ctx.run(id, () => this.#perform(request, after, running))
    this.#pending.set(
      id,
      performing.map((performed) => () => this.#stepArrival(request, performed as Performed)),
    )
  }

  #stepArrival({ key, attempt }: StepRequest, performed: Performed): Arrival {
    const id = `${key}.${attempt}`
    this.#running.delete(id)
    this.#pending.delete(id)
    const at = this.#at(performed.at)
    return 'doubt' in performed ? { cause: { type: 'resumed', doubt: [id] }, at } : { cause: { type: 'attempt', key, attempt, outcome: performed.outcome }, at }
  }

  async #perform(request: StepRequest, after: number, running: { readonly controller: AbortController; stopDeadline: () => void }): Promise<Performed> {
    const { acting, observer, emit, watched, journal, lease, secrets } = this.#options
    const { clock } = acting
    // A call that must not be repeated is noted before it begins: found noted, it may or may not have happened.
    if (request.safety === 'ask') {
      const note = JSON.stringify({ run: lease.run, step: idOf(request), after })
      if ((await journal.getContent(sha256(note))) !== undefined) return { doubt: true, at: clock.now() }
      await journal.putContent('begun', note)
    }
    const { controller } = running
    const { deadline } = request
    if (deadline !== undefined) running.stopDeadline = clock.timer(deadline.at - clock.now(), () => controller.abort(deadline.failure))
    const io: StepIo = { acting, attempt: attemptId(lease.run, request.key, request.attempt), signal: controller.signal, watched: watched(), emit, ...(deadline === undefined ? {} : { deadlineAt: deadline.at }) }
    try {
      const outcome = await performStep(request, io, observer, secrets)
      if (this.#running.get(idOf(request)) !== running) this.#options.abandoned(request, outcome)
      return { outcome, at: clock.now() }
    } finally {
      running.stopDeadline()
    }
  }

  #abort(id: string, message: string): void {
    const running = this.#running.get(id)
    this.#running.delete(id)
    running?.stopDeadline()
    running?.controller.abort(failure('cancelled', message))
  }

  /** Makes the event at the inbox's position pending. @returns it, when it is already there. */
  async #armInbox(): Promise<Arrival | undefined> {
    if (this.#armed === this.#inbox) return undefined
    const n = this.#inbox
    this.#armed = n
    const { id, promise } = this.#ctx.awakeable<InboxItem>()
    this.#ctx.set('inbox', { n, awakeable: id })
    this.#pending.set(
      'inbox',
      promise.map((item) => () => this.#eventArrival(item as InboxItem)),
    )
    const { item } = await this.#look(n)
    return item === undefined ? undefined : this.#eventArrival(item)
  }

  /** What is in the inbox now, and what time it is; the same on each attempt. */
  async #look(n: number): Promise<{ readonly item?: InboxItem; readonly now: number }> {
    const { journal, lease, acting } = this.#options
    return this.#ctx.run(`inbox ${n}`, async () => {
      const [item] = await journal.inbox(lease.run, n)
      return { ...(item === undefined ? {} : { item }), now: acting.clock.now() }
    })
  }

  /** Waits in the invocation for a while, then leaves it. @returns undefined to leave. */
  async #waitWhileHeld(): Promise<Arrival | undefined | 'held'> {
    if (this.#holdMs > 0) {
      const hold: RestatePromise<() => Arrival | undefined> = this.#ctx.sleep(this.#holdMs, 'hold').map(() => () => undefined)
      const first = (await RestatePromise.race([...this.#pending.values(), hold]))()
      if (first !== undefined) return first
    }
    // From here on an event starts a new invocation; one that came before is seen now.
    this.#ctx.clear('inbox')
    const n = this.#inbox
    const { item, now } = await this.#look(n)
    if (item !== undefined) return this.#eventArrival(item)
    const due = [...this.#timers].filter(([, dueAt]) => dueAt <= now).toSorted((a, b) => a[1] - b[1])[0]
    return due === undefined ? undefined : this.#timerArrival(due[0])
  }
}

/** Opens the port of one attempt. */
export const restatePort = (options: PortOptions, more: RestatePortOptions): LivePort => new RestatePort(options, more)
