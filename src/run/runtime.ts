// The runtime: starts runs, takes them up again, sends them events and lists them. It owns what acting needs (providers,
// prices, services, the clock) and the journal; everything a run decides is in its fold.
import type { Agent } from '../agent/index.ts'
import { systemClock, type Clock } from '../clock/index.ts'
import { priceTable, type PricePort } from '../cost/index.ts'
import { fail, failure, FailureError, type Json } from '../failure/index.ts'
import { memoryJournal, type Entry, type EntryBody, type Journal, type RunEnd, type RunFilter, type RunRow } from '../journal/index.ts'
import type { ModelProvider } from '../model/index.ts'
import { noTracer } from '../trace/index.ts'
import type { Acting } from './effect.ts'
import { EventStream } from './event-stream.ts'
import type { OutsideEvent, RunHandle } from './handle.ts'
import { isResumable, liveRun, outcomeOf, type LiveRun, type LiveRunParts } from './live-run.ts'
import type { RunOutcome } from './outcome.ts'
import { prepareStart, type StartOptions } from './prepare-start.ts'
import { prepareResume } from './resume.ts'
import { reservations } from './reservations.ts'
import { checkEvent } from './send.ts'

/** What a runtime is made of; every part has a default. */
export interface RuntimeOptions {
  /** Default: memory, which forgets when the process ends. */
  readonly journal?: Journal
  /** Who answers model calls, found by the text before the `/` in a model's name. */
  readonly providers?: readonly ModelProvider[]
  /** Agents that `resume` and `send` may have to continue; those given to `start` are known anyway. */
  readonly agents?: readonly Agent[]
  /** The application's own objects for tools and code. */
  readonly services?: { readonly [name: string]: unknown }
  readonly prices?: PricePort
  readonly clock?: Clock
  /** How long a lease lasts without renewal, milliseconds. Default 30,000. */
  readonly leaseMs?: number
  /** Gets log lines of tools. Default: dropped. */
  readonly log?: (run: string, message: string, fields?: { readonly [key: string]: Json }) => void
}

/** Options of `resume`. */
export interface ResumeOptions {
  /** The agent to go on with; default: the one known by the run's agent id. */
  readonly agent?: Agent
  /** Also resume a run whose agent changed, as long as every recorded entry folds the same. */
  readonly acceptChanged?: boolean
  readonly stream?: boolean
}

/** Starts and continues runs. */
export interface Runtime extends AsyncDisposable {
  readonly journal: Journal
  /**
   * Starts a run.
   * @throws FailureError `invalid_input`, `session_busy`, `journal_unavailable`, `draining`.
   */
  start<I, O, E>(agent: Agent<I, O, E>, input: NoInfer<I>, options?: StartOptions): Promise<RunHandle<O, E>>
  /**
   * Goes on with a run from where its journal ends.
   * @throws FailureError `run_not_found`, `agent_not_found`, `lease_held`, `definition_changed`, `journal_corrupt`.
   */
  resume(run: string, options?: ResumeOptions): Promise<RunHandle>
  /** Sends an event, and goes on with the run here when nobody else drives it and the agent is known. */
  send(run: string, event: OutsideEvent, by?: string): Promise<void>
  cancel(run: string, reason?: string): Promise<void>
  get(run: string): Promise<RunRow | undefined>
  list(filter?: RunFilter): Promise<readonly RunRow[]>
  /** Entries of a run, parsed. */
  entries(run: string): Promise<readonly Entry[]>
  /** Takes no new runs, waits up to `graceMs` (default 5,000) for those at work, then leaves them resumable. */
  close(graceMs?: number): Promise<void>
}

const ENDED: ReadonlySet<string> = new Set(['done', 'failed', 'limited', 'cancelled'])

const findProvider = (providers: readonly ModelProvider[]) => (id: string): ModelProvider => {
  const found = providers.find((provider) => provider.id === id)
  const known = providers.map((provider) => provider.id).join(', ') || 'none'
  return found ?? fail('provider_not_found', `No provider ${JSON.stringify(id)} is configured (there are: ${known}). Add it to createRuntime({ providers }).`)
}

