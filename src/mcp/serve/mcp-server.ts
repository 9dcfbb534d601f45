// A server of the official SDK whose tools are agents. One is made for each session.
import { Server } from '@modelcontextprotocol/sdk/server/index.js'
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError, SetLevelRequestSchema, type LoggingLevel, type ServerNotification } from '@modelcontextprotocol/sdk/types.js'
import type { AnyAgent } from '../../agent/index.ts'
import { fail } from '../../failure/index.ts'
import type { RunEvent, Runtime, StartOptions } from '../../run/index.ts'
import { agentTool, callAgentTool, type ShowOutput } from './agent-tools.ts'
import { isWanted, logLine } from './narrate.ts'

/** What agents are exposed with. */
export interface McpServeOptions {
  /** Drives the runs. It stays yours. */
  readonly runtime: Runtime
  /** Agents that are offered as tools. */
  readonly agents: readonly AnyAgent[]
  /** What each agent is for, by its id; models choose by it. Default: names the agent. */
  readonly descriptions?: { readonly [agent: string]: string }
  /**
   * How the output of an agent is shown, by its id. Default: its text, or its JSON.
   * @example { painter: (output) => [{ type: 'image', data: (output as { png: string }).png, mimeType: 'image/png' }] }
   */
  readonly outputs?: { readonly [agent: string]: ShowOutput }
  /** Name and version that clients are told. Default `stateloop`, `1`. */
  readonly name?: string
  /** The version that clients are told. Default `1`. */
  readonly version?: string
}

/** Whom the runs of a session are for. */
export type SessionIdentity = Pick<StartOptions, 'user' | 'route' | 'tenant'>

/** Makes the server of one session. @throws FailureError `agent_invalid` for an agent whose input cannot be shown; `usage` for two with one id. */
export const mcpServer = ({ runtime, agents, descriptions = {}, outputs = {}, name = 'stateloop', version = '1' }: McpServeOptions, identity: SessionIdentity = {}): Server => {
  const byId = new Map(agents.map((agent) => [agent.id, agent]))
  if (byId.size < agents.length) fail('usage', `Two agents of the MCP server have the same id: ${agents.map(({ id }) => id).join(', ')}. An agent's id is the name of its tool.`)
  const tools = agents.map((agent) => agentTool(agent, descriptions[agent.id]))
  const server = new Server({ name, version }, { capabilities: { tools: {}, logging: {} } })
  let level: LoggingLevel | undefined
  server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
    level = params.level
    return {}
  })
  server.setRequestHandler(ListToolsRequestSchema, () => ({ tools }))
  server.setRequestHandler(CallToolRequestSchema, ({ params }, { signal, sendNotification }) => {
    const agent = byId.get(params.name)
    if (agent === undefined) throw new McpError(ErrorCode.InvalidParams, `There is no tool ${JSON.stringify(params.name.slice(0, 100))}.`)
    const progressToken = params._meta?.progressToken
    const say = (notification: ServerNotification): void => void sendNotification(notification).catch(() => {})
    let progress = 0
    const hear = (event: RunEvent): void => {
      if (event.type === 'state.entered' && progressToken !== undefined) say({ method: 'notifications/progress', params: { progressToken, progress: ++progress, message: event.state } })
      const line = logLine(event)
      if (line !== undefined && isWanted(line.level, level)) say({ method: 'notifications/message', params: { ...line, logger: agent.id } })
    }
    return callAgentTool({ runtime, agent, args: params.arguments ?? {}, start: identity, signal, server, hear, show: Object.hasOwn(outputs, agent.id) ? outputs[agent.id] : undefined })
  })
  return server
}
