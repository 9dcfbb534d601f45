// A connection to an MCP server: a process of this machine, or an address. Invariant: what a server may send at once is capped,
// and a connection that broke is made anew for the next call, never in the middle of one.
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js'
import { fail } from '../failure/index.ts'

/** Where an MCP server is. */
export type McpServerAddress =
  | {
      /** A program that speaks over its standard input and output. */
      readonly command: string
      readonly args?: readonly string[]
      /** Added to the few variables that are safe to pass on; nothing else of this process's environment is. */
      readonly env?: { readonly [name: string]: string }
      readonly cwd?: string
      /** Where what it writes to standard error goes. Default `ignore`. */
      readonly stderr?: 'ignore' | 'inherit'
    }
  | {
      /** The address of its streamable HTTP endpoint. */
      readonly url: string
      /** Sent with every request: `authorization` for example. */
      readonly headers?: { readonly [name: string]: string }
      /** Sends requests. Default: the platform's `fetch`. */
      readonly fetch?: typeof fetch
    }
  /** A transport of the SDK, made anew for each connection. */
  | { readonly transport: () => Transport | Promise<Transport> }

/** Options of a connection. */
export interface ConnectOptions {
  /** What results are said to come from. */
  readonly name: string
  readonly server: McpServerAddress
  /** Longest time to connect, milliseconds. */
  readonly connectTimeoutMs: number
  /** Largest message from the server, bytes. */
  readonly maxMessageBytes: number
}

/** A connection that is there when it is needed. */
export interface Connection {
  /** @throws FailureError `connection_failed` when the server cannot be reached. */
  readonly client: () => Promise<Client>
  readonly close: () => Promise<void>
}

const EVENT_END = [10, 10] as const

/** A body that breaks off when one message in it is longer than allowed. Events of a stream are counted one by one. */
const capped = (response: Response, most: number): Response => {
  if (response.body === null) return response
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
  let bytes = 0
  let last = 0
  const count = (piece: Uint8Array): void => {
    for (const byte of piece) {
      bytes = isStream && byte === EVENT_END[1] && last === EVENT_END[0] ? 0 : bytes + 1
      if (byte !== 13) last = byte
      if (bytes > most) throw new Error(`The MCP server sent a message of more than ${most} bytes.`)
    }
  }
  const body = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        count(piece)
        controller.enqueue(piece)
      },
    }),
  )
  return new Response(body, response)
}

const transportOf = ({ server, maxMessageBytes }: ConnectOptions): Transport | Promise<Transport> => {
  if ('transport' in server) return server.transport()
  if ('command' in server) {
    const { command, args = [], env, cwd, stderr = 'ignore' } = server
    return new StdioClientTransport({ command, args: [...args], stderr, maxBufferSize: maxMessageBytes, ...(env === undefined ? {} : { env: { ...env } }), ...(cwd === undefined ? {} : { cwd }) })
  }
  const { url, headers = {}, fetch: own = fetch } = server
  return new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers: { ...headers } }, fetch: async (to, init) => capped(await own(to, init), maxMessageBytes) }) as Transport
}

const describe = (server: McpServerAddress): string => ('command' in server ? server.command : 'url' in server ? server.url : 'its transport')

/** Prepares a connection; it is made when it is first needed. */
export const connect = (options: ConnectOptions): Connection => {
  let current: Promise<Client> | undefined
  const open = async (): Promise<Client> => {
    const client = new Client({ name: 'stateloop', version: '1' }, { capabilities: {} })
    try {
      await client.connect(await transportOf(options), { timeout: options.connectTimeoutMs })
    } catch (error) {
      await client.close().catch(() => {})
      return fail(
        'connection_failed',
        `The MCP server ${options.name} could not be reached by ${describe(options.server)}: ${error instanceof Error ? error.message : String(error)}. Check that it starts and that its address is right.`,
        { cause: error },
      )
    }
    return Object.assign(client, {
      onclose: () => {
        current = undefined
      },
    })
  }
  return {
    client: () => {
      current ??= open().catch((error: unknown) => {
        current = undefined
        throw error
      })
      return current
    },
    close: async () => {
      const client = await current?.catch(() => undefined)
      await client?.close()
    },
  }
}
