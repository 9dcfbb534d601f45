// The server on a port of this machine, through Node's http. Invariant: whoever sends slowly or reads nothing loses the
// connection; nobody else notices.
import type { Server as NodeServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { sleep, systemClock } from '../clock/index.ts'
import { fail } from '../failure/index.ts'
import { loadNodeServer } from './hono.ts'
import type { Server } from './server.ts'

/** Options of `listen`. */
export interface ListenOptions {
  /** Default 8080; 0 takes any that is free. */
  readonly port?: number
  /** Default `127.0.0.1`: this machine alone. */
  readonly host?: string
}

/** A server that listens. */
export interface Listening extends AsyncDisposable {
  /** `http://127.0.0.1:8080`. */
  readonly url: string
  /** Takes no more connections, drains the server, and closes what is left after `graceMs` (default 10,000). */
  readonly close: (graceMs?: number) => Promise<void>
}

/** Longest time for the head and for the whole of a request, milliseconds. */
const HEAD_MS = 10_000
const REQUEST_MS = 30_000
/** How long connections are looked at while they close, and how often. */
const FLUSH_MS = 20
const FLUSH_TURNS = 50
/** How long an answer may lie unread, milliseconds. Streams have a limit of their own. */
const UNREAD_MS = 120_000

/**
 * Serves on a port. Needs the packages `hono` and `@hono/node-server`.
 * @throws FailureError `usage` when the port cannot be had, or a package is not installed.
 */
export const listen = async (server: Server, { port = 8080, host = '127.0.0.1' }: ListenOptions = {}): Promise<Listening> => {
  await server.ready()
  const { createAdaptorServer } = await loadNodeServer()
  const http = createAdaptorServer({
    fetch: (request, { outgoing }) => server.fetch(request, { abandon: () => outgoing.destroy() }),
    overrideGlobalObjects: false,
    serverOptions: { headersTimeout: HEAD_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: 5_000 },
  }) as NodeServer
  // A connection that is silent because its answer takes long is left alone.
  http.setTimeout(UNREAD_MS, (socket) => {
    if (socket.writableLength > 0) socket.destroy()
  })
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, resolve)
  }).catch((error: NodeJS.ErrnoException) => fail('usage', `The server cannot listen on ${host}:${port} (${error.code ?? error.message}). Choose another port.`, { cause: error }))
  const close = async (graceMs?: number): Promise<void> => {
    const closed = new Promise<void>((resolve) => http.close(() => resolve()))
    await server.drain(graceMs)
    // Streams have ended, and their last words are on the way.
    for (let turns = 0; turns < FLUSH_TURNS; turns++) {
      http.closeIdleConnections()
      if (await Promise.race([closed.then(() => true), sleep(systemClock, FLUSH_MS).then(() => false)])) return
    }
    http.closeAllConnections()
    await closed
  }
  const { address, port: taken, family } = http.address() as AddressInfo
  return { url: `http://${family === 'IPv6' ? `[${address}]` : address}:${taken}`, close, [Symbol.asyncDispose]: close }
}
