// The runtime: starts runs, takes them up again, sends them events and lists them. It owns what acting needs (providers,
// prices, services, the clock) and the journal; everything a run decides is in its fold.
import { promptsOf, recordedAgent, type Agent, type KeyedCalls, type Limits } from '../agent/index.ts'
import { systemClock, type Clock } from '../clock/index.ts'
import { fail, failure, FailureError, type Json } from '../failure/index.ts'
import { memoryJournal, watchers, type Entry, type EntryBody, type Journal, type RunFilter, type RunRow } from '../journal/index.ts'
import type { PromptChooser } from '../prompt/index.ts'
import { actingOf, secretsOf, type ActingOptions } from './acting.ts'
import { spenderOf } from './call/bill.ts'
import type { PolicyView } from './call/policies.ts'
import type { Acting } from './effect.ts'
import type { Observer } from './observer.ts'
import { contentFromEnvironment, traceRuns } from './observe/trace-runs.ts'
import { hostRuntime } from './engine-host.ts'
import { EventStream } from './event-stream.ts'
import type { OutsideEvent, RunHandle } from './handle.ts'
import { liveRun, outcomeOf, type LiveRun, type LiveRunParts } from './live-run.ts'
import type { RunOutcome } from './outcome.ts'
import { EMBEDDED, prepareStart, type StartOptions } from './prepare-start.ts'
import { guardedJournal } from './secrets.ts'
import { prepareResume } from './resume.ts'
import type { RunEvent } from './run-event.ts'
import { checkEvent } from './send.ts'
import { SNAPSHOT_EVERY } from './snapshots.ts'
import { work, type DriveOptions, type DriveResult } from './work.ts'

/** What a runtime is made of; every part has a default. */
export interface RuntimeOptions extends ActingOptions {
  /** Default: memory, which forgets when the process ends. */
  readonly journal?: Journal
  /** Agents that `resume` and `send` may have to continue; those given to `start` are known anyway. Default: none. */
  readonly agents?: readonly Agent[]
  /** Chooses versions of prompts, such as `promptLock({ path })`. Default: what the code holds. */
  readonly prompts?: PromptChooser
  /** Time, randomness and ids. Default: the system's. */
  readonly clock?: Clock
  /** How long a lease lasts without renewal, milliseconds. Default 30,000. */
  readonly leaseMs?: number
  /** A long run leaves a snapshot after so many entries, so that a process that takes it up need not fold all of them. Default 1,000. */
  readonly snapshotEvery?: number
  /**
   * What OpenTelemetry gets, once the application has registered a provider; without one, nothing happens. `content` adds
   * what people, models and tools said. Default `metadata`, or `content` when the usual
   * `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` asks for it.
   */
  readonly trace?: 'off' | 'metadata' | 'content'
  /** Logs and other onlookers: who sees what the runs of this runtime do. Default: none. */
  readonly observers?: readonly Observer[]
}

/** Options of `resume`. */
export interface ResumeOptions {
  /** The agent to go on with; default: the one known by the run's agent id. */
  readonly agent?: Agent
  /** Also resume a run whose agent changed, as long as every recorded entry folds the same. Default false. */
  readonly acceptChanged?: boolean
  /** Streams tokens from the first call on, even before somebody reads the events. Default false. */
  readonly stream?: boolean
}

/** Options of `enqueue`. */
export interface EnqueueOptions extends Omit<StartOptions, 'stream'> {
  /** Higher ones are taken first. Default 0. */
  readonly priority?: number
}

/** Options of `record`. */
export interface RecordOptions extends StartOptions {
  /** Limits of the run. Default: see {@link Limits}. */
  readonly limits?: Limits
}

