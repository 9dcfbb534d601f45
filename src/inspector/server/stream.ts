// Sends a feed to one page as server-sent events. Invariant: a client costs one batch of memory, however slow it is; one
// that does not read for a while is let go, and comes back with the number of the last step it has.
// @see https://html.spec.whatwg.org/multipage/server-sent-events.html
import type { Writable } from 'node:stream'
import { FailureError, failureOf } from '../../failure/index.ts'
import type { Feed } from '../feed/feed.ts'
import type { LiveCalls } from '../feed/live-calls.ts'
import type { StreamMessage } from '../page/wire.ts'

/** How streams behave; all but tests use the defaults. */
export interface StreamTimes {
  /** How often a feed is asked for news, milliseconds. Default 250. */
  readonly pollMs?: number
  /** How long a client may leave a batch unread, milliseconds. Default 20,000. */
  readonly patienceMs?: number
}

/** Changes text before it is sent. */
export type Clean = (text: string) => string

/** Steps in one message, and characters after which it is closed early. */
const BATCH_STEPS = 250
const BATCH_CHARACTERS = 1_000_000

/** The next steps that fit into one message. */
const batchAfter = ({ steps, first }: Feed, after: number): readonly string[] => {
  const batch: string[] = []
  let size = 0
  for (let at = after + 1 - first; at < steps.length && batch.length < BATCH_STEPS && size < BATCH_CHARACTERS; at++) {
    const text = JSON.stringify(steps[at])
    batch.push(text)
    size += text.length
  }
  return batch
}

const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const go = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', go)
      resolve()
    }
    const timer = setTimeout(go, ms)
    signal.addEventListener('abort', go, { once: true })
    if (signal.aborted) go()
  })

/** One client. */
class Client {
  readonly #response: Writable
  readonly #gone = new AbortController()
  readonly #patienceMs: number
  readonly #clean: Clean

  constructor(response: Writable, patienceMs: number, clean: Clean) {
    this.#response = response
    this.#clean = clean
    this.#patienceMs = patienceMs
    // A client may be gone before its feed was read for the first time; then no event will say so.
    if (response.destroyed) this.#gone.abort()
    response.once('close', () => this.#gone.abort())
  }

  get signal(): AbortSignal {
    return this.#gone.signal
  }

  /** Writes a message, and waits until the client has room for the next. */
  async send(text: string): Promise<void> {
    if (this.signal.aborted || this.#response.write(this.#clean(text))) return
    await new Promise<void>((resolve) => {
      const go = (): void => {
        clearTimeout(timer)
        this.#response.off('drain', go)
        this.signal.removeEventListener('abort', go)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#response.destroy()
        this.#gone.abort()
      }, this.#patienceMs)
      this.#response.once('drain', go)
      this.signal.addEventListener('abort', go, { once: true })
    })
  }

  message(message: StreamMessage, id?: number): Promise<void> {
    return this.send(`${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(message)}\n\n`)
  }
}

/** Sends what is new since the last round. @returns the number of the last step sent. */
const sendNews = async (client: Client, feed: Feed, after: number, sent: { drawings: number; head: string }): Promise<number> => {
  const head = JSON.stringify({ type: 'head', run: feed.run, notes: feed.notes })
  if (head !== sent.head) await client.send(`data: ${head}\n\n`)
  sent.head = head
  for (; sent.drawings < feed.drawings.length; sent.drawings++) {
    const drawing = feed.drawings[sent.drawings]
    if (drawing !== undefined) await client.message({ type: 'drawing', index: sent.drawings, drawing })
  }
  let last = after
  if (last + 1 < feed.first) {
    await client.message({ type: 'gap', first: feed.first })
    last = feed.first - 1
  }
  for (let batch = batchAfter(feed, last); batch.length > 0 && !client.signal.aborted; batch = batchAfter(feed, last)) {
    last += batch.length
    await client.send(`id: ${last}\ndata: {"type":"steps","steps":[${batch.join(',')}]}\n\n`)
  }
  return last
}

/**
 * Sends a feed until it ends or the client goes.
 * @param after number of the last step that the client has; -1 for none.
 * @param live what models are writing, where that is known.
 */
export const streamFeed = async (response: Writable, feed: Feed, after: number, { pollMs = 250, patienceMs = 20_000 }: StreamTimes, clean: Clean = (text) => text, live?: LiveCalls): Promise<void> => {
  const client = new Client(response, patienceMs, clean)
  const sent = { drawings: 0, head: '' }
  let last = after
  let quietMs = 0
  while (!client.signal.aborted) {
    await feed.refresh()
    const before = last
    last = await sendNews(client, feed, last, sent)
    const calls = live?.news()
    if (calls !== undefined) await client.message({ type: 'live', calls })
    if (feed.ended && last + 1 >= feed.first + feed.steps.length) {
      await client.message({ type: 'end' })
      break
    }
    quietMs = last === before ? quietMs + pollMs : 0
    // A comment now and then finds out whether the client is still there.
    if (quietMs > 15_000) await client.send(': quiet\n\n')
    if (quietMs > 15_000) quietMs = 0
    await pause(pollMs, client.signal)
  }
  response.end()
}

/** Why a stream broke, as its last message. */
export const brokenStream = (thrown: unknown): string => {
  const known = failureOf(thrown)
  if (known === undefined && !(thrown instanceof FailureError)) return `event: broken\ndata: ${JSON.stringify({ code: 'defect', message: 'The inspector stopped at a bug; its terminal says more.' })}\n\n`
  return `event: broken\ndata: ${JSON.stringify({ code: known?.code, message: known?.message })}\n\n`
}
