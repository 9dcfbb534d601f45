// A connection to an MCP server that is there when it is needed. Invariant: work is done again only when the server refused it
// before doing anything.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPError } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js'
import { systemClock } from '../clock/index.ts'
import { failure, FailureError, type FailureCode } from '../failure/index.ts'
import type { Scrubber } from '../trace/index.ts'
import type { McpServerAddress } from './address.ts'
import { authorize, openClient, type ConnectOptions, type Opened } from './open-client.ts'
import { redactor } from './redactor.ts'

/** A connection that is there when it is needed. */
export interface Connection {
  /**
   * Does something with a connected client; once more when the server had forgotten the session, or asked for authorization.
   * @throws FailureError `connection_failed` when the server cannot be reached, `auth_failed` when it lets nobody in; whatever `work` throws.
   */
  readonly use: <T>(work: (client: Client) => Promise<T>) => Promise<T>
  /** Takes the credentials of this connection out of what the server said. */
  readonly redact: () => Promise<Scrubber>
  readonly close: () => Promise<void>
}

/** How long a client stays whose session was forgotten, milliseconds. */
const LINGER_MS = 5_000

const describe = (server: McpServerAddress): string => ('command' in server ? server.command : 'url' in server ? server.url : 'its transport')

/** What was thrown, in words. */
export const wordsOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown))

/** Tells whether the protocol's client gave up for that reason. */
export const isMcpError = (error: unknown, code: ErrorCode): boolean => error instanceof McpError && (error.code as ErrorCode) === code

/** The server refused a request because it no longer knows the session. Some answer 400 where the protocol says 404. */
const forgotSession = (error: unknown): boolean => error instanceof StreamableHTTPError && (error.code === 404 || (error.code === 400 && /session/i.test(error.message)))

const isRefusal = (error: unknown): boolean => error instanceof UnauthorizedError || (error instanceof StreamableHTTPError && (error.code === 401 || error.code === 403))

/** Connects, and says what went wrong in words of ours, without credentials. */
const open = async (options: ConnectOptions, redact: Connection['redact']): Promise<Opened> => {
  const { name, server } = options
  const refuse = async (code: FailureCode, message: string, cause: unknown): Promise<never> => {
    throw new FailureError((await redact()).data(failure(code, message, { cause })))
  }
  try {
    return await openClient(options)
  } catch (error) {
    if (error instanceof FailureError) throw error
    if (isRefusal(error)) return refuse('auth_failed', `The MCP server ${name} at ${describe(server)} let us not in: ${wordsOf(error)}. Check headers or authProvider.`, error)
    return refuse('connection_failed', `The MCP server ${name} could not be reached by ${describe(server)}: ${wordsOf(error)}. Check that it starts and that its address is right.`, error)
  }
}

/** Prepares a connection; it is made when it is first needed. @param onConnected called with each client that was connected. */
export const connect = (options: ConnectOptions, onConnected: (client: Client) => void): Connection => {
  const redact = redactor(options.server)
  let current: Promise<Opened> | undefined
  const forget = (one: Promise<Opened>): void => {
    if (current === one) current = undefined
  }
  const begin = (): Promise<Opened> => {
    const opening = open(options, redact).then((opened) => {
      Object.assign(opened.client, { onclose: () => forget(opening) })
      opened.broken.catch(() => forget(opening))
      onConnected(opened.client)
      return opened
    })
    opening.catch(() => forget(opening))
    return opening
  }
  /** Makes it worth trying again. @throws what was thrown, when it is not. */
  const repair = async (opening: Promise<Opened>, { client, transport }: Opened, error: unknown): Promise<void> => {
    if (error instanceof UnauthorizedError) return authorize(options, transport, error)
    if (!forgotSession(error)) throw error
    forget(opening)
    // Other calls of the session are about to hear the same, and are made again as well.
    systemClock.timer(LINGER_MS, () => void client.close().catch(() => {}), true)
  }
  return {
    redact,
    use: async (work) => {
      for (let again = false; ; again = true) {
        const opening = (current ??= begin())
        const opened = await opening
        try {
          return await Promise.race([work(opened.client), opened.broken])
        } catch (error) {
          if (isMcpError(error, ErrorCode.ConnectionClosed) && opened.trouble !== undefined) throw new Error(`The connection broke: ${opened.trouble}`, { cause: error })
          if (again) throw error
          await repair(opening, opened, error)
        }
      }
    },
    close: async () => {
      const opened = await current?.catch(() => undefined)
      await opened?.client.close()
    },
  }
}
