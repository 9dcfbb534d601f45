// Agents for an MCP client that starts them as a process. Invariant: standard output carries the protocol and nothing else.
import type { Readable, Writable } from 'node:stream'
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js'
import { mcpServer, type McpServeOptions } from './mcp-server.ts'

/** Serves on standard input and output until the client goes. @throws FailureError `agent_invalid`, `usage`. */
export const serveMcpStdio = async (options: McpServeOptions, input: Readable = process.stdin, output: Writable = process.stdout): Promise<void> => {
  const server = mcpServer(options)
  const gone = new Promise<void>((resolve) => {
    Object.assign(server, { onclose: resolve })
    input.once('end', resolve)
  })
  await server.connect(new StdioServerTransport(input, output))
  await gone
  await server.close()
}
