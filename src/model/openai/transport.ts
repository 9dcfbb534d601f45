// How requests reach the network: undici's own fetch, because only its dispatcher knows a connect timeout, with the
// limits that our watchdogs keep switched off. Invariant: the SDK never sees the body of an error, nor keeps one.
import { connectFault, type NetworkFault } from './network.ts'

/** The `fetch` of the platform or one that behaves like it. */
export type Fetch = typeof globalThis.fetch

/** What one request left behind, for the caller to read instead of what the SDK makes of it. */
export interface Exchange {
  response?: Response
  fault?: NetworkFault
}

/** Options of one request, as they travel through the SDK to `fetch`. */
export interface FetchOptions {
  readonly exchange: Exchange
  readonly dispatcher?: object
  readonly redirect: 'manual'
}

/** Makes requests. */
export interface Transport {
  readonly fetch: Fetch
  /** A connection pool with this connect timeout; undefined when the caller brought a `fetch` of their own. */
  dispatcher(connectMs: number): object | undefined
}

/** Pools with different connect timeouts that are kept; agents rarely use more than one. */
const MAX_POOLS = 8

/**
 * Loads undici and keeps its connection pools. `HTTP_PROXY` and friends count when `NODE_USE_ENV_PROXY=1`, as they do
 * for Node's own fetch.
 * @param maxConnections per pool and origin.
 */
export const undiciTransport = async (maxConnections: number): Promise<Transport> => {
  const { Agent, EnvHttpProxyAgent, fetch } = await import('undici')
  const pools = new Map<number, InstanceType<typeof Agent> | InstanceType<typeof EnvHttpProxyAgent>>()
  const open = (connectMs: number): InstanceType<typeof Agent> | InstanceType<typeof EnvHttpProxyAgent> => {
    const options = { connect: { timeout: connectMs }, headersTimeout: 0, bodyTimeout: 0, connections: maxConnections }
    return process.env['NODE_USE_ENV_PROXY'] === '1' ? new EnvHttpProxyAgent(options) : new Agent(options)
  }
  return {
    fetch: fetch as unknown as Fetch,
    dispatcher(connectMs) {
      const pool = pools.get(connectMs) ?? open(connectMs)
      pools.set(connectMs, pool)
      const [oldest] = pools.keys()
      if (pools.size > MAX_POOLS && oldest !== undefined) {
        void pools.get(oldest)?.close()
        pools.delete(oldest)
      }
      return pool
    },
  }
}

/** A transport over the caller's own `fetch`. */
export const customTransport = (fetch: Fetch): Transport => ({ fetch, dispatcher: () => undefined })

/**
 * Wraps `fetch` for the SDK: the response or the fault is put into the request's exchange, and of a reply that failed
 * the SDK gets an empty copy, since it would read all of it and keep it in its error.
 */
export const recordingFetch =
  (fetch: Fetch): Fetch =>
  async (input, init) => {
    const { exchange, ...options } = init as RequestInit & FetchOptions
    try {
      const response = await fetch(input, options as RequestInit)
      exchange.response = response
      return response.ok ? response : new Response(null, { status: 500 })
    } catch (error) {
      exchange.fault = connectFault(error)
      throw new Error('no response', { cause: error })
    }
  }
