// An embedded engine as the conformance suite wants it: a runtime on a journal, with a worker that takes up what a restart left.
import type { Agent } from '../../src/agent/index.ts'
import type { Journal } from '../../src/journal/index.ts'
import { createRuntime, type Runtime } from '../../src/run/index.ts'
import type { EngineSubject, OpenEngine } from '../contract/engine.ts'

interface Life {
  readonly runtime: Runtime
  readonly end: () => Promise<void>
}

const live = (journal: Journal, agents: readonly Agent[]): Life => {
  const runtime = createRuntime({ journal, agents, leaseMs: 5_000 })
  const stop = new AbortController()
  const working = runtime.drive({ whenIdle: 'wait', pollMs: 20, graceMs: 1, signal: stop.signal })
  return {
    runtime,
    end: async () => {
      stop.abort()
      await working
      await runtime.close(0)
    },
  }
}

/** @param journalAt opens the journal again on the same data. */
export const embeddedEngine =
  (journalAt: () => Journal): OpenEngine =>
  async (agents): Promise<EngineSubject> => {
    let life = live(journalAt(), agents)
    return {
      journal: () => life.runtime.journal,
      start: async (agent, input, options) => {
        const { id, created } = await life.runtime.start(agent, input, options)
        return { id, created }
      },
      send: (run, event) => life.runtime.send(run, event),
      cancel: (run) => life.runtime.cancel(run),
      outcome: (run) => life.runtime.outcome(run),
      restart: async () => {
        await life.end()
        life = live(journalAt(), agents)
      },
      [Symbol.asyncDispose]: () => life.end(),
    }
  }
