// `stateloop import`: makes a recording from a chat transcript of any framework, with an agent that models it.
import { resolve } from 'node:path'
import { importChat, chatMessages, refuseSecrets, writeRecording } from '../../replay/index.ts'
import { JSON_OPTION, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine, type Io } from '../io.ts'
import { jsonArgument } from '../json-argument.ts'
import { loadAgent } from '../load-agent.ts'
import { openProject } from '../project.ts'
import { commandLine } from '../shell.ts'
import { fail } from '../../failure/index.ts'

interface ImportOptions {
  readonly agent?: string
  readonly out?: string
  readonly input?: string
  readonly user?: string
  readonly json?: boolean
}

const importTranscript = async (io: Io, transcript: string, options: ImportOptions): Promise<number> => {
  const { agent: name = fail('usage', 'Name the agent that models the conversation with --agent.'), out, input, user } = options
  const loaded = await loadAgent(await openProject(io), name)
  const messages = chatMessages(await jsonArgument(io, transcript === '-' ? '-' : `@${transcript}`, 'The transcript'))
  const { recording, notes } = await importChat(loaded.agent, messages, {
    ...(input === undefined ? {} : { input: await jsonArgument(io, input, '--input') }),
    ...(user === undefined ? {} : { user }),
  })
  refuseSecrets(recording)
  const path = out ?? `recordings/${recording.row.id}.jsonl`
  await writeRecording(resolve(io.cwd, path), { ...recording, row: { ...recording.row, source: loaded.source } })
  const { status } = recording.row
  if (options.json === true) io.out(`${JSON.stringify({ recording: path, steps: recording.entries.length, status, notes }, null, 2)}\n`)
  else {
    io.out(`imported ${messages.length} messages as ${recording.entries.length} steps to ${path}; the run is ${status}\n`)
    for (const note of notes) io.out(`${io.style('yellow', 'differs')}  ${oneLine(note)}\n`)
    io.out(`    ${commandLine(['replay', path, '--agent', name], io)}\n`)
  }
  return EXIT.done
}

/** `stateloop import <transcript>`. */
export const importCommand: CommandDefinition<ImportOptions> = {
  name: 'import',
  about: 'make a recording from a chat transcript with tool calls, as OpenAI writes them',
  args: [{ name: 'transcript', about: 'a JSON file with messages; - for standard input' }],
  options: [
    { flags: '--agent <agent>', about: 'the agent that models the conversation' },
    { flags: '-o, --out <file>', about: 'the file; default recordings/<run>.jsonl' },
    { flags: '--input <json>', about: "the run's input; default: what the user says first" },
    { flags: '--user <id>', about: 'whom the run is for' },
    JSON_OPTION,
  ],
  run: (io, [transcript = ''], options) => importTranscript(io, transcript, options),
}
