// Tools of an MCP server as tools of ours. Invariant: a tool cannot be undone unless the author says otherwise, whatever the
// server says of itself, so its calls need a person's approval.
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { ErrorCode, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { suggest } from '../agent/index.ts'
import { sleep, systemClock } from '../clock/index.ts'
import { fail, failure, FailureError } from '../failure/index.ts'
import { defineTool, type Tool, type ToolEffect } from '../tool/index.ts'
import type { McpServerAddress } from './address.ts'
import { connect, isMcpError, wordsOf, type Connection } from './connect.ts'
import { fromJsonSchema } from './json-schema.ts'
import { changeOf, listTools, safeName, type ListedTools, type McpToolsChange, type RemoteTool, type SkippedTool } from './list-tools.ts'
import { CallResult, markResult, resultText, type McpResult } from './result.ts'

/** What an author says of one tool. */
export interface McpToolOptions {
  /** What a call does to the world. Default `irreversible`. */
  readonly effect?: ToolEffect
  /** Set when the server makes a repeated call happen once. Default false. */
  readonly idempotent?: boolean
  /** Longest time of a call without an answer or a word of its progress, milliseconds. Default: that of `mcpTools`. */
  readonly timeoutMs?: number
  /** Longest time of a call, however much progress it tells of, milliseconds. Default: that of `mcpTools`. */
  readonly totalTimeoutMs?: number
}

/** Options of `mcpTools`. */
export interface McpToolsOptions<K extends string, P extends string> {
  /** What results are said to come from, and errors name. */
  readonly name: string
  /** Where the server is, or how it is started. */
  readonly server: McpServerAddress
  /** Names of the tools to take, as the server names them. Default: all, whose names the compiler then does not know. */
  readonly only?: readonly K[]
  /** Put in front of the names, so that tools of several servers do not meet. Default: nothing. */
  readonly prefix?: P
  /** What calls do, by the server's name of the tool, or one effect for all of them. Default: see {@link McpToolOptions}. */
  readonly tools?: { readonly [name in NoInfer<K>]?: McpToolOptions } | McpToolOptions
  /** Longest time of a call without an answer or a word of its progress, milliseconds. Default 30,000. */
  readonly timeoutMs?: number
  /** Longest time of a call, however much progress it tells of, milliseconds. Default ten times `timeoutMs`. */
  readonly totalTimeoutMs?: number
  /** Longest time to connect, milliseconds. Default 10,000. */
  readonly connectTimeoutMs?: number
  /** Longest text of a result, bytes; more is cut off. Default 65,536. */
  readonly maxResultBytes?: number
  /** Largest message from the server, bytes; a larger one breaks the connection. Default 10,000,000. */
  readonly maxMessageBytes?: number
  /**
   * Told when the server lists other tools than those that were taken: it said so, or a connection was made anew. The tools
   * stay as they are until the module loads again, since a run must not change under way. Must not throw. Default: nobody is told.
   */
  readonly onChange?: (change: McpToolsChange) => void
}

/** A name as models are told it; longer ones than 64 characters get a hash for their end. */
export type SafeName<N extends string> = N extends `${infer A}.${infer B}` ? SafeName<`${A}_${B}`> : N extends `${infer A}/${infer B}` ? SafeName<`${A}_${B}`> : N

/** Tools of a server, connected. */
export interface McpTools<K extends string> extends AsyncDisposable {
  /** Tools by the name that models are told, for `setupAgent({ tools })` or `agent({ tools })`. */
  readonly tools: { readonly [name in K]: Tool<{ readonly [name: string]: unknown }, McpResult> }
  /** Tools of the server that cannot be used, and why. Those in `only` are refused instead. */
  readonly skipped: readonly SkippedTool[]
  /** Ends the connection, and the server's process if it has one. */
  readonly close: () => Promise<void>
}

/** Longest text of a failure, characters. */
const LONGEST_WORDS = 2_000
/** How soon a list that changed is looked at again, milliseconds. */
const RELIST_MS = 1_000

const OPTION_NAMES: ReadonlySet<string> = new Set<keyof McpToolOptions>(['effect', 'idempotent', 'timeoutMs', 'totalTimeoutMs'])

/** Options for one tool; an object that holds only options is for all of them. */
const optionsFor = (tools: McpToolsOptions<string, string>['tools'] = {}, name: string): McpToolOptions => {
  const forAll = Object.entries(tools).every(([key, value]) => OPTION_NAMES.has(key) && typeof value !== 'object')
  if (forAll) return tools as McpToolOptions
  return Object.hasOwn(tools, name) ? ((tools as { readonly [name: string]: McpToolOptions })[name] ?? {}) : {}
}

/** Limits of a call of one tool. */
const timesOf = ({ timeoutMs: general = 30_000, totalTimeoutMs: generalTotal, tools }: McpToolsOptions<string, string>, name: string): { readonly timeoutMs: number; readonly totalTimeoutMs: number } => {
  const own = optionsFor(tools, name)
  const timeoutMs = own.timeoutMs ?? general
  return { timeoutMs, totalTimeoutMs: Math.max(timeoutMs, own.totalTimeoutMs ?? generalTotal ?? timeoutMs * 10) }
}

type Call = { readonly name: string; readonly arguments: { readonly [name: string]: unknown }; readonly _meta: { readonly 'stateloop/key': string } }
type CallTimes = ReturnType<typeof timesOf>

/** Calls a tool. Progress keeps the call alive, up to its longest time, when the server is told that nobody waits any more. */
const ask = async (client: Client, call: Call, signal: AbortSignal, { timeoutMs, totalTimeoutMs }: CallTimes): Promise<CallResult> => {
  const late = new AbortController()
  const inTime = systemClock.timer(totalTimeoutMs, () => late.abort(`It took longer than ${totalTimeoutMs} ms`), true)
  try {
    return await client.request({ method: 'tools/call', params: call }, CallResult, {
      signal: AbortSignal.any([signal, late.signal]),
      timeout: timeoutMs,
      resetTimeoutOnProgress: true,
      onprogress: () => {},
    })
  } finally {
    inTime()
  }
}

const toolOf = (connection: Connection, options: McpToolsOptions<string, string>, remote: RemoteTool): Tool<{ readonly [name: string]: unknown }, McpResult> => {
  const { name: server, maxResultBytes = 65_536 } = options
  const { effect = 'irreversible', idempotent = false } = optionsFor(options.tools, remote.name)
  const times = timesOf(options, remote.name)
  const unknown = effect === 'none' ? '' : ' Whether it happened is not known.'
  return defineTool<{ readonly [name: string]: unknown }, McpResult>({
    description: remote.description,
    input: fromJsonSchema(remote.given, remote.shown),
    effect,
    idempotent,
    timeoutMs: times.totalTimeoutMs,
    // Escaped twice on its way, no text grows more than sixfold.
    maxResultBytes: maxResultBytes * 6 + 4_096,
    run: async (input, { signal, key }) => {
      const call = { name: remote.name, arguments: { ...input }, _meta: { 'stateloop/key': key } }
      const told = await connection
        .use((client) => ask(client, call, signal, times))
        .catch(async (error: unknown) => {
          if (signal.aborted) throw error
          const late = isMcpError(error, ErrorCode.RequestTimeout)
          const words = wordsOf(error).slice(0, LONGEST_WORDS)
          const message = late
            ? `The MCP server ${server} did not answer the call of ${remote.name} in time: ${words}.${unknown}`
            : `The MCP server ${server} did not answer the call of ${remote.name}: ${words}${unknown}`
          throw new FailureError((await connection.redact()).data(failure(late ? 'timeout' : 'tool_failed', message)))
        })
      const result = (await connection.redact()).data(told)
      if (result.isError === true) return fail('tool_failed', `${remote.name} of the MCP server ${server} failed: ${resultText(result).slice(0, LONGEST_WORDS)}`)
      return markResult(server, result, maxResultBytes)
    },
  })
}

/** @throws FailureError always. */
const listingFailed = async (connection: Connection, server: string, error: unknown): Promise<never> => {
  if (error instanceof FailureError) throw error
  throw new FailureError((await connection.redact()).data(failure('connection_failed', `The MCP server ${server} did not list its tools: ${wordsOf(error)}. Check that it offers tools.`, { cause: error })))
}

/** Those of the tools that the author wants. */
const wanted = (only: readonly string[] | undefined, tools: readonly RemoteTool[]): readonly RemoteTool[] => (only === undefined ? tools : tools.filter(({ name }) => only.includes(name)))

/** The tools to take. @throws FailureError `agent_invalid` for one that is not there or cannot be used. */
const chosen = (server: string, only: readonly string[] | undefined, { usable, skipped }: ListedTools): readonly RemoteTool[] => {
  const names = usable.map(({ name }) => name)
  for (const name of (only ?? []).filter((one) => !names.includes(one))) {
    const unusable = skipped.find((tool) => tool.name === name)
    if (unusable !== undefined) fail('agent_invalid', `The tool '${name}' of the MCP server ${server} cannot be used: ${unusable.why}. Leave it out of \`only\`, or have the server changed.`)
    fail('agent_invalid', `The MCP server ${server} has no tool '${name}'.${suggest(name, names)} It has: ${names.join(', ')}.`)
  }
  return wanted(only, usable)
}

/** Compares what a server lists with what was taken, one look at a time however often it calls for one. */
const watchList = (taken: readonly RemoteTool[], list: (client: Client) => Promise<readonly RemoteTool[]>, onChange: (change: McpToolsChange) => void): ((client: Client) => void) => {
  let known = taken
  let looking = false
  return (client) => {
    if (looking) return
    looking = true
    sleep(systemClock, RELIST_MS)
      .then(() => {
        looking = false
        return list(client)
      })
      .then((now) => {
        const change = changeOf(known, now)
        known = now
        if (change !== undefined) onChange(change)
      })
      // The connection is gone; the next one is looked at again.
      .catch(() => {})
  }
}

/** The work behind the door of the same name. */
export const mcpTools = async <const K extends string = string, const P extends string = ''>(options: McpToolsOptions<K, P>): Promise<McpTools<SafeName<`${P}${K}`>>> => {
  const { name, server, only, prefix = '', connectTimeoutMs = 10_000, maxMessageBytes = 10_000_000, onChange } = options
  const list = (client: Client): Promise<ListedTools> => listTools(client, name, connectTimeoutMs, prefix)
  let look: ((client: Client) => void) | undefined
  const longestMs = Math.max(...['', ...(only ?? []), ...Object.keys(options.tools ?? {})].map((tool) => timesOf(options as never, tool).totalTimeoutMs))
  const connection = connect({ name, server, connectTimeoutMs, requestTimeoutMs: longestMs + connectTimeoutMs, maxMessageBytes }, (client) => {
    client.setNotificationHandler(ToolListChangedNotificationSchema, () => look?.(client))
    look?.(client)
  })
  try {
    const listed = await connection.use(list).catch((error: unknown) => listingFailed(connection, name, error))
    const taken = chosen(name, only, listed)
    if (onChange !== undefined) look = watchList(taken, async (client) => wanted(only, (await list(client)).usable), onChange)
    const made = taken.map((tool) => [safeName(`${prefix}${tool.name}`), toolOf(connection, options as never, tool)] as const)
    const close = (): Promise<void> => connection.close()
    return { tools: Object.fromEntries(made) as never, skipped: listed.skipped, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await connection.close().catch(() => {})
    throw error
  }
}
