// Restate as the conformance suite wants it: services in this process, on a server of their own, with a journal in SQLite.
import type { Agent } from '../../src/agent/index.ts'
import { restate, restateClient, serveServices, type RestateClient, type RestateOptions } from '../../src/engine/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import { createRuntime, type Runtime } from '../../src/run/index.ts'
import type { EngineSubject } from '../contract/engine.ts'
import { freePort, type RestateServer } from './restate-server.ts'

interface Life {
  readonly runtime: Runtime
  readonly client: RestateClient
  readonly end: () => Promise<void>
}

/** Serves the agents until `end`, which breaks every connection as a killed process does. */
const serveRestate = async (journal: Journal, agents: readonly Agent[], server: RestateServer, port: number, options: RestateOptions = {}): Promise<Life> => {
  const runtime = createRuntime({ journal, agents })
  const { services, sweep } = restate(runtime, { sweepMs: 50, ...options })
  const client = restateClient(runtime, { ingress: server.ingress, pollMs: 20 })
  const stopSweeping = sweep(client.wake)
  const served = await serveServices(services, port)
  return {
    runtime,
    client,
    end: async () => {
      stopSweeping()
      await served.close()
      await runtime.close(0)
    },
  }
}

/** @param journalAt opens the journal again on the same data. */
export const restateSubject = async (server: RestateServer, journalAt: () => Journal, agents: readonly Agent[], options?: RestateOptions): Promise<EngineSubject> => {
  const port = await freePort()
  let life = await serveRestate(journalAt(), agents, server, port, options)
  await server.register(port)
  return {
    journal: () => life.runtime.journal,
    start: async (agent, input, startOptions) => {
      const { id, created } = await life.client.start(agent, input, startOptions)
      return { id, created }
    },
    send: (run, event) => life.client.send(run, event),
    cancel: (run) => life.client.cancel(run),
    // Which agent it is matters only to who reads its events.
    outcome: (run) => life.client.follow(run, agents[0] as Agent).outcome(),
    restart: async () => {
      await life.end()
      life = await serveRestate(journalAt(), agents, server, port, options)
    },
    [Symbol.asyncDispose]: () => life.end(),
  }
}
