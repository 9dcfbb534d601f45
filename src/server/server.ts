// The server as a fetch handler: who may call, how much, and which route answers. Invariant: every answer is what was asked
// for or a problem with a code, whatever the request holds.
import type { Hono, MiddlewareHandler } from 'hono'
import { systemClock } from '../clock/index.ts'
import { fail } from '../failure/index.ts'
import { inTraceOf } from '../trace/index.ts'
import { access, type Admit } from './access.ts'
import { chatAgents } from './chat/chat-agent.ts'
import { errorResponse, failureFor, isOpenAiPath } from './openai/error.ts'
import { aliasAgents } from './openai/model-alias.ts'
import { feeds as makeFeeds } from './feeds.ts'
import { loadHono } from './hono.ts'
import { knownPage } from './known-page.ts'
import { fullLimits, requestRate, slots } from './limits.ts'
import type { Connection, HonoTypes, ServerOptions, ServerParts } from './options.ts'
import { pageResponse } from './page/page.ts'
import { judge, problemResponse, refuse } from './problem.ts'
import { agentRoutes } from './routes/agents.ts'
import { chatRoutes } from './routes/chat.ts'
import { eventRoutes } from './routes/events.ts'
import { healthRoutes } from './routes/health.ts'
import { mountedRoutes } from './routes/mounted.ts'
import { runRoutes } from './routes/runs.ts'
import { work } from './work.ts'

/** A server that any runtime with `fetch` types can mount. */
export interface Server {
  /** Answers a request. Never rejects. */
  readonly fetch: (request: Request, connection?: Connection) => Promise<Response>
  /**
   * Loads what the server needs beside this package; `listen` does it, and so does the first request.
   * @throws FailureError `usage` when hono is not installed.
   */
  readonly ready: () => Promise<void>
  /**
   * Sets no more runs to work, waits up to `graceMs` (default 10,000) for those at work, then ends all streams. Clients
   * come back elsewhere. Reading goes on; the runtime stays open.
   */
  readonly drain: (graceMs?: number) => Promise<void>
}

const toStandardError = (error: unknown, id: string): void => void process.stderr.write(`defect ${id}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)

const partsOf = ({ runtime, agents, chat, models, limits = {}, show, clock = systemClock }: ServerOptions, draining: () => boolean): ServerParts => {
  const byId = new Map(agents.map((agent) => [agent.id, agent]))
  if (byId.size < agents.length) fail('usage', `Two agents of the server have the same id: ${agents.map(({ id }) => id).join(', ')}. An agent's id is its name in addresses.`)
  const chats = chatAgents(agents, chat)
  const both = Object.keys(models ?? {}).filter((name) => chats.has(name))
  if (both.length > 0) fail('usage', `${both.join(', ')} cannot be both a model and a chat agent of the server. Name the model differently.`)
  const full = fullLimits(limits)
  const runs = slots(full.runs, 'runs at work', 'runs')
  return {
    runtime,
    agents: byId,
    chats,
    aliases: aliasAgents(models),
    clock,
    limits: full,
    feeds: makeFeeds(runtime, clock),
    streams: slots(full.streams, 'streams open', 'streams', full.streamsPerCaller),
    work: work(runtime, clock, runs),
    show,
    draining,
  }
}

const ALLOWED_HEADERS = ['authorization', 'content-type', 'idempotency-key', 'last-event-id', 'traceparent', 'tracestate', 'x-stateloop-user', 'x-stateloop-route', 'x-stateloop-tenant']
/** Headers that OpenAI's SDK sends with every request: a browser asks for leave to send each of them. */
const SDK_HEADERS = [...['lang', 'package-version', 'os', 'arch', 'runtime', 'runtime-version', 'retry-count', 'timeout', 'helper-method'].map((name) => `x-stainless-${name}`), 'openai-organization', 'openai-project']
const EXPOSED_HEADERS = ['location', 'retry-after', 'retry-after-ms', 'traceparent', 'x-request-id', 'x-should-retry', 'x-stateloop-run', 'x-stateloop-ignored']

/** The routes, once Hono is there. */
const routesOf = async ({ basePath = '', origins = [], hosts, page = true, mount = {}, onDefect = toStandardError }: ServerOptions, parts: ServerParts, admit: Admit): Promise<Hono<HonoTypes>> => {
  const { Hono, cors } = await loadHono()
  const count = requestRate(parts.limits.requestsPerMinute, parts.clock)
  const app = new Hono<HonoTypes>().basePath(basePath)
  const report = (error: unknown): string => {
    const id = parts.clock.id()
    onDefect(error, id)
    return id
  }
  app.onError((error, context) => {
    const { failure, status, defect } = judge(error)
    // A path that is not there and another media type have no code of their own.
    if (isOpenAiPath(context.req.path)) return errorResponse(failureFor(error, report), parts.clock.now(), {}, failure.code === 'usage' ? status : undefined)
    return problemResponse(failure, status, parts.clock.now(), defect ? `urn:uuid:${report(error)}` : undefined)
  })
  app.use(async (context, next) => {
    await next()
    context.header('x-content-type-options', 'nosniff')
  })
  if (origins.length > 0) app.use(cors({ origin: [...origins], allowHeaders: [...ALLOWED_HEADERS, ...SDK_HEADERS], allowMethods: ['GET', 'POST'], exposeHeaders: EXPOSED_HEADERS }))
  healthRoutes(app, parts)
  if (page) app.get('/', () => pageResponse(parts.clock.id()))
  const checkPage = knownPage(origins, hosts)
  const letIn: MiddlewareHandler<HonoTypes> = async (context, next) => {
    checkPage(context.req.raw)
    const identity = await admit(context.req.raw)
    count(identity)
    context.set('identity', identity)
    await inTraceOf(context.req.header('traceparent'), context.req.header('tracestate'), next)
  }
  app.use('/v1/*', letIn)
  app.use('/openapi.json', letIn)
  agentRoutes(app, parts, basePath)
  runRoutes(app, parts)
  eventRoutes(app, parts)
  chatRoutes(app, parts, report)
  mountedRoutes(app, parts, mount, letIn)
  app.notFound((context) => refuse('usage', `There is no ${context.req.method} ${context.req.path.slice(0, 200)} here. GET ${basePath}/openapi.json describes what there is.`, { status: 404 }))
  return app
}

/**
 * Makes a server for agents.
 * @example
 * const server = createServer({ runtime, agents: [support], token: process.env.STATELOOP_TOKEN ?? '' })
 * export default { fetch: server.fetch }
 * @throws FailureError `usage` when nothing would keep callers out, or two agents have one id.
 */
export const createServer = (options: ServerOptions): Server => {
  let draining = false
  const parts = partsOf(options, () => draining)
  const admit = access(options)
  let routes: Promise<Hono<HonoTypes>> | undefined
  const load = (): Promise<Hono<HonoTypes>> => (routes ??= routesOf(options, parts, admit))
  return {
    fetch: async (request, connection = {}) => {
      try {
        return await (await load()).fetch(request, connection)
      } catch (error) {
        const { failure } = judge(error)
        return problemResponse(failure, 500, parts.clock.now())
      }
    },
    ready: async () => void (await load()),
    drain: async (graceMs = 10_000) => {
      draining = true
      await parts.work.drain(graceMs)
      parts.feeds.close()
    },
  }
}
