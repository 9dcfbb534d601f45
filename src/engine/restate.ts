// Runs on Restate: one virtual object per run, whose invocations drive the run's fold. Restate remembers what came first
// and brings runs back after a crash; entries and rows go to the journal as for any run. Invariant: one invocation at a time
// drives a run, and nobody else does.
import { handlers, object, TerminalError, type ObjectContext, type ObjectSharedContext } from '@restatedev/restate-sdk'
import type { Agent } from '../agent/index.ts'
import { fail, failure, failureOf, type Failure } from '../failure/index.ts'
import { isEnded, type InboxItem } from '../journal/index.ts'
import { engineHost, type EngineHost, type Runtime, type StartOptions } from '../run/index.ts'
import { restatePort, type AwaitedInbox } from './restate-port.ts'

/** The engine's name in a run's first entry. */
const RESTATE = 'restate'
/** The virtual object of runs; its keys are their ids. */
export const RUN_OBJECT = 'stateloop'
/** The virtual object of sessions. */
export const SESSION_OBJECT = 'stateloopSession'

/** What a start holds, as JSON. */
export interface RestateStart extends Pick<StartOptions, 'user' | 'route' | 'tenant' | 'key' | 'session' | 'source'> {
  /** Id of the agent. */
  readonly agent: string
  /** The agent's input, as JSON. */
  readonly input: unknown
}

/** How runs behave on Restate. */
export interface RestateOptions {
  /** Agents that this process serves, beside those the runtime knows. Default: those alone. */
  readonly agents?: readonly Agent[]
  /**
   * How long a run that waits keeps its invocation, suspended, before it leaves; milliseconds, default 60,000. A run that
   * has left goes on in a new invocation, on the newest code, from where its journal stands.
   */
  readonly holdMs?: number
  /** How often events that other processes posted to the journal are looked for, milliseconds. Default 1,000; 0 for never. */
  readonly sweepMs?: number
  /** Also go on with runs of changed agents, as long as every recorded entry folds the same. Default false. */
  readonly acceptChanged?: boolean
}

type State = { inbox: AwaitedInbox }
type Context = ObjectContext<State>

/** The call that lets a new invocation go on with a run. */
const toDrive = (run: string) => ({ service: RUN_OBJECT, method: 'drive', key: run, parameter: new Uint8Array() })

/** An expected failure of a start ends the invocation; anything else is tried again by Restate. */
const terminal = (thrown: unknown): unknown => {
  const known: Failure | undefined = failureOf(thrown)
  const retried = known === undefined || known.code === 'journal_unavailable' || known.code === 'lease_lost'
  return retried ? thrown : new TerminalError(JSON.stringify(known), { errorCode: 400 })
}

const agentOf = (host: EngineHost, agents: ReadonlyMap<string, Agent>, id: string): Agent =>
  agents.get(id) ?? host.agents.get(id) ?? fail('agent_not_found', `No agent ${JSON.stringify(id)} is served here. Pass it: restate(runtime, { agents }).`)

