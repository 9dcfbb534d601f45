// `stateloop eject`: prints a one-shot agent as the builder source it stands for.
import { ejectAgent } from '../../agent/index.ts'
import { AGENT_ARGUMENT, JSON_OPTION, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { loadAgent } from '../load-agent.ts'
import { openProject } from '../project.ts'

interface EjectOptions {
  readonly json?: boolean
  readonly from?: string
}

const eject = async (io: Io, name: string, { json, from }: EjectOptions): Promise<number> => {
  const { agent } = await loadAgent(await openProject(io), name)
  const source = ejectAgent(agent, from === undefined ? {} : { from })
  io.out(json === true ? `${JSON.stringify({ source }, null, 2)}\n` : `${source.trimEnd()}\n`)
  return EXIT.done
}

/** `stateloop eject <agent>`. */
export const ejectCommand: CommandDefinition<EjectOptions> = {
  name: 'eject',
  about: 'print a one-shot agent as builder source',
  args: [AGENT_ARGUMENT],
  options: [JSON_OPTION, { flags: '--from <module>', about: 'module that exports the tools by name; default ./parts.ts' }],
  run: (io, [name = ''], options) => eject(io, name, options),
}
