// The events of a run as an iterator that comes back when the connection breaks. Invariant: every event that an entry holds
// is given exactly once and in order; tokens that were sent while nobody listened are not.
import type { RunEvent } from '../run/index.ts'
import { eventReader } from './event-source.ts'
import { backoffMs, LONGEST_WAIT_MS, mayPass, pause, ProblemError, send, type Connection } from './request.ts'

/** How a run is watched. */
export interface WatchOptions {
  /** Ends the iteration; it then throws the signal's reason. Default: the end of the run does. */
  readonly signal?: AbortSignal
  /** Id of the last event that is known. Default: from the start of the run. */
  readonly after?: string
  /** Called when the stream goes on after a break: tokens of the answer under way may be missing. Default: nobody is told. */
  readonly onReconnect?: () => void
}

/** Servers say at least every 15 s that they are there. */
const SILENCE_MS = 45_000

/** Text of a stream until it ends or falls silent. */
async function* textOf(body: ReadableStream<Uint8Array>, gone: AbortController): AsyncGenerator<string, void, undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  try {
    for (;;) {
      const timer = setTimeout(() => gone.abort(), SILENCE_MS)
      const { done, value } = await reader.read().finally(() => clearTimeout(timer))
      if (done) return
      yield decoder.decode(value, { stream: true })
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** Events of one connection. @returns how long the server asks to wait before the next. */
async function* oneStream(connection: Connection, run: string, after: string, signal: AbortSignal | undefined, note: (id: string) => void): AsyncGenerator<RunEvent, number | undefined, undefined> {
  const gone = new AbortController()
  const stop = (): void => gone.abort(signal?.reason)
  signal?.addEventListener('abort', stop, { once: true })
  const events = eventReader()
  try {
    const response = await send(connection, { path: `/v1/runs/${encodeURIComponent(run)}/events`, headers: { accept: 'text/event-stream', ...(after === '' ? {} : { 'last-event-id': after }) }, signal: gone.signal })
    const type = response.headers.get('content-type') ?? 'no media type'
    if (!type.startsWith('text/event-stream'))
      throw new ProblemError('provider_error', `The server answered with ${type.slice(0, 100)} instead of a stream of events. Check its address, and what stands between.`, response.status)
    if (response.body === null) return undefined
    for await (const text of textOf(response.body, gone)) {
      for (const { id, data } of events.push(text)) {
        // Read first: an event that arrived damaged is asked for again.
        const event = JSON.parse(data) as RunEvent
        note(id)
        yield event
      }
    }
  } catch (error) {
    // A connection that broke or fell silent is opened again; what the server refused, or the caller ended, is not.
    if (error instanceof RangeError) throw new ProblemError('malformed_response', `${error.message} Check what stands between the client and the server.`, 200)
    if (signal?.aborted === true || (error instanceof ProblemError && !mayPass(error))) throw error
  } finally {
    signal?.removeEventListener('abort', stop)
    gone.abort()
  }
  return events.retryMs()
}

/** Events of a run until it has ended, across as many connections as it takes. @throws ProblemError; the signal's reason. */
export async function* watchRun(connection: Connection, run: string, { signal, after = '', onReconnect }: WatchOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
  let last = after
  let failures = 0
  for (let connections = 0; ; connections++) {
    if (connections > 0) onReconnect?.()
    const stream = oneStream(connection, run, last, signal, (id) => {
      if (id !== '') last = id
      failures = 0
    })
    let retryMs: number | undefined
    for (;;) {
      const { done, value } = await stream.next()
      if (done === true) {
        retryMs = value
        break
      }
      yield value
      if (value.type === 'run.ended') {
        await stream.return(undefined)
        return
      }
    }
    if (signal?.aborted === true) throw signal.reason
    failures += 1
    await pause(failures === 1 ? Math.min(LONGEST_WAIT_MS, retryMs ?? backoffMs(1)) * Math.random() : backoffMs(failures), signal)
  }
}