/** Starts and continues runs. */
export interface Runtime extends AsyncDisposable {
  /** Where its runs are remembered. */
  readonly journal: Journal
  /**
   * Starts a run.
   * @throws FailureError `invalid_input`, `session_busy`, `prompt_unusable`, `journal_unavailable`, `draining`; `throttled` when too many runs are at work for the user, route, tenant or agent.
   */
  start<I, O, E>(agent: Agent<I, O, E>, input: NoInfer<I>, options?: StartOptions): Promise<RunHandle<O, E>>
  /**
   * Runs a hand-written loop, and traces, prices and journals what it calls through `run`. Record it again under the same
   * `key` to go on with it after a crash: what was called before gives its recorded result.
   * @throws FailureError as `start`; `agent_invalid` for a name that is no name.
   */
  record<O>(name: string, options: RecordOptions, loop: (run: KeyedCalls) => O | Promise<O>): Promise<RunHandle<O>>
  /**
   * Puts a run into the queue; a worker on the same journal begins it: `drive`, or `stateloop worker`. Limits on runs at work
   * are met there: the run stays in the queue until it has a place.
   * @throws FailureError `invalid_input`, `session_busy`, `journal_unavailable`, `draining`.
   */
  enqueue<I, O, E>(agent: Agent<I, O, E>, input: NoInfer<I>, options?: EnqueueOptions): Promise<{ readonly id: string; readonly created: boolean }>
  /**
   * Works through what the journal holds for the agents of this runtime: goes on with runs that nobody drives, fires timers
   * that are due, takes up events and begins queued runs. Runs that wait leave memory.
   *
   * @example await runtime.drive({ maxMs: 50_000 }) // in a cron job or a serverless function
   * @throws FailureError `journal_unavailable`.
   */
  drive(options?: DriveOptions): Promise<DriveResult>
  /**
   * Goes on with a run from where its journal ends.
   * @throws FailureError `run_not_found`, `agent_not_found`, `lease_held`, `definition_changed`, `prompt_unusable`, `journal_corrupt`; `throttled` for a queued run when too many are at work.
   */
  resume(run: string, options?: ResumeOptions): Promise<RunHandle>
  /**
   * Sends an event, and goes on with the run here when nobody else drives it and the agent is known.
   * @param by who sends it, for the journal.
   * @throws FailureError `run_not_found`, `run_ended`, `invalid_event`, `event_not_accepted`, `journal_unavailable`.
   */
  send(run: string, event: OutsideEvent, by?: string): Promise<void>
  /** Ends a run as `cancelled`, whoever drives it; does nothing when it has ended. @throws FailureError `run_not_found`, `journal_unavailable`. */
  cancel(run: string, reason?: string): Promise<void>
  /**
   * Calls `take`, which must not throw, for each event of a run while this process drives it: first for those still kept,
   * then for each as it comes, tokens included. What other processes do is in the journal only.
   * @returns stops watching.
   */
  watch(run: string, take: (event: RunEvent) => void): () => void
  /**
   * Resolves when the run has ended or waits, as its handle's `outcome` does; at once for a run that this process does not drive.
   * @throws FailureError `run_not_found`, `lease_lost`, `journal_unavailable`, `draining`.
   */
  outcome(run: string): Promise<RunOutcome>
  /** Circuits and limiters of this runtime, as they stand now. */
  policies(): PolicyView
  /** Keeps bytes for message parts to name by hash: `{ type: 'image', data: { blob: hash } }`. @returns the hash. */
  putBlob(bytes: Uint8Array): Promise<string>
  /** A run as lists show it; undefined when there is none. @throws FailureError `journal_unavailable`. */
  get(run: string): Promise<RunRow | undefined>
  /** Runs that match, newest first. @throws FailureError `journal_unavailable`. */
  list(filter?: RunFilter): Promise<readonly RunRow[]>
  /** Entries of a run, parsed. @throws FailureError `run_not_found`, `journal_corrupt`, `journal_rolled_back`, `journal_unavailable`. */
  entries(run: string): Promise<readonly Entry[]>
  /** Takes no new runs, waits up to `graceMs` (default 5,000) for those at work, then leaves them resumable. */
  close(graceMs?: number): Promise<void>
}

const ENDED: ReadonlySet<string> = new Set(['done', 'failed', 'limited', 'cancelled'])