/** Makes the handlers of a run's object. */
const handlersOf = (host: EngineHost, { holdMs = 60_000, acceptChanged = false, agents: served = [] }: RestateOptions) => {
  const agents = new Map(served.map((agent) => [agent.id, agent]))

  const create = (ctx: Context | ObjectContext, id: string, { agent, input, ...options }: RestateStart): Promise<{ readonly id: string; readonly created: boolean }> =>
    ctx.run('create', async () => {
      try {
        return await host.create({ id, engine: RESTATE, agent: agentOf(host, agents, agent), input, options })
      } catch (thrown) {
        throw terminal(thrown)
      }
    })

  /** Where the run stands as this invocation begins; the same on each of its attempts. */
  const standing = (ctx: Context) =>
    ctx.run('stand', async () => {
      const row = await host.journal.get(ctx.key)
      if (row === undefined) throw new TerminalError(JSON.stringify(failure('run_not_found', `The journal has no run ${ctx.key}.`)), { errorCode: 404 })
      return { from: row.seq, ended: isEnded(row.status), at: host.clock.now() }
    })

  const drive = async (ctx: Context): Promise<void> => {
    const { from, ended, at } = await standing(ctx)
    if (ended) return
    const row = (await host.journal.get(ctx.key)) ?? fail('run_not_found', `The journal has no run ${ctx.key}.`)
    const agent = agentOf(host, agents, row.agent)
    const how = await host.drive({
      row,
      agent,
      from,
      at,
      acceptChanged,
      openPort: (options, stored) => restatePort(options, { ctx, stored, holdMs }),
    })
    if (how === 'ended') return ctx.clear('inbox')
    // The row is that of the last commit, so it is the same on each attempt that comes this far.
    const left = await ctx.run('left', async () => {
      const now = await host.journal.get(ctx.key)
      return { seq: now?.seq ?? from, dueAt: now?.dueAt ?? 0, now: host.clock.now() }
    })
    if (left.dueAt > 0) ctx.genericSend({ ...toDrive(ctx.key), delay: Math.max(0, left.dueAt - left.now), idempotencyKey: `${ctx.key}/${left.seq}/${left.dueAt}` })
  }

  return {
    /** Creates the run and lets another invocation drive it, so that the caller need not wait. */
    start: async (ctx: Context, request: RestateStart): Promise<{ readonly id: string; readonly created: boolean }> => {
      const made = await create(ctx, ctx.key, request)
      if (made.created) ctx.genericSend(toDrive(ctx.key))
      return made
    },
    drive,
    /** Tells the run that its inbox has something new. */
    wake: async (ctx: ObjectSharedContext<State>): Promise<void> => {
      const inbox = await ctx.get('inbox')
      if (inbox === null) return void ctx.genericSend(toDrive(ctx.key))
      const found = await ctx.run('read', async (): Promise<{ readonly item?: InboxItem }> => {
        const [item] = await host.journal.inbox(ctx.key, inbox.n)
        return item === undefined ? {} : { item }
      })
      if (found.item !== undefined) ctx.resolveAwakeable(inbox.awakeable, found.item)
    },
    create,
  }
}

/** How long until a busy session is looked at again, milliseconds. */
const BUSY_PAUSE_MS = 500

/** The Restate services that drive the runs of a runtime. */
export interface RestateServices {
  /** To be served: `serve({ services: [...services] })`, or `createEndpointHandler` for HTTP servers and functions. */
  readonly services: readonly [ReturnType<typeof object>, ReturnType<typeof object>]
  /**
   * Wakes runs whose inbox has events that nobody told them of, such as those of `stateloop send`, until it is stopped.
   * @param wake tells a run, for example through the ingress.
   * @returns stops.
   */
  readonly sweep: (wake: (run: string) => Promise<void>) => () => void
}

/**
 * Serves the agents of a runtime on Restate. The journal should be one that all its processes share.
 *
 * @example
 * const { services } = restate(runtime, { agents: [support] })
 * await serve({ services: [...services], port: 9080 })
 */
export const restate = (runtime: Runtime, options: RestateOptions = {}): RestateServices => {
  const host = engineHost(runtime)
  const { create, wake, ...own } = handlersOf(host, options)
  const runs = object({ name: RUN_OBJECT, handlers: { ...own, wake: handlers.object.shared(wake) } })
  const sessions = object({
    name: SESSION_OBJECT,
    handlers: {
      /** Starts of one session, one after the other: each waits until the session is free. */
      start: async (ctx: ObjectContext, { id, ...request }: RestateStart & { readonly id: string }): Promise<{ readonly id: string; readonly created: boolean }> => {
        for (;;) {
          try {
            const made = await create(ctx, id, request)
            if (made.created) ctx.genericSend(toDrive(id))
            return made
          } catch (thrown) {
            if (!(thrown instanceof TerminalError) || !thrown.message.includes('"session_busy"')) throw thrown
            await ctx.sleep(BUSY_PAUSE_MS)
          }
        }
      },
    },
  })
  return { services: [runs, sessions], sweep: (tell) => sweep(host, options.sweepMs ?? 1_000, tell) }
}

/** Most runs told in one look. */
const MOST_TOLD = 100

const sweep = (host: EngineHost, everyMs: number, tell: (run: string) => Promise<void>): (() => void) => {
  if (everyMs === 0) return () => {}
  let stopped = false
  let cancel = (): void => {}
  const look = async (): Promise<void> => {
    try {
      const { runs } = await host.journal.claimable({ engine: RESTATE, limit: MOST_TOLD, only: ['event'] })
      for (const row of runs) await tell(row.id)
    } catch {
      // The journal or the ingress is away; the next look finds the same events.
    }
    if (!stopped) cancel = host.clock.timer(everyMs, () => void look(), true)
  }
  void look()
  return () => {
    stopped = true
    cancel()
  }
}
