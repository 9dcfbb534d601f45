// What another engine needs of a runtime: to create runs that the engine drives, and to drive them through its own port.
// Invariant: rows and entries are written as for any run, so everything that reads a journal need not know the engine.
import type { Agent } from '../agent/index.ts'
import type { Clock } from '../clock/index.ts'
import { fail } from '../failure/index.ts'
import { isEnded, type Journal, type RunRow, type StoredEntry, type Watchers } from '../journal/index.ts'
import type { PromptChooser } from '../prompt/index.ts'
import type { Acting } from './effect.ts'
import type { LivePort, PortOptions } from './embedded-port.ts'
import { EventStream } from './event-stream.ts'
import { liveRun } from './live-run.ts'
import { prepareStart, type StartOptions } from './prepare-start.ts'
import { prepareResume } from './resume.ts'
import type { RunEvent } from './run-event.ts'
import type { Runtime } from './runtime.ts'

/** A run to create for another engine. */
export interface EngineStart {
  /** The run's id, so that creating it twice creates it once. */
  readonly id: string
  readonly engine: string
  readonly agent: Agent
  readonly input: unknown
  readonly options: StartOptions
}

/** One attempt of an engine to drive a run. */
export interface EngineDrive {
  readonly row: RunRow
  readonly agent: Agent
  /** The last entry when the engine's invocation began; the same in each of its attempts. */
  readonly from: number
  /** When it began, milliseconds UTC; the same in each of its attempts. */
  readonly at: number
  readonly acceptChanged: boolean
  /** Opens the port. `stored` are the entries after `from` that an earlier attempt has written. */
  readonly openPort: (options: PortOptions, stored: readonly StoredEntry[]) => LivePort
}

/** What an engine may do with a runtime. */
export interface EngineHost {
  readonly journal: Journal
  readonly clock: Clock
  readonly agents: ReadonlyMap<string, Agent>
  /** Creates a run; the one there is when its id or key is known. @throws FailureError as `start`. */
  readonly create: (start: EngineStart) => Promise<{ readonly id: string; readonly created: boolean }>
  /** Drives a run until it ends or waits. @throws FailureError as `resume`. */
  readonly drive: (drive: EngineDrive) => Promise<'ended' | 'parked'>
}

/** What a runtime is made of, as a host sees it. */
export interface HostParts {
  readonly journal: Journal
  readonly acting: Acting
  readonly owner: string
  readonly agents: ReadonlyMap<string, Agent>
  readonly prompts: PromptChooser | undefined
  readonly watchers: Watchers<RunEvent>
}

/** The engine decides who drives a run. A lease that is over at once only fences attempts that the engine gave up. */
const NO_LEASE_MS = 0

const makeHost = ({ journal, acting, owner, agents, prompts, watchers }: HostParts): EngineHost => ({
  journal,
  clock: acting.clock,
  agents,
  async create({ id, engine, agent, input, options }) {
    if ((await journal.get(id)) !== undefined) return { id, created: true }
    const prepared = await prepareStart({
      journal,
      clock: acting.clock,
      owner,
      leaseMs: NO_LEASE_MS,
      agent,
      input,
      options,
      prompts,
      observers: acting.observers,
      secrets: acting.secrets,
      admit: acting.budgets.admit,
      engine,
      id,
    })
    return { id: prepared.run, created: prepared.created }
  },
  async drive({ row, agent, from, at, acceptChanged, openPort }) {
    if (isEnded(row.status) && row.seq === from) return 'ended'
    const stored = (await journal.read(row.id, from)).slice(1)
    const lease = await journal.acquire(row.id, owner, NO_LEASE_MS)
    const { first, ...prepared } = await prepareResume({ journal, clock: { ...acting.clock, now: () => at }, row, agent, acceptChanged, prompts, until: from })
    // A run that was just created is begun, not resumed.
    const begins = from === 0 && first?.cause.type === 'resumed'
    return liveRun({
      ...prepared,
      ...(first === undefined || begins ? {} : { first }),
      journal,
      acting,
      watchers,
      lease,
      leaseMs: NO_LEASE_MS,
      snapshotEvery: Infinity,
      events: new EventStream(),
      evict: true,
      openPort: (options) => openPort(options, stored),
    }).settled
  },
})

const hosts = new WeakMap<Runtime, HostParts>()

/** Lets engines work with a runtime. */
export const hostRuntime = (runtime: Runtime, parts: HostParts): void => void hosts.set(runtime, parts)

/** The host of a runtime. @throws FailureError `usage` for a runtime that `createRuntime` did not make. */
export const engineHost = (runtime: Runtime): EngineHost => makeHost(hosts.get(runtime) ?? fail('usage', 'An engine needs a runtime that createRuntime made.'))
