// Requests to a server, and what it refused as an error with a code. Invariant: a request is sent again only when sending it
// twice is the same as sending it once.
import type { FailureCode } from '../failure/index.ts'
import type { Problem } from '../server/index.ts'

/** What a server refused, or why it could not be asked. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  /** A code of the closed table of failures; `connection_failed` when there was no answer. */
  readonly code: FailureCode
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  /** More facts, by code, such as the path of an invalid value. */
  readonly details: Problem['details']
  constructor(code: FailureCode, message: string, status: number, details?: Problem['details'], cause?: unknown) {
    super(`${code}: ${message}`, cause === undefined ? {} : { cause })
    this.code = code
    this.status = status
    this.details = details
  }
}

/** How a server is reached. */
export interface Connection {
  /** Where the server is: `https://agents.example`, or a path of the page's own origin. */
  readonly url: string
  /** Bearer token, or a function that gives one for each request. Default: none is sent. */
  readonly token?: string | (() => string | Promise<string>)
  /** More headers, such as `x-stateloop-user`. Default: none. */
  readonly headers?: { readonly [name: string]: string }
  /** Sends requests. Default: the platform's `fetch`. */
  readonly fetch?: typeof fetch
}

/** One request. */
export interface Asked {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly body?: unknown
  readonly headers?: { readonly [name: string]: string }
  readonly signal?: AbortSignal | undefined
  /** True when it may be sent again. */
  readonly repeatable?: boolean
}

/** How often a repeatable request is sent in all. */
const ATTEMPTS = 4
/** Longest time between two attempts, milliseconds. */
export const LONGEST_WAIT_MS = 30_000

/** Resolves after a while, or rejects when the signal aborts. */
export const pause = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
    if (signal?.aborted === true) return reject(signal.reason as Error)
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })

/** How long to wait before the attempt with that number, with some chance so that clients do not come back all at once. */
export const backoffMs = (attempt: number, baseMs = 500): number => Math.min(LONGEST_WAIT_MS, baseMs * 2 ** (attempt - 1)) * (0.5 + Math.random() / 2)

const problemOf = async (response: Response): Promise<ProblemError> => {
  const text = await response.text().catch(() => '')
  try {
    const { code, detail, details } = JSON.parse(text) as Problem
    if (typeof code === 'string') return new ProblemError(code, detail, response.status, details)
  } catch {
    // Something between the client and the server answered.
  }
  return new ProblemError('provider_error', `The server answered ${response.status} ${text.slice(0, 200)}`, response.status)
}

/** Tells whether the same request may do better later. */
export const mayPass = (error: unknown): error is ProblemError => error instanceof ProblemError && (error.status === 0 || error.status === 429 || error.status >= 502)

/** Sends a request once. @throws ProblemError unless the answer is a success; the signal's reason when it aborts. */
export const send = async ({ url, token, headers = {}, fetch: own = fetch }: Connection, { method = 'GET', path, body, headers: more = {}, signal }: Asked): Promise<Response> => {
  const bearer = typeof token === 'function' ? await token() : token
  const all = { ...headers, ...more, ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }), ...(body === undefined ? {} : { 'content-type': 'application/json' }) }
  const asked = own(`${url.replace(/\/+$/, '')}${path}`, { method, headers: all, ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...(signal === undefined ? {} : { signal }) })
  const response = await asked.catch((error: unknown) => {
    if (signal?.aborted === true) throw signal.reason
    throw new ProblemError('connection_failed', `${method} ${path} had no answer from ${url}.`, 0, undefined, error)
  })
  if (!response.ok) throw await problemOf(response)
  return response
}

/** Asks for JSON, again after a while where that is safe. @throws ProblemError; the signal's reason when it aborts. */
export const ask = async <T>(connection: Connection, asked: Asked): Promise<T> => {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await (await send(connection, asked)).json()) as T
    } catch (error) {
      if (asked.repeatable !== true || attempt >= ATTEMPTS || !mayPass(error)) throw error
      const after = error.details?.['retryAfterMs']
      // Coming back sooner than the server asks would be refused again.
      if (typeof after === 'number' && after > LONGEST_WAIT_MS) throw error
      await pause(typeof after === 'number' ? after : backoffMs(attempt), asked.signal)
    }
  }
}
