// The tools that a server lists, and which of them can be used. Invariant: however much a server lists, in however many
// pages, reading it ends; what cannot be used is named with the reason and hides nothing else.
import type { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { ResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { fail, type Json } from '../failure/index.ts'
import { FORBIDDEN_KEYS, hashOf, sha256, toJson, type JsonSchema } from '../schema/index.ts'
import { readInputSchema } from './input-schema.ts'

/** A tool of a server that can be used. */
export interface RemoteTool {
  /** As the server names it. */
  readonly name: string
  readonly description: string
  /** What arguments are checked with. */
  readonly given: JsonSchema
  /** What models are shown. */
  readonly shown: JsonSchema
}

/** A tool of a server that cannot be used. */
export interface SkippedTool {
  /** The server's name of the tool. */
  readonly name: string
  /** Why it cannot be used, as a sentence. */
  readonly why: string
}

/** What a server lists. */
export interface ListedTools {
  readonly usable: readonly RemoteTool[]
  readonly skipped: readonly SkippedTool[]
}

/** Longest description that is shown to a model, characters: it comes from the server. */
const LONGEST_DESCRIPTION = 2_000
/** Tools and pages of one server that are looked at. */
const MOST_TOOLS = 1_000
const MOST_PAGES = 200
/** Longest name that every provider of models takes, characters. */
const LONGEST_NAME = 64

/** A name that every provider of models takes. One that is too long keeps its beginning and gets a hash of the whole. */
export const safeName = (name: string): string => {
  const safe = name.replaceAll(/[^A-Za-z0-9_-]/g, '_')
  return safe.length <= LONGEST_NAME ? safe : `${safe.slice(0, LONGEST_NAME - 9)}_${sha256(name).slice(0, 8)}`
}

const isObject = (value: unknown): value is { readonly [key: string]: unknown } => typeof value === 'object' && value !== null && !Array.isArray(value)

const read = (sent: { readonly [key: string]: unknown }): RemoteTool | SkippedTool => {
  const { name, description, title, inputSchema } = sent
  if (typeof name !== 'string' || name === '') return { name: JSON.stringify(name) ?? 'without a name', why: 'its name is no text' }
  if (FORBIDDEN_KEYS.has(name)) return { name, why: 'its name may not be used' }
  const schema = readInputSchema(inputSchema === undefined ? undefined : (toJson(inputSchema) ?? null))
  if ('problem' in schema) return { name: name.slice(0, 200), why: schema.problem }
  const about = [description, title, name].find((text): text is string => typeof text === 'string' && text !== '') ?? name
  return { name, description: about.slice(0, LONGEST_DESCRIPTION), ...schema }
}

/** Tools whose names are the same once models can be told them. None of them is taken: which one a call would reach is anybody's guess. */
const withoutTwins = (tools: readonly RemoteTool[], prefix: string): ListedTools => {
  const byName = Map.groupBy(tools, ({ name }) => safeName(`${prefix}${name}`))
  const all = [...byName.values()]
  return {
    usable: all.flatMap((twins) => (twins.length === 1 ? twins : [])),
    skipped: all.flatMap((twins) => (twins.length === 1 ? [] : twins.map(({ name }) => ({ name, why: `models would see the same name for ${twins.map((twin) => JSON.stringify(twin.name)).join(' and ')}` })))),
  }
}

/** Reads the list of a server to its end. @throws FailureError `connection_failed` for an answer that is no list; what the SDK throws. */
export const listTools = async (client: Client, server: string, timeoutMs: number, prefix: string): Promise<ListedTools> => {
  const found: (RemoteTool | SkippedTool)[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < MOST_PAGES && found.length < MOST_TOOLS; pages++) {
    // Not the SDK's own list, which refuses all tools when one of them has a schema that it does not expect.
    const page = await client.request({ method: 'tools/list', params: cursor === undefined ? {} : { cursor } }, ResultSchema, { timeout: timeoutMs })
    const { tools, nextCursor } = page as { readonly tools?: unknown; readonly nextCursor?: unknown }
    if (!Array.isArray(tools)) fail('connection_failed', `The MCP server ${server} answered the request for its tools with something else. Check that it speaks the protocol.`)
    for (const tool of (tools as readonly unknown[]).slice(0, MOST_TOOLS - found.length)) found.push(isObject(tool) ? read(tool) : { name: String(tool), why: 'it is no object' })
    if (typeof nextCursor !== 'string' || nextCursor === cursor) break
    cursor = nextCursor
  }
  const { usable, skipped } = withoutTwins(
    found.filter((tool) => 'shown' in tool),
    prefix,
  )
  return { usable, skipped: [...found.filter((tool) => 'why' in tool), ...skipped] }
}

/** How the tools of a server differ from those that were taken. */
export interface McpToolsChange {
  /** Tools that are new. */
  readonly added: readonly string[]
  /** Tools that are gone. */
  readonly removed: readonly string[]
  /** Their description or their schema is another. */
  readonly changed: readonly string[]
}

/** Compares two lists. @returns undefined when they are the same. */
export const changeOf = (before: readonly RemoteTool[], now: readonly RemoteTool[]): McpToolsChange | undefined => {
  const hashes = (tools: readonly RemoteTool[]): ReadonlyMap<string, string> => new Map(tools.map(({ name, description, given }) => [name, hashOf([description, given] satisfies Json)]))
  const [was, is] = [hashes(before), hashes(now)]
  const change = {
    added: [...is.keys()].filter((name) => !was.has(name)),
    removed: [...was.keys()].filter((name) => !is.has(name)),
    changed: [...is].filter(([name, hash]) => was.has(name) && was.get(name) !== hash).map(([name]) => name),
  }
  return Object.values(change).some((names) => names.length > 0) ? change : undefined
}
