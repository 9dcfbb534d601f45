// `stateloop mcp`: agents as tools of an MCP server on standard input and output, for clients that start it as a process.
// Invariant: standard output carries the protocol and nothing else.
import { COMMON, type CommandDefinition } from '../command.ts'
import type { Io } from '../io.ts'
import { loadAgents } from '../load-agent.ts'
import { openRuntime, type CommonOptions } from '../open-runtime.ts'
import { openProject } from '../project.ts'

const serve = async (io: Io, names: readonly string[], options: CommonOptions): Promise<number> => {
  const project = await openProject(io)
  const [first, ...others] = await loadAgents(project, names)
  const { serveMcpStdio } = await import('../../mcp/index.ts')
  const { runtime, notes } = await openRuntime(io, project, first, options, others)
  for (const note of notes) io.err(`${note}\n`)
  try {
    await serveMcpStdio({ runtime, agents: [first, ...others].map(({ agent }) => agent) })
    return 0
  } finally {
    await runtime.close()
  }
}

/** `stateloop mcp [agents…]`. */
export const mcpCommand: CommandDefinition<CommonOptions> = {
  name: 'mcp',
  about: 'offer agents as tools of an MCP server on standard input and output',
  args: [{ name: 'agents', about: 'paths or names; default: all in the settings and under agents/', optional: true, many: true }],
  options: COMMON.filter(({ flags }) => flags !== '--json'),
  run: serve,
}
