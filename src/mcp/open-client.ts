// One connection to an MCP server, from the transport up. Invariant: a server that sends more than it may is heard no further.
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { ErrorCode, McpError } from '@modelcontextprotocol/sdk/types.js'
import { fail } from '../failure/index.ts'
import type { McpServerAddress } from './address.ts'
import { guardedFetch } from './guarded-fetch.ts'

/** Options of a connection. */
export interface ConnectOptions {
  /** What results are said to come from. */
  readonly name: string
  readonly server: McpServerAddress
  /** Longest time to connect, milliseconds. */
  readonly connectTimeoutMs: number
  /** Longest time of one request over HTTP, milliseconds. */
  readonly requestTimeoutMs: number
  /** Largest message from the server, bytes. */
  readonly maxMessageBytes: number
}

/** A client that is connected. */
export interface Opened {
  readonly client: Client
  readonly transport: Transport
  /** What last went wrong below the protocol. */
  trouble?: string
  /** Rejects when the server sent more than it may: nothing of what it says is heard any more. */
  readonly broken: Promise<never>
}

const transportOf = ({ server, maxMessageBytes, requestTimeoutMs }: ConnectOptions, onTooLong: () => void): Transport | Promise<Transport> => {
  if ('transport' in server) return server.transport()
  if ('command' in server) {
    const { command, args = [], env, cwd, stderr = 'ignore' } = server
    return new StdioClientTransport({ command, args: [...args], stderr, maxBufferSize: maxMessageBytes, ...(env === undefined ? {} : { env: { ...env } }), ...(cwd === undefined ? {} : { cwd }) })
  }
  const { url, authProvider } = server
  const guarded = guardedFetch(server, { mostBytes: maxMessageBytes, longestMs: requestTimeoutMs, onTooLong })
  return new StreamableHTTPClientTransport(new URL(url), { fetch: guarded, ...(authProvider === undefined ? {} : { authProvider }) }) as Transport
}

const newClient = (name: string): Client => {
  const client = new Client({ name: 'stateloop', version: '1' }, { capabilities: {} })
  client.fallbackRequestHandler = ({ method }) =>
    Promise.reject(new McpError(ErrorCode.MethodNotFound, `This client uses the tools of ${name}. It lets no server call models, ask people or look at files, so ${method.slice(0, 100)} is refused.`))
  return client
}

/** A client on its transport, and what ends both. */
const assemble = async (options: ConnectOptions): Promise<Opened> => {
  const client = newClient(options.name)
  const { promise: broken, reject } = Promise.withResolvers<never>()
  broken.catch(() => {})
  const breakOff = (): void => {
    reject(new Error(`The server sent a message of more than ${options.maxMessageBytes} bytes, so the connection was ended.`))
    // Asked to end, a process would first write the rest.
    if (transport instanceof StdioClientTransport && transport.pid !== null) process.kill(transport.pid, 'SIGKILL')
    void client.close().catch(() => {})
  }
  const transport = await transportOf(options, breakOff)
  const opened: Opened = { client, transport, broken }
  const onerror = ({ message }: Error): void => {
    opened.trouble = message
    // The SDK's own words for what its buffer does not take.
    if (message.startsWith('ReadBuffer exceeded')) breakOff()
  }
  Object.assign(client, { onerror })
  return opened
}

/** Has a person authorize a client. @throws FailureError `auth_failed` when nobody can. */
export const authorize = async ({ name, server }: ConnectOptions, transport: Transport, cause: unknown): Promise<void> => {
  const code = 'authorizationCode' in server ? server.authorizationCode : undefined
  if (code === undefined || !(transport instanceof StreamableHTTPClientTransport))
    return fail('auth_failed', `The MCP server ${name} asks for an authorization that a person gives. Pass authorizationCode beside authProvider, or tokens that it accepts.`, { cause })
  await transport.finishAuth(await code())
}

/** Connects; once more after a person had to authorize it. @throws FailureError `auth_failed`; what the SDK throws. */
export const openClient = async (options: ConnectOptions, authorized = false): Promise<Opened> => {
  const opened = await assemble(options)
  try {
    await opened.client.connect(opened.transport, { timeout: options.connectTimeoutMs })
    return opened
  } catch (error) {
    await opened.client.close().catch(() => {})
    if (!(error instanceof UnauthorizedError) || authorized) throw error
    await authorize(options, opened.transport, error)
    return openClient(options, true)
  }
}
