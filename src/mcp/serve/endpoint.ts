// Agents over MCP's streamable HTTP, as a route of a server. Invariant: a session belongs to whoever opened it, is let go when
// nobody uses it, and there are never more than so many.
import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js'
import { systemClock, type Clock } from '../../clock/index.ts'
import { boundedBody } from './bounded-body.ts'
import { eventStore } from './event-store.ts'
import { mcpServer, type McpServeOptions, type SessionIdentity } from './mcp-server.ts'

/** Options of `mcpEndpoint`. */
export interface McpEndpointOptions extends McpServeOptions {
  /** Sessions at once. Default 1,000. */
  readonly sessions?: number
  /** Sessions of one caller; for a new one the longest unused makes room. Default 100. */
  readonly sessionsPerCaller?: number
  /** How long a session may be unused, milliseconds. Default 1,800,000. */
  readonly idleMs?: number
  /** Largest request, bytes. Default 1,000,000. */
  readonly maxRequestBytes?: number
  /** Names that this endpoint may be called by, without ports, against DNS rebinding where no token keeps callers out. Default: any. */
  readonly allowedHosts?: readonly string[]
  /** Time. Default: the system's. */
  readonly clock?: Clock
}

/** A route, to be given to `createServer({ mount })` or called with requests that were let in. */
export interface McpEndpoint {
  /** Answers one request of the protocol; `identity` is whom it is for. */
  readonly fetch: (request: Request, identity?: SessionIdentity) => Promise<Response>
  /** Ends all sessions. */
  readonly close: () => Promise<void>
}

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport
  readonly server: Server
  readonly owner: string
  usedAt: number
  /** Answers that are still being read. */
  open: number
}

/** What a session keeps for a client that comes back, characters. */
const KEPT_CHARS = 256_000
/** When a client whose stream broke is to come back, milliseconds. */
const RETRY_MS = 1_000
/** What a client may leave unread of one answer, bytes: more than one large message. */
const UNREAD_BYTES = 4_000_000

const refused = (status: number, code: number, message: string): Response => Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status })

/** The host's name in an address or a `Host` header. */
const hostOf = (text: string): string | undefined => {
  const url = text.includes('://') ? text : `http://${text}`
  return URL.canParse(url) ? new URL(url).hostname : undefined
}

/** Tells whether both the page that asks, if one does, and the name that was asked for are known. */
const knownHost = ({ headers }: Request, allowed: readonly string[]): boolean => {
  const names = [headers.get('host'), headers.get('origin')].filter((text) => text !== null)
  return names.length > 0 && names.every((text) => allowed.includes(hostOf(text) ?? ''))
}

/** Sessions of an endpoint by id. */
class Sessions {
  readonly #open = new Map<string, Session>()
  readonly #options: McpEndpointOptions
  readonly #clock: Clock

  constructor(options: McpEndpointOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Answers a request of a session; undefined when there is none of that id that is the caller's. */
  async answer(id: string, owner: string, request: Request): Promise<Response | undefined> {
    const session = this.#open.get(id)
    if (session?.owner !== owner) return undefined
    const use = (open: 1 | -1): void => {
      session.open += open
      session.usedAt = this.#clock.monotonic()
    }
    use(1)
    try {
      return boundedBody(await session.transport.handleRequest(request), UNREAD_BYTES, () => use(-1))
    } catch (error) {
      use(-1)
      throw error
    }
  }

  /** Makes a session; undefined when there are too many. */
  async begin(identity: SessionIdentity, owner: string): Promise<WebStandardStreamableHTTPServerTransport | undefined> {
    const { sessions = 1_000, maxRequestBytes = 1_000_000 } = this.#options
    await this.#makeRoom(owner)
    if (this.#open.size >= sessions) return undefined
    const server = mcpServer(this.#options, identity)
    const transport = new WebStandardStreamableHTTPServerTransport({
      // Two ids, so that nobody guesses one.
      sessionIdGenerator: () => `${this.#clock.id()}-${this.#clock.id()}`,
      onsessioninitialized: (id) => void this.#open.set(id, { transport, server, owner, usedAt: this.#clock.monotonic(), open: 0 }),
      onsessionclosed: (id) => void this.#open.delete(id),
      maxRequestBodySize: maxRequestBytes,
      eventStore: eventStore(KEPT_CHARS),
      retryInterval: RETRY_MS,
    })
    await server.connect(transport)
    return transport
  }

  async close(): Promise<void> {
    for (const id of this.#open.keys()) await this.#end(id)
  }

  /** Ends sessions that nobody uses, and those of a caller who has as many as may be. */
  async #makeRoom(owner: string): Promise<void> {
    const { sessionsPerCaller = 100, idleMs = 1_800_000 } = this.#options
    const now = this.#clock.monotonic()
    const unread = [...this.#open].filter(([, { open }]) => open === 0).toSorted(([, a], [, b]) => a.usedAt - b.usedAt)
    const own = [...this.#open.values()].filter((session) => session.owner === owner).length
    const surplus = unread.filter(([, session]) => session.owner === owner).slice(0, Math.max(0, own - sessionsPerCaller + 1))
    for (const [id] of [...unread.filter(([, { usedAt }]) => now - usedAt > idleMs), ...surplus]) await this.#end(id)
  }

  async #end(id: string): Promise<void> {
    const session = this.#open.get(id)
    this.#open.delete(id)
    await session?.server.close().catch(() => {})
  }
}

/**
 * Makes the route.
 * @example createServer({ runtime, agents, token, mount: { '/mcp': mcpEndpoint({ runtime, agents }).fetch } })
 */
export const mcpEndpoint = (options: McpEndpointOptions): McpEndpoint => {
  const sessions = new Sessions(options)
  return {
    close: () => sessions.close(),
    fetch: async (request, identity = {}) => {
      const { allowedHosts } = options
      if (allowedHosts !== undefined && !knownHost(request, allowedHosts)) return refused(403, -32_000, 'This endpoint is not called by that name.')
      const owner = JSON.stringify([identity.tenant ?? '', identity.user ?? ''])
      const id = request.headers.get('mcp-session-id')
      if (id !== null) return (await sessions.answer(id, owner, request)) ?? refused(404, -32_001, 'There is no such session. Begin a new one.')
      if (request.method !== 'POST') return refused(400, -32_000, 'Name a session with mcp-session-id.')
      const transport = await sessions.begin(identity, owner)
      return transport?.handleRequest(request) ?? refused(503, -32_000, 'There are as many sessions as there may be. Come back later.')
    },
  }
}
