// `stateloop export`: prints an agent's machine in a format that other tools read.
import type { Agent } from '../../agent/index.ts'
import { fail } from '../../failure/index.ts'
import { AGENT_ARGUMENT, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { loadAgent } from '../load-agent.ts'
import { openProject } from '../project.ts'

type Format = 'stately' | 'mermaid' | 'svg' | 'json'
type ExportOptions = { readonly [F in Format]?: boolean }

const FORMATS: readonly Format[] = ['stately', 'mermaid', 'svg', 'json']

const write = async (agent: Agent, format: Format): Promise<string> => {
  const { exportJson, exportMermaid, exportStately, exportSvg } = await import('../../inspector/index.ts')
  switch (format) {
    case 'stately':
      return exportStately(agent)
    case 'mermaid':
      return exportMermaid(agent)
    case 'svg':
      return exportSvg(agent)
    case 'json':
      return exportJson(agent)
  }
}

const exportAgent = async (io: Io, name: string, options: ExportOptions): Promise<number> => {
  const [format, ...more] = FORMATS.filter((format) => options[format] === true)
  if (format === undefined || more.length > 0) return fail('usage', `Name one format to export: ${FORMATS.map((known) => `--${known}`).join(', ')}.`)
  const { agent } = await loadAgent(await openProject(io), name)
  io.out(await write(agent, format))
  return EXIT.done
}

/** `stateloop export <agent>`. */
export const exportCommand: CommandDefinition<ExportOptions> = {
  name: 'export',
  about: 'print the machine of an agent for Stately, Mermaid, as SVG or as JSON',
  args: [AGENT_ARGUMENT],
  options: [
    { flags: '--stately', about: 'source of a literal createMachine() call' },
    { flags: '--mermaid', about: 'a Mermaid state diagram' },
    { flags: '--svg', about: 'an SVG file, light or dark by the reader’s setting' },
    { flags: '--json', about: 'states and transitions as one JSON document' },
  ],
  run: (io, [name = ''], options) => exportAgent(io, name, options),
}
