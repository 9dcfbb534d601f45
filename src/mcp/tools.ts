// Tools of an MCP server as tools of ours. Invariant: a tool cannot be undone unless the author says otherwise, whatever the
// server says of itself, so its calls need a person's approval.
import type { Tool as McpTool } from '@modelcontextprotocol/sdk/types.js'
import { suggest } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import { toJsonSchema, type JsonSchema } from '../schema/index.ts'
import { defineTool, type Tool, type ToolEffect } from '../tool/index.ts'
import { connect, type Connection, type McpServerAddress } from './connect.ts'
import { fromJsonSchema } from './json-schema.ts'
import { markResult, resultText, type McpResult } from './result.ts'

/** What an author says of one tool. */
export interface McpToolOptions {
  /** What a call does to the world. Default `irreversible`. */
  readonly effect?: ToolEffect
  /** Set when the server makes a repeated call happen once. Default false. */
  readonly idempotent?: boolean
  /** Longest time of a call, milliseconds. */
  readonly timeoutMs?: number
}

/** Options of `mcpTools`. */
export interface McpToolsOptions<K extends string, P extends string> {
  /** What results are said to come from, and errors name. */
  readonly name: string
  readonly server: McpServerAddress
  /** Names of the tools to take, as the server names them. Default: all, whose names the compiler then does not know. */
  readonly only?: readonly K[]
  /** Put in front of the names, so that tools of several servers do not meet. */
  readonly prefix?: P
  /** What calls do, by the server's name of the tool, or one effect for all of them. */
  readonly tools?: { readonly [name in NoInfer<K>]?: McpToolOptions } | McpToolOptions
  /** Longest time of a call, milliseconds. Default 30,000. */
  readonly timeoutMs?: number
  /** Longest time to connect, milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** Longest text of a result, bytes; more is cut off. Default 65,536. */
  readonly maxResultBytes?: number
  /** Largest message from the server, bytes; a larger one breaks the connection. Default 10,000,000. */
  readonly maxMessageBytes?: number
}

/** Tools of a server, connected. */
export interface McpTools<K extends string> extends AsyncDisposable {
  readonly tools: { readonly [name in K]: Tool<{ readonly [name: string]: unknown }, McpResult> }
  /** Ends the connection, and the server's process if it has one. */
  readonly close: () => Promise<void>
}

/** Longest description that is shown to a model, characters: it comes from the server. */
const LONGEST_DESCRIPTION = 2_000
/** Tools of one server that are looked at. */
const MOST_TOOLS = 1_000

const listTools = async (connection: Connection, name: string, timeoutMs: number): Promise<readonly McpTool[]> => {
  const client = await connection.client()
  const found: McpTool[] = []
  let cursor: string | undefined
  do {
    const page = await client
      .listTools(cursor === undefined ? {} : { cursor }, { timeout: timeoutMs })
      .catch((error: unknown) => fail('connection_failed', `The MCP server ${name} did not list its tools: ${String(error)}.`, { cause: error }))
    found.push(...page.tools)
    cursor = page.nextCursor
  } while (cursor !== undefined && found.length < MOST_TOOLS)
  return found
}

/** A name that every provider of models takes. */
const safeName = (name: string): string => name.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, 64)

const inputOf = ({ inputSchema }: McpTool): JsonSchema => {
  const { $schema: _dialect, ...schema } = inputSchema as { readonly [key: string]: unknown }
  return schema as JsonSchema
}

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof McpToolOptions>(['effect', 'idempotent', 'timeoutMs'])

/** Options for one tool; an object that holds only options is for all of them. */
const optionsFor = (tools: McpToolsOptions<string, string>['tools'] = {}, name: string): McpToolOptions => {
  const forAll = Object.entries(tools).every(([key, value]) => OPTION_NAMES.has(key) && typeof value !== 'object')
  if (forAll) return tools as McpToolOptions
  return Object.hasOwn(tools, name) ? ((tools as { readonly [name: string]: McpToolOptions })[name] ?? {}) : {}
}

const toolOf = (connection: Connection, options: McpToolsOptions<string, string>, remote: McpTool): Tool<{ readonly [name: string]: unknown }, McpResult> => {
  const { name: server, maxResultBytes = 65_536, timeoutMs: general = 30_000 } = options
  const { effect = 'irreversible', idempotent = false, timeoutMs = general } = optionsFor(options.tools, remote.name)
  return defineTool<{ readonly [name: string]: unknown }, McpResult>({
    description: (remote.description ?? remote.title ?? remote.name).slice(0, LONGEST_DESCRIPTION),
    input: fromJsonSchema(inputOf(remote)),
    effect,
    idempotent,
    timeoutMs,
    // Escaped twice on its way, no text grows more than sixfold.
    maxResultBytes: maxResultBytes * 6 + 4_096,
    run: async (input, { signal, key }) => {
      const client = await connection.client()
      const call = { name: remote.name, arguments: { ...input }, _meta: { 'stateloop/key': key } }
      const result = await client.callTool(call, undefined, { signal, timeout: timeoutMs, resetTimeoutOnProgress: false }).catch((error: unknown) => {
        if (signal.aborted) throw error
        return fail(
          'tool_failed',
          `The MCP server ${server} did not answer the call of ${remote.name}: ${error instanceof Error ? error.message : String(error)}${effect === 'none' ? '' : ' Whether it happened is not known.'}`,
          { cause: error },
        )
      })
      if (result.isError === true) return fail('tool_failed', `${remote.name} of the MCP server ${server} failed: ${resultText(result as never).slice(0, LONGEST_DESCRIPTION)}`)
      return markResult(server, result as never, maxResultBytes)
    },
  })
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
 * @throws FailureError `connection_failed`; `agent_invalid` for a tool that the server does not have or whose schema is none.
 */
export const mcpTools = async <const K extends string = string, const P extends string = ''>(options: McpToolsOptions<K, P>): Promise<McpTools<`${P}${K}`>> => {
  const { name, server, only, prefix = '', connectTimeoutMs = 10_000, maxMessageBytes = 10_000_000 } = options
  const connection = connect({ name, server, connectTimeoutMs, maxMessageBytes })
  try {
    const remote = await listTools(connection, name, connectTimeoutMs)
    const names = remote.map((tool) => tool.name)
    const missing = (only ?? []).filter((wanted) => !names.includes(wanted))
    if (missing.length > 0) fail('agent_invalid', `The MCP server ${name} has no tool ${missing.map((wanted) => `'${wanted}'${suggest(wanted, names)}`).join(', ')} It has: ${names.join(', ')}.`)
    const chosen = only === undefined ? remote : remote.filter((tool) => (only as readonly string[]).includes(tool.name))
    const made = chosen.map((tool) => [safeName(`${prefix}${tool.name}`), toolOf(connection, options as never, tool)] as const)
    for (const [tool, { input }] of made) toJsonSchema(input, `tool ${tool}`)
    const close = (): Promise<void> => connection.close()
    return { tools: Object.fromEntries(made) as never, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await connection.close().catch(() => {})
    throw error
  }
}
