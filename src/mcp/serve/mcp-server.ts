// A server of the official SDK whose tools are agents. One is made for each session.
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError } from '@modelcontextprotocol/sdk/types.js'
import type { AnyAgent } from '../../agent/index.ts'
import type { Runtime, StartOptions } from '../../run/index.ts'
import { agentTool, callAgentTool } from './agent-tools.ts'

/** What agents are exposed with. */
export interface McpServeOptions {
  /** Drives the runs. It stays yours. */
  readonly runtime: Runtime
  /** Agents that are offered as tools. */
  readonly agents: readonly AnyAgent[]
  /** What each agent is for, by its id; models choose by it. Default: names the agent. */
  readonly descriptions?: { readonly [agent: string]: string }
  /** Name and version that clients are told. Default `stateloop`, `1`. */
  readonly name?: string
  /** The version that clients are told. Default `1`. */
  readonly version?: string
}

/** Whom the runs of a session are for. */
export type SessionIdentity = Pick<StartOptions, 'user' | 'route' | 'tenant'>

/** Makes the server of one session. @throws FailureError `agent_invalid` for an agent whose input cannot be shown. */
export const mcpServer = ({ runtime, agents, descriptions = {}, name = 'stateloop', version = '1' }: McpServeOptions, identity: SessionIdentity = {}): Server => {
  const tools = agents.map((agent) => agentTool(agent, descriptions[agent.id]))
  const server = new Server({ name, version }, { capabilities: { tools: {} } })
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }))
  server.setRequestHandler(CallToolRequestSchema, (request, { signal, sendNotification }) => {
    const agent = agents.find(({ id }) => id === request.params.name)
    if (agent === undefined) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${JSON.stringify(request.params.name.slice(0, 100))}.`)
    const progressToken = request.params._meta?.progressToken
    const progress = (step: number, message: string): void => {
      if (progressToken !== undefined) void sendNotification({ method: 'notifications/progress', params: { progressToken, progress: step, message } }).catch(() => {})
    }
    return callAgentTool({ runtime, agent, args: request.params.arguments ?? {}, start: identity, signal, progress, server })
  })
  return server
}
