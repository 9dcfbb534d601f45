// Serves the services on a port for Restate to call. Invariant: closing breaks every connection, so that Restate goes on
// elsewhere at once.
import { createServer, type ServerHttp2Session } from 'node:http2'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createEndpointHandler } from '@restatedev/restate-sdk'
import type { RestateServices } from './restate.ts'

/** A port being served. */
export interface ServedRestate {
  /** The port that is served. */
  readonly port: number
  /** Stops serving, breaking connections, so that Restate goes on elsewhere. */
  readonly close: () => Promise<void>
}

/**
 * Serves the services on a port, on all addresses. Whoever reaches it can call the handlers, so let only Restate reach it.
 * @param port 0 for a free one.
 * @throws Error when the port is taken.
 */
export const serveServices = async (services: RestateServices['services'], port: number): Promise<ServedRestate> => {
  const sessions = new Set<ServerHttp2Session>()
  const server = createServer(createEndpointHandler({ services: [...services], logger: () => {} })).on('session', (session) => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  server.listen(port)
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      for (const session of sessions) session.destroy()
      await new Promise((closed) => server.close(closed))
    },
  }
}
