// A client for one agent of a server, in a browser or in Node, typed by the agent. Invariant: nothing of the agent but its
// types comes with it.
import type { AnyAgent, EventsOf, InputOf, OutputOf } from '../agent/index.ts'
import type { OutsideEvent, RunEvent } from '../run/index.ts'
import type { RunView } from '../server/index.ts'
import { watchRun, type WatchOptions } from './events.ts'
import { ask, type Connection } from './request.ts'

/** Options of `client`. */
export interface ClientOptions extends Connection {
  /** Id of the agent. */
  readonly agent: string
}

/** How a run is started. */
export interface StartRunOptions {
  /** Starting again with the same key gives the same run. Default: a new one, so that a broken connection starts it once. */
  readonly key?: string
  /** Runs of a session follow each other and share threads. Default: the run stands alone. */
  readonly session?: string
  /** When the session is busy: wait, or fail with `session_busy`. Default `reject`. */
  readonly onBusy?: 'queue' | 'reject'
  /** Gives up waiting for the answer; the run may have begun all the same. Default: nothing does. */
  readonly signal?: AbortSignal
}

/** A run on a server. `O` is the agent's output, `E` the events it declares. */
export interface RemoteRun<O, E> extends AsyncIterable<RunEvent> {
  /** The run's id. */
  readonly id: string
  /** Watches from somewhere else than the start, or until a signal says so. */
  readonly watch: (options?: WatchOptions) => AsyncIterable<RunEvent>
  /** How it stands now. @throws ProblemError */
  readonly get: () => Promise<RunView<O>>
  /** Resolves when it has ended or waits. @throws ProblemError; the signal's reason. */
  readonly outcome: (signal?: AbortSignal) => Promise<RunView<O>>
  /** Sends an event. @throws ProblemError `invalid_event`, `event_not_accepted`, `run_ended`. */
  readonly send: (event: E | OutsideEvent) => Promise<RunView<O>>
  /** Approves calls by their hashes. @throws ProblemError `event_not_accepted`. */
  readonly approve: (...hashes: readonly string[]) => Promise<RunView<O>>
  /** Rejects calls; the model is told the reason. @throws ProblemError `event_not_accepted`. */
  readonly reject: (hashes: readonly string[], reason?: string) => Promise<RunView<O>>
  /** Ends it as `cancelled`; does nothing when it has ended. @throws ProblemError `run_not_found`. */
  readonly cancel: (reason?: string) => Promise<RunView<O>>
  /** Goes on with a run that no process drives. @throws ProblemError `lease_held`, `definition_changed`. */
  readonly resume: () => Promise<RunView<O>>
}

/** An agent on a server. */
export interface Client<I, O, E> {
  /** Starts a run. @throws ProblemError `invalid_input`, `session_busy`, `saturated`, `throttled`. */
  readonly start: (input: I, options?: StartRunOptions) => Promise<RemoteRun<O, E>>
  /** A run by its id; it is not asked for until something of it is. */
  readonly run: (id: string) => RemoteRun<O, E>
  /** Runs of the caller, newest first. */
  readonly list: (filter?: { readonly status?: readonly string[]; readonly session?: string; readonly limit?: number }) => Promise<readonly RunView<O>[]>
}

/** Longest that one request waits for an outcome, milliseconds. */
const WAIT_MS = 25_000

const AT_WORK: ReadonlySet<string> = new Set(['queued', 'running'])

const remoteRun = <O, E>(connection: Connection, id: string): RemoteRun<O, E> => {
  const path = `/v1/runs/${encodeURIComponent(id)}`
  const post = (what: string, body: unknown): Promise<RunView<O>> => ask(connection, { method: 'POST', path: `${path}/${what}`, body })
  const watch = (options?: WatchOptions): AsyncIterable<RunEvent> => watchRun(connection, id, options)
  return {
    id,
    watch,
    [Symbol.asyncIterator]: () => watch()[Symbol.asyncIterator](),
    get: () => ask(connection, { path, repeatable: true }),
    outcome: async (signal) => {
      for (;;) {
        const view = await ask<RunView<O>>(connection, { path: `${path}?waitMs=${WAIT_MS}`, repeatable: true, signal })
        if (!AT_WORK.has(view.status)) return view
      }
    },
    send: (event) => post('events', event),
    approve: (...hashes) => post('approve', { hashes }),
    reject: (hashes, reason) => post('reject', { hashes, ...(reason === undefined ? {} : { reason }) }),
    cancel: (reason) => post('cancel', reason === undefined ? {} : { reason }),
    resume: () => post('resume', {}),
  }
}

/** Random where the platform gives it; pages without TLS have no such function. */
const newKey = (): { readonly key?: string } => {
  const { crypto } = globalThis as { readonly crypto?: { readonly randomUUID?: () => string } }
  return crypto?.randomUUID === undefined ? {} : { key: crypto.randomUUID() }
}

/**
 * Makes a client for an agent.
 * @example
 * const desk = client<typeof support>({ url: 'https://agents.example', agent: 'support', token })
 * const run = await desk.start({ question: 'Where is my order?' })
 * for await (const event of run) if (event.type === 'token.delta') show(event.text)
 */
export const client = <A = AnyAgent>({ agent, ...connection }: ClientOptions): Client<InputOf<A>, OutputOf<A>, EventsOf<A>> => ({
  start: async (input, { key, session, onBusy, signal } = {}) => {
    const unique = key === undefined ? newKey() : { key }
    const body = { input, ...(session === undefined ? {} : { session }), ...(onBusy === undefined ? {} : { onBusy }) }
    const headers = unique.key === undefined ? {} : { 'idempotency-key': unique.key }
    const { run } = await ask<RunView>(connection, { method: 'POST', path: `/v1/agents/${encodeURIComponent(agent)}/runs`, body, headers, signal, repeatable: unique.key !== undefined })
    return remoteRun(connection, run)
  },
  run: (id) => remoteRun(connection, id),
  list: async ({ status, session, limit } = {}) => {
    const query = new URLSearchParams({ agent, ...(status === undefined ? {} : { status: status.join(',') }), ...(session === undefined ? {} : { session }), ...(limit === undefined ? {} : { limit: String(limit) }) })
    const { runs } = await ask<{ readonly runs: readonly RunView<OutputOf<A>>[] }>(connection, { path: `/v1/runs?${query.toString()}`, repeatable: true })
    return runs
  },
})
