// What `stateloop/mcp` gives. The official SDK is the user's own dependency, so it is loaded with the first use. Invariant:
// where it is missing, the error says what to install.
import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { Readable, Writable } from 'node:stream'
import { fail } from '../failure/index.ts'
import type { McpEndpoint, McpEndpointOptions } from './serve/endpoint.ts'
import type { McpServeOptions, SessionIdentity } from './serve/mcp-server.ts'
import type { McpTools, McpToolsOptions, SafeName } from './tools.ts'

const withSdk = async <T>(part: Promise<T>): Promise<T> => {
  try {
    return await part
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw thrown
    return fail('usage', 'MCP needs the package @modelcontextprotocol/sdk: npm install @modelcontextprotocol/sdk', { cause: thrown })
  }
}

/**
 * Connects to an MCP server and takes its tools. An agent names them like its own; a state offers those it lists.
 * @example
 * const files = await mcpTools({
 *   name: 'files',
 *   server: { command: 'npx', args: ['-y', '@modelcontextprotocol/server-filesystem', '/data'] },
 *   only: ['read_file', 'write_file'],
 *   tools: { read_file: { effect: 'none' } },
 * })
 * @throws FailureError `connection_failed`; `auth_failed` when the server lets nobody in; `agent_invalid` for a tool in `only` that the server does not have or that cannot be used; `usage` when the SDK is not installed.
 */
export const mcpTools = async <const K extends string = string, const P extends string = ''>(options: McpToolsOptions<K, P>): Promise<McpTools<SafeName<`${P}${K}`>>> =>
  (await withSdk(import('./tools.ts'))).mcpTools(options)

/**
 * Makes a route that offers agents as tools over MCP's streamable HTTP.
 * @example
 * import { createServer } from 'stateloop/server'
 * createServer({ runtime, agents, token, mount: { '/mcp': mcpEndpoint({ runtime, agents }).fetch } })
 */
export const mcpEndpoint = (options: McpEndpointOptions): McpEndpoint => {
  // Not caught here: without the SDK the process stops as it starts, and not with the first request.
  const endpoint = withSdk(import('./serve/endpoint.ts')).then((made) => made.mcpEndpoint(options))
  return { fetch: async (request, identity) => (await endpoint).fetch(request, identity), close: async () => (await endpoint).close() }
}

/** Makes the SDK's server of one session, whose tools are agents. @throws FailureError `agent_invalid` for an agent whose input cannot be shown, `usage` without the SDK. */
export const mcpServer = async (options: McpServeOptions, identity?: SessionIdentity): Promise<Server> => (await withSdk(import('./serve/mcp-server.ts'))).mcpServer(options, identity)

/** Serves agents on standard input and output until the client goes. @throws FailureError `agent_invalid`, `usage`. */
export const serveMcpStdio = async (options: McpServeOptions, input?: Readable, output?: Writable): Promise<void> => (await withSdk(import('./serve/stdio.ts'))).serveMcpStdio(options, input, output)
