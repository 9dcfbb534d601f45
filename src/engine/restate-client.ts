// Starts runs on Restate and follows them, from any process that reaches its ingress and the journal. Invariant: what is
// sent is in the journal's inbox first, so a call that fails on its way is not lost: the services find it there.
import type { Agent } from '../agent/index.ts'
import { sleep } from '../clock/index.ts'
import { fail, failure, FailureError, isFailure, type Failure } from '../failure/index.ts'
import { isEnded } from '../journal/index.ts'
import { engineHost, historyOf, type OutsideEvent, type RunEvent, type RunHandle, type RunOutcome, type Runtime, type StartOptions } from '../run/index.ts'
import { RUN_OBJECT, SESSION_OBJECT, type RestateStart } from './restate.ts'

/** How the ingress is reached. */
export interface RestateClientOptions {
  /** URL of Restate's ingress. Default `http://127.0.0.1:8080`. */
  readonly ingress?: string
  /** Headers for each call, such as a token. Default: none. */
  readonly headers?: { readonly [name: string]: string }
  /** How often the journal is asked how a run goes, milliseconds. Default 200. */
  readonly pollMs?: number
}

/** Starts runs on Restate and sends them events. */
export interface RestateClient {
  /** Starts a run. @throws FailureError `invalid_input`, `session_busy`, `agent_not_found`, `journal_unavailable`. */
  readonly start: <I, O, E>(agent: Agent<I, O, E>, input: NoInfer<I>, options?: StartOptions) => Promise<RunHandle<O, E>>
  /** A run that was started before. */
  readonly follow: (run: string, agent: Agent) => RunHandle
  /** Sends an event to a run. @throws FailureError `run_not_found`, `invalid_event`, `event_not_accepted`, `run_ended`, `journal_unavailable`. */
  readonly send: (run: string, event: OutsideEvent, by?: string) => Promise<void>
  /** Ends a run as `cancelled`; does nothing when it has ended. @throws FailureError `run_not_found`, `journal_unavailable`. */
  readonly cancel: (run: string, reason?: string) => Promise<void>
  /** Tells a run that its inbox has something new. */
  readonly wake: (run: string) => Promise<void>
}

/** How far the events of a run were read; undefined when nobody reads. */
interface Reading {
  seen?: number | undefined
}

const failureIn = (text: string): Failure | undefined => {
  try {
    const body = JSON.parse(text) as { readonly message?: unknown }
    const inner: unknown = typeof body.message === 'string' ? JSON.parse(body.message) : undefined
    return isFailure(inner) ? inner : undefined
  } catch {
    return undefined
  }
}

const away = (ingress: string, seen: string, cause?: unknown): never =>
  fail('journal_unavailable', `Calling Restate at ${ingress} failed: ${seen}. Check that its server runs and that the services are registered.`, cause === undefined ? {} : { cause })

/** @throws FailureError the one that the handler threw, or `journal_unavailable`. */
const callIngress = async (ingress: string, headers: { readonly [name: string]: string }, path: string, body: unknown): Promise<unknown> => {
  let text: string
  let ok: boolean
  try {
    const answer = await fetch(`${ingress}/${path}`, {
      method: 'POST',
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    text = await answer.text()
    ok = answer.ok
  } catch (thrown) {
    return away(ingress, (thrown as Error).message, thrown)
  }
  if (ok) return text === '' ? undefined : JSON.parse(text)
  const known = failureIn(text)
  throw known === undefined ? new FailureError(failure('journal_unavailable', `Calling Restate at ${ingress} failed: ${text}. Register the services first: restate deployments register.`)) : new FailureError(known)
}

/** Makes a client that starts runs on Restate. The runtime's journal must be the one that the services write to. */
export const restateClient = (runtime: Runtime, { ingress = 'http://127.0.0.1:8080', headers = {}, pollMs = 200 }: RestateClientOptions = {}): RestateClient => {
  const { clock } = engineHost(runtime)
  const call = (path: string, body: unknown): Promise<unknown> => callIngress(ingress, headers, path, body)
  const wake = async (run: string): Promise<void> => void (await call(`${RUN_OBJECT}/${encodeURIComponent(run)}/wake/send`, undefined))

  const outcome = async (run: string, reading: Reading): Promise<RunOutcome> => {
    for (;;) {
      const row = await runtime.get(run)
      // One that waits with unread events is about to go on.
      const rests = row !== undefined && (isEnded(row.status) || (row.status === 'waiting' && (await runtime.journal.inbox(run, row.taken)).length === 0))
      // Whoever reads the events hears of all of them before the outcome.
      if (rests && (reading.seen === undefined || reading.seen >= row.seq)) return runtime.outcome(run)
      await sleep(clock, pollMs)
    }
  }

  /** What the journal says of a run as it grows: every event but deltas, until it ends. */
  const eventsOf = async function* (run: string, agent: Agent, reading: Reading): AsyncGenerator<RunEvent, void, undefined> {
    const history = historyOf(runtime.journal, run, agent)
    reading.seen = -1
    try {
      for (;;) {
        for (const { events, entry } of await history.next()) {
          yield* events
          reading.seen = entry.seq
          if (entry.body.end !== undefined) return
        }
        await sleep(clock, pollMs)
      }
    } finally {
      reading.seen = undefined
    }
  }

  const send = async (run: string, event: OutsideEvent, by?: string): Promise<void> => {
    await runtime.send(run, event, by)
    await wake(run)
  }
  const cancel = async (run: string, reason?: string): Promise<void> => {
    await runtime.cancel(run, reason)
    await wake(run)
  }
  const handleOf = <O, E>(id: string, created: boolean, agent: Agent, reading: Reading = {}): RunHandle<O, E> => ({
    id,
    created,
    outcome: () => outcome(id, reading) as Promise<RunOutcome<O>>,
    send: (event, by) => send(id, event as OutsideEvent, by),
    cancel: (reason) => cancel(id, reason),
    [Symbol.asyncIterator]: () => eventsOf(id, agent, reading),
  })

  return {
    async start<I, O, E>(agent: Agent<I, O, E>, input: NoInfer<I>, { stream: _stream, onBusy, ...options }: StartOptions = {}) {
      const id = clock.id()
      const request: RestateStart = { ...options, agent: agent.id, input }
      const queued = onBusy === 'queue' && options.session !== undefined
      const path = queued ? `${SESSION_OBJECT}/${encodeURIComponent(`${options.tenant ?? ''}/${options.session}`)}/start` : `${RUN_OBJECT}/${id}/start`
      const made = (await call(path, queued ? { ...request, id } : request)) as { readonly id: string; readonly created: boolean }
      return handleOf<O, E>(made.id, made.created, agent as unknown as Agent)
    },
    follow: (run, agent) => handleOf(run, false, agent),
    send,
    cancel,
    wake,
  }
}
