// What a server is made of, as its caller gives it and as its routes use it.
import type { AnyAgent, ModelName } from '../agent/index.ts'
import type { Clock } from '../clock/index.ts'
import type { RunEvent, Runtime } from '../run/index.ts'
import type { AccessOptions, Identity } from './access.ts'
import type { ChatAgent } from './chat/chat-agent.ts'
import type { Feeds } from './feeds.ts'
import type { ServerLimits, Slots } from './limits.ts'
import type { Aliases, ModelAlias } from './openai/model-alias.ts'
import type { Work } from './work.ts'

/** Options of `createServer`. */
export interface ServerOptions extends AccessOptions {
  /** Drives the runs. It stays yours: close it after the server. */
  readonly runtime: Runtime
  /** Agents that clients may start; their ids are their names. Runs of other agents are not shown. */
  readonly agents: readonly AnyAgent[]
  /** Agents that chat clients can talk to, by the name they use; agents that take text are there under their ids. Default: those alone. */
  readonly chat?: { readonly [name: string]: ChatAgent }
  /** Models that OpenAI clients can call by these names. Default: none. */
  readonly models?: { readonly [alias: string]: ModelName | ModelAlias }
  /** Serves a page to talk to the agents at the root. Default true; it holds no secret and asks for the token. */
  readonly page?: boolean
  /** More routes, by path, for requests that were let in: `{ '/mcp': mcpEndpoint({ runtime, agents }).fetch }`. Default: none. */
  readonly mount?: { readonly [path: string]: (request: Request, identity: Identity) => Promise<Response> }
  /** How much callers may ask for. Default: see {@link ServerLimits}. */
  readonly limits?: ServerLimits
  /** Path in front of every route, for a server inside another: `/api/agents`. Default: none. */
  readonly basePath?: string
  /** Origins of pages that may call, as `https://app.example`. Default: only pages from the server itself. */
  readonly origins?: readonly string[]
  /** Names that the server may be called by, without ports, against DNS rebinding where no token keeps callers out. Default: any. */
  readonly hosts?: readonly string[]
  /** What of an event a caller is told; undefined leaves it out. Default: all of it. Must not throw. */
  readonly show?: (event: RunEvent, identity: Identity) => RunEvent | undefined
  /** Hears of bugs: the error, and the id that the caller was told. Default: standard error. */
  readonly onDefect?: (error: unknown, id: string) => void
  /** Time. Default: the system's. */
  readonly clock?: Clock
}

/** What routes work with. */
export interface ServerParts {
  readonly runtime: Runtime
  readonly agents: ReadonlyMap<string, AnyAgent>
  readonly chats: ReadonlyMap<string, ChatAgent>
  readonly aliases: Aliases
  readonly clock: Clock
  readonly limits: Required<ServerLimits>
  readonly feeds: Feeds
  /** Open streams and waits. */
  readonly streams: Slots
  readonly work: Work
  readonly show: ServerOptions['show']
  readonly draining: () => boolean
}

/** What the platform knows of a request beside the request. */
export interface Connection {
  /** Breaks the connection at once. */
  readonly abandon?: () => void
}

/** How Hono is typed here. */
export interface HonoTypes {
  readonly Bindings: Connection
  readonly Variables: { readonly identity: Identity }
}
