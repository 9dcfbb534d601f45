// An MCP server that says exactly what a test wants, well-formed or not, in this process or behind a fetch function.
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import type { Tool } from 'stateloop'
import type { McpServerAddress, McpTools } from 'stateloop/mcp'

/** A message of JSON-RPC. */
export interface RpcMessage {
  readonly id?: number | string
  readonly method?: string
  readonly params?: any
  readonly result?: any
  readonly error?: { readonly code: number; readonly message: string }
}

/** Answers a request with its result; throws to answer with an error, gives undefined to stay silent. */
export type Answers = { readonly [method: string]: (params: any, send: (message: RpcMessage) => void, id: number | string) => unknown }

const INITIALIZED = { protocolVersion: '2025-11-25', capabilities: { tools: { listChanged: true } }, serverInfo: { name: 'raw', version: '1' } }

/** Tools with the given names, which take anything. */
export const toolsNamed = (...names: readonly unknown[]): { readonly tools: readonly object[] } => ({ tools: names.map((name) => ({ name, description: `Does ${String(name)}.`, inputSchema: { type: 'object' } })) })

/** A result that is a text. */
export const textResult = (text: string): object => ({ content: [{ type: 'text', text }] })

/** The answer to one message, or undefined for none. */
export const answerTo = async ({ id, method = '', params }: RpcMessage, answers: Answers, send: (message: RpcMessage) => void = () => {}): Promise<RpcMessage | undefined> => {
  if (id === undefined) return undefined
  try {
    const result = await (answers[method] ?? (method === 'initialize' ? () => INITIALIZED : () => undefined))(params, send, id)
    return result === undefined ? undefined : { id, result }
  } catch (error) {
    return { id, error: { code: -32_000, message: error instanceof Error ? error.message : String(error) } }
  }
}

/** A server in this process, made anew for each connection. */
export interface RawServer {
  readonly address: McpServerAddress
  /** What clients sent, over all connections. */
  readonly heard: RpcMessage[]
  /** Says something to the newest client. */
  readonly say: (message: RpcMessage) => void
  /** Ends the newest connection. */
  readonly drop: () => Promise<void>
  readonly connections: () => number
}

export const rawServer = (answers: Answers): RawServer => {
  const heard: RpcMessage[] = []
  let far: InMemoryTransport | undefined
  let connections = 0
  const say = (message: RpcMessage): void => void far?.send({ jsonrpc: '2.0', ...message } as never).catch(() => {})
  return {
    heard,
    say,
    drop: async () => far?.close(),
    connections: () => connections,
    address: {
      transport: async () => {
        const [near, other] = InMemoryTransport.createLinkedPair()
        connections += 1
        far = other
        Object.assign(other, {
          onmessage: (message: RpcMessage) => {
            heard.push(message)
            void answerTo(message, answers, say).then((answer) => answer && say(answer))
          },
        })
        await other.start()
        return near
      },
    },
  }
}

/** Calls a tool as a run does. */
export const call = (server: McpTools<string>, name: string, input: object = {}, signal = new AbortController().signal): Promise<any> =>
  Promise.resolve((server.tools[name] as unknown as Tool<any, any>).run(input, { signal, services: {}, key: 'run/key', log: () => {}, addCost: () => {} } as never))
