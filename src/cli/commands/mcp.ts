// `stateloop mcp`: agents as tools of an MCP server on standard input and output, for clients that start it as a process.
// Invariant: standard output carries the protocol and nothing else.
import { fail } from '../../failure/index.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import type { Io } from '../io.ts'
import { loadAgents } from '../load-agent.ts'
import { openRuntime, type CommonOptions } from '../open-runtime.ts'
import { openProject } from '../project.ts'

/** The code of this room needs a package that not everybody installs. */
const loadMcp = async (): Promise<typeof import('../../mcp/index.ts')> => {
  try {
    return await import('../../mcp/index.ts')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    return fail('usage', 'MCP needs a package that is not installed: npm install @modelcontextprotocol/sdk', { cause: error })
  }
}

const serve = async (io: Io, names: readonly string[], options: CommonOptions): Promise<number> => {
  const project = await openProject(io)
  const [first, ...others] = await loadAgents(project, names)
  const { serveMcpStdio } = await loadMcp()
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