/** Runs at work in this process, and everything that takes them up, sends to them and lets them go. */
class LocalRuntime implements Runtime {
  readonly journal: Journal
  readonly #acting: Acting
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #snapshotEvery: number
  readonly #owner: string
  readonly #prompts: PromptChooser | undefined
  readonly #agents: Map<string, Agent>
  readonly #live = new Map<string, LiveRun>()
  readonly #watchers = watchers<RunEvent>()
  /** Runs at work that got an event which their driver may not have seen before it parked. */
  readonly #posted = new Set<string>()
  readonly #takingUp = new Map<string, Promise<void>>()
  readonly #expiries = new Map<string, () => void>()
  #closing = false

  constructor({ journal, clock = systemClock, leaseMs = 30_000, snapshotEvery = SNAPSHOT_EVERY, trace = contentFromEnvironment(), ...options }: RuntimeOptions) {
    this.journal = journal ?? memoryJournal({ clock })
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#snapshotEvery = snapshotEvery
    this.#owner = clock.id()
    this.#agents = new Map((options.agents ?? []).map((agent) => [agent.id, agent]))
    this.#prompts = options.prompts
    this.#prompts?.check((options.agents ?? []).flatMap(promptsOf))
    const secrets = secretsOf(options, clock)
    const observers = [...(trace === 'off' ? [] : [traceRuns({ clock, content: trace === 'content', secrets })]), ...(options.observers ?? [])]
    this.#acting = actingOf(options, clock, guardedJournal(this.journal, secrets), observers, secrets)
    hostRuntime(this, { journal: this.journal, acting: this.#acting, owner: this.#owner, agents: this.#agents, prompts: this.#prompts, watchers: this.#watchers })
  }

  async start<I, O, E>(agent: Agent<I, O, E>, input: NoInfer<I>, options: StartOptions = {}): Promise<RunHandle<O, E>> {
    if (this.#closing) fail('draining', 'The runtime is shutting down and takes no new runs.')
    const events = new EventStream(options.stream)
    const prepared = await prepareStart({ ...this.#starting(agent), input, options, admit: this.#acting.budgets.admit })
    if (prepared.created) this.#go({ ...prepared.parts, events })
    else await this.#takeUpIfFree(prepared.run, events)
    return this.#handle<O, E>(prepared.run, prepared.created, this.#live.get(prepared.run)?.events ?? events)
  }

  record<O>(name: string, { limits, ...options }: RecordOptions, loop: (run: KeyedCalls) => O | Promise<O>): Promise<RunHandle<O>> {
    return this.start(recordedAgent(name, loop, limits) as Agent<object, O, OutsideEvent>, {}, options)
  }

  async enqueue<I, O, E>(agent: Agent<I, O, E>, input: NoInfer<I>, { priority = 0, ...options }: EnqueueOptions = {}): Promise<{ readonly id: string; readonly created: boolean }> {
    if (this.#closing) fail('draining', 'The runtime is shutting down and takes no new runs.')
    const prepared = await prepareStart({ ...this.#starting(agent), input, options, queue: { priority } })
    if (prepared.created) await this.journal.release(prepared.parts.lease)
    return { id: prepared.run, created: prepared.created }
  }

  drive(options: DriveOptions = {}): Promise<DriveResult> {
    const takeUp = (run: string, acceptChanged: boolean): Promise<void> => this.#takeUp(run, new EventStream(), { acceptChanged, evict: true })
    return work({ journal: this.journal, clock: this.#clock, agents: () => [...this.#agents.values()], live: this.#live, takeUp }, options)
  }

  async resume(run: string, options: ResumeOptions = {}): Promise<RunHandle> {
    const events = new EventStream(options.stream)
    const row = await this.#row(run)
    if (options.agent !== undefined) this.#agents.set(options.agent.id, options.agent)
    if (ENDED.has(row.status)) events.close()
    else await this.#takeUp(run, events, options)
    return this.#handle(run, false, this.#live.get(run)?.events ?? events)
  }

  send(run: string, event: OutsideEvent, by?: string): Promise<void> {
    return this.#post(run, event, by)
  }

  async cancel(run: string, reason?: string, events?: EventStream): Promise<void> {
    const row = await this.#row(run)
    if (!ENDED.has(row.status)) await this.#deliver(row, { type: 'stateloop.cancel', ...(reason === undefined ? {} : { reason }) }, undefined, events)
  }

  watch(run: string, take: (event: RunEvent) => void): () => void {
    this.#live.get(run)?.events.kept.forEach(take)
    return this.#watchers.add(run, take)
  }

  outcome(run: string): Promise<RunOutcome> {
    return this.#outcome(run)
  }

  policies(): PolicyView {
    return this.#acting.policies.view()
  }

  putBlob(bytes: Uint8Array): Promise<string> {
    return this.journal.putContent('blob', Buffer.from(bytes).toString('base64'))
  }

  get(run: string): Promise<RunRow | undefined> {
    return this.journal.get(run)
  }

  list(filter?: RunFilter): Promise<readonly RunRow[]> {
    return this.journal.list(filter)
  }

  async entries(run: string): Promise<readonly Entry[]> {
    return (await this.journal.read(run)).map(({ seq, at, hash, text }) => ({ seq, at, hash, body: JSON.parse(text) as EntryBody }))
  }

  async close(graceMs = 5_000): Promise<void> {
    this.#closing = true
    for (const cancelExpiry of this.#expiries.values()) cancelExpiry()
    let stopTimer = (): void => {}
    const graceOver = new Promise<void>((resolve) => {
      stopTimer = this.#clock.timer(graceMs, resolve, true)
    })
    await Promise.race([this.#settleAll(), graceOver])
    stopTimer()
    for (const run of this.#live.values()) run.stop(new FailureError(failure('draining', 'The runtime was closed while the run was at work. Resume it elsewhere.')))
    await this.#settleAll()
    for (const observer of this.#acting.observers) await observer.close?.()
    await this.journal.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #settleAll(): Promise<void> {
    await Promise.allSettled([...this.#live.values()].map((run) => run.settled))
  }

  #go(parts: Omit<LiveRunParts, 'journal' | 'acting' | 'leaseMs' | 'watchers' | 'snapshotEvery'>): LiveRun {
    const run = liveRun({ ...parts, journal: this.journal, acting: this.#acting, leaseMs: this.#leaseMs, watchers: this.#watchers, snapshotEvery: this.#snapshotEvery })
    const { id } = parts.fold.info
    this.#live.set(id, run)
    run.settled.then(
      (how) => {
        this.#live.delete(id)
        if (how === 'ended') parts.events.close()
        else this.#parked(id, run, parts.evict === true)
      },
      () => {
        this.#live.delete(id)
        parts.events.close()
      },
    )
    return run
  }

  /** What every start needs; the agent is known from now on. */
  #starting(agent: Agent): Omit<Parameters<typeof prepareStart>[0], 'input' | 'options'> {
    this.#agents.set(agent.id, agent)
    return { journal: this.journal, clock: this.#clock, owner: this.#owner, leaseMs: this.#leaseMs, agent, prompts: this.#prompts, observers: this.#acting.observers, secrets: this.#acting.secrets }
  }

  /** Takes a parked run up again when its earliest timer is due, or at once when an event came while it was parking. */
  #parked(id: string, run: LiveRun, evicted: boolean): void {
    if (this.#posted.delete(id)) {
      const taking = this.#takeUpIfFree(id, run.events).catch(() => {})
      this.#takingUp.set(id, taking)
      return void taking.finally(() => this.#takingUp.delete(id))
    }
    if (evicted) return
    const due = [...run.fold.timers.values()].map((timer) => timer.dueAt)
    if (due.length === 0 || this.#closing) return
    this.#expiries.get(id)?.()
    this.#expiries.set(
      id,
      this.#clock.timer(Math.min(...due) - this.#clock.now(), () => void this.#takeUp(id, run.events).catch(() => {}), true),
    )
  }

  async #row(id: string): Promise<RunRow> {
    return (await this.journal.get(id)) ?? fail('run_not_found', `The journal has no run ${id}. List runs with \`stateloop runs\`.`)
  }

  async #takeUp(id: string, events: EventStream, { agent, acceptChanged = false, evict = false }: ResumeOptions & { readonly evict?: boolean } = {}): Promise<void> {
    if (this.#live.has(id)) return
    if (this.#closing) fail('draining', 'The runtime is shutting down. Resume the run in another process.')
    const row = await this.#row(id)
    if (ENDED.has(row.status)) return
    if (row.engine !== EMBEDDED) fail('other_engine', `Run ${id} is driven by ${row.engine}, so it cannot be taken up here. Send it events as usual; ${row.engine} goes on with it.`)
    const chosen =
      agent ?? this.#agents.get(row.agent) ?? fail('agent_not_found', `Run ${id} belongs to agent ${row.agent}, which this runtime does not know. Pass it: resume(id, { agent }) or createRuntime({ agents }).`)
    const lease = await this.journal.acquire(id, this.#owner, this.#leaseMs)
    try {
      this.#expiries.get(id)?.()
      const prepared = await prepareResume({ journal: this.journal, clock: this.#clock, row, agent: chosen, acceptChanged, prompts: this.#prompts })
      // A queued run that was cancelled needs no place among the runs at work.
      const begins = row.status === 'queued' && prepared.first?.cause.type === 'resumed'
      const admitted = begins ? await this.#acting.budgets.admit(spenderOf(prepared.fold.info)) : () => {}
      void this.#go({ ...prepared, lease, events, evict }).settled.then(admitted, admitted)
    } catch (error) {
      await this.journal.release(lease).catch(() => {})
      throw error
    }
  }

  /** Takes a run up unless another process drives it, or it waits in the queue for a place among the runs at work. */
  async #takeUpIfFree(id: string, events: EventStream): Promise<void> {
    try {
      await this.#takeUp(id, events)
    } catch (error) {
      if (!(error instanceof FailureError && (error.code === 'lease_held' || error.code === 'throttled'))) throw error
    }
  }

  async #outcome<O>(id: string): Promise<RunOutcome<O>> {
    // An event that came while the run was parking is taken up before anybody hears that it waits.
    const busy = (): Promise<unknown> | undefined => this.#live.get(id)?.settled ?? this.#takingUp.get(id)
    for (let work = busy(); work !== undefined; work = busy()) await work
    const row = await this.#row(id)
    if (!ENDED.has(row.status)) return outcomeOf<O>(row, undefined)
    const [last] = await this.journal.read(id, row.seq)
    return outcomeOf<O>(row, last === undefined ? undefined : (JSON.parse(last.text) as EntryBody).end)
  }

  async #post(id: string, event: OutsideEvent, by: string | undefined, events?: EventStream): Promise<void> {
    const row = await this.#row(id)
    const agent = this.#live.get(id)?.fold.agent ?? this.#agents.get(row.agent)
    const { type, ...payload } = checkEvent(row, agent, event)
    await this.#deliver(row, { ...(this.#acting.secrets.of(id).hide(agent?.events[type], payload as Json) as object), type }, by, events)
  }

  /** Puts an event, which must have been checked, into the run's inbox, and goes on with the run if nobody does. */
  async #deliver({ id, agent, engine }: RunRow, event: OutsideEvent, by: string | undefined, events = new EventStream()): Promise<void> {
    await this.journal.post(id, event, by)
    if (this.#live.has(id)) this.#posted.add(id)
    else if (this.#agents.has(agent) && engine === EMBEDDED) await this.#takeUpIfFree(id, events)
  }

  #handle<O, E>(id: string, created: boolean, events: EventStream): RunHandle<O, E> {
    return {
      id,
      created,
      outcome: () => this.#outcome<O>(id),
      send: (event, by) => this.#post(id, event as OutsideEvent, by, events),
      cancel: (reason) => this.cancel(id, reason, events),
      [Symbol.asyncIterator]: () => events.read(),
    }
  }
}

/**
 * Makes a runtime: what starts runs of agents, goes on with them and remembers them.
 * @throws FailureError `usage` for a budget that cannot be read.
 * @example
 * await using runtime = createRuntime({ providers: [openai()], journal: sqliteJournal({ path: '.stateloop/stateloop.db' }) })
 */
export const createRuntime = (options: RuntimeOptions = {}): Runtime => new LocalRuntime(options)