/** Makes a runtime. */
export const createRuntime = (options: RuntimeOptions = {}): Runtime => {
  const { journal = memoryJournal(), providers = [], clock = systemClock, leaseMs = 30_000 } = options
  const acting: Acting = {
    clock,
    prices: options.prices ?? priceTable(),
    services: options.services ?? {},
    tracer: noTracer,
    provider: findProvider(providers),
    log: options.log ?? (() => {}),
    reserve: reservations(),
  }
  const owner = clock.id()
  const agents = new Map<string, Agent>((options.agents ?? []).map((agent) => [agent.id, agent]))
  const live = new Map<string, LiveRun>()
  const expiries = new Map<string, () => void>()
  let closing = false

  const go = (parts: Omit<LiveRunParts, 'journal' | 'acting' | 'leaseMs'>): LiveRun => {
    const run = liveRun({ ...parts, journal, acting, leaseMs })
    const { id } = parts.fold.info
    live.set(id, run)
    run.settled.then(
      (how) => {
        live.delete(id)
        if (how === 'ended') parts.events.close()
        else armExpiry(id, run)
      },
      () => {
        live.delete(id)
        parts.events.close()
      },
    )
    return run
  }
  const armExpiry = (id: string, run: LiveRun): void => {
    const due = [...run.fold.timers.values()].map((timer) => timer.dueAt)
    if (due.length === 0 || closing) return
    const cancel = clock.timer(Math.min(...due) - clock.now(), () => void takeUp(id, run.events).catch(() => {}), true)
    expiries.get(id)?.()
    expiries.set(id, cancel)
  }
  const rowOf = async (id: string): Promise<RunRow> => (await journal.get(id)) ?? fail('run_not_found', `The journal has no run ${id}. List runs with \`stateloop runs\`.`)
  const takeUp = async (id: string, events: EventStream, { agent, acceptChanged = false }: ResumeOptions = {}): Promise<LiveRun | undefined> => {
    const running = live.get(id)
    if (running !== undefined) return running
    if (closing) fail('draining', 'The runtime is shutting down. Resume the run in another process.')
    const row = await rowOf(id)
    if (ENDED.has(row.status)) return undefined
    const chosen = agent ?? agents.get(row.agent) ?? fail('agent_not_found', `Run ${id} belongs to agent ${row.agent}, which this runtime does not know. Pass it: resume(id, { agent }) or createRuntime({ agents }).`)
    const lease = await journal.acquire(id, owner, leaseMs)
    try {
      expiries.get(id)?.()
      return go({ ...(await prepareResume({ journal, clock, row, agent: chosen, acceptChanged })), lease, events })
    } catch (error) {
      await journal.release(lease).catch(() => {})
      throw error
    }
  }
  const endOf = async (row: RunRow): Promise<RunEnd | undefined> => {
    const [last] = await journal.read(row.id, row.seq)
    return last === undefined ? undefined : (JSON.parse(last.text) as EntryBody).end
  }
  const outcome = async <O>(id: string): Promise<RunOutcome<O>> => {
    await live.get(id)?.settled
    const row = await rowOf(id)
    return outcomeOf<O>(row, ENDED.has(row.status) ? await endOf(row) : undefined)
  }
  const post = async (id: string, event: OutsideEvent, by: string | undefined, events = new EventStream()): Promise<void> => {
    const row = await rowOf(id)
    const checked = event.type === 'stateloop.cancel' ? event : checkEvent(row, live.get(id)?.fold.agent ?? agents.get(row.agent), event)
    await journal.post(id, checked, by)
    if (live.has(id) || !agents.has(row.agent)) return
    await takeUp(id, events).catch((error: unknown) => {
      if (!(error instanceof FailureError && error.code === 'lease_held')) throw error
    })
  }
  const cancelEvent = (reason: string | undefined): OutsideEvent => ({ type: 'stateloop.cancel', ...(reason === undefined ? {} : { reason }) })
  const cancel = async (id: string, reason: string | undefined, events?: EventStream): Promise<void> => {
    const row = await rowOf(id)
    if (!ENDED.has(row.status)) await post(id, cancelEvent(reason), undefined, events)
  }
  const handle = <O, E>(id: string, created: boolean, events: EventStream): RunHandle<O, E> => ({
    id,
    created,
    outcome: () => outcome<O>(id),
    send: (event, by) => post(id, event as OutsideEvent, by, events),
    cancel: (reason) => cancel(id, reason, events),
    [Symbol.asyncIterator]: () => events.read(),
  })
  const settleAll = async (): Promise<void> => {
    await Promise.allSettled([...live.values()].map((run) => run.settled))
  }
  const close = async (graceMs = 5_000): Promise<void> => {
    closing = true
    for (const cancelExpiry of expiries.values()) cancelExpiry()
    let stopTimer = (): void => {}
    const graceOver = new Promise<void>((resolve) => {
      stopTimer = clock.timer(graceMs, resolve, true)
    })
    await Promise.race([settleAll(), graceOver])
    stopTimer()
    for (const run of live.values()) run.stop(new FailureError(failure('draining', 'The runtime was closed while the run was at work. Resume it elsewhere.')))
    await settleAll()
    await journal.close()
  }
  return {
    journal,
    async start<I, O, E>(agent: Agent<I, O, E>, input: NoInfer<I>, startOptions: StartOptions = {}): Promise<RunHandle<O, E>> {
      if (closing) fail('draining', 'The runtime is shutting down and takes no new runs.')
      agents.set(agent.id, agent as Agent)
      const events = new EventStream(startOptions.stream)
      const prepared = await prepareStart({ journal, clock, owner, leaseMs, agent: agent as Agent, input, options: startOptions })
      if (prepared.created) go({ ...prepared.parts, events })
      else await takeUp(prepared.run, events).catch((error: unknown) => (isResumable(error) || (error instanceof FailureError && error.code === 'lease_held') ? undefined : Promise.reject(error)))
      return handle<O, E>(prepared.run, prepared.created, live.get(prepared.run)?.events ?? events)
    },
    async resume(run, resumeOptions = {}) {
      const events = new EventStream(resumeOptions.stream)
      const row = await rowOf(run)
      if (resumeOptions.agent !== undefined) agents.set(resumeOptions.agent.id, resumeOptions.agent)
      if (ENDED.has(row.status)) events.close()
      else await takeUp(run, events, resumeOptions)
      return handle(run, false, live.get(run)?.events ?? events)
    },
    send: (run, event, by) => post(run, event, by),
    cancel: (run, reason) => cancel(run, reason),
    get: (run) => journal.get(run),
    list: (filter) => journal.list(filter),
    entries: async (run) => (await journal.read(run)).map(({ seq, at, hash, text }) => ({ seq, at, hash, body: JSON.parse(text) as EntryBody })),
    close,
    [Symbol.asyncDispose]: () => close(),
  }
}
