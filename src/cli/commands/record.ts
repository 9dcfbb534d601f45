// `stateloop record`: exports a run as a file that replays. Invariant: nothing is written that holds a known secret, and
// what is personal is replaced unless the user says otherwise.
import { resolve } from 'node:path'
import { systemClock } from '../../clock/index.ts'
import { exportRun, formatRecording, recordRun, redactRecording, refuseSecrets, writeRecording, type Recording } from '../../replay/index.ts'
import { count } from '../amounts.ts'
import { COMMON, RUN_ARGUMENT, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { agentOfRun, findRun, type CommonOptions } from '../open-runtime.ts'
import { commandLine } from '../shell.ts'

interface RecordOptions extends CommonOptions {
  readonly out?: string
  readonly agent?: string
  readonly redact?: readonly string[]
  readonly keep?: readonly string[]
  readonly raw?: boolean
  readonly withoutAgent?: boolean
}

const recordingOf = async (io: Io, run: string, options: RecordOptions): Promise<{ readonly recording: Recording; readonly replaced: number }> => {
  const { project, row, journal } = await findRun(io, run, options)
  try {
    if (options.withoutAgent === true) return { recording: await exportRun(journal, run), replaced: 0 }
    const { agent } = await agentOfRun(project, row, options.agent)
    const recording = await recordRun(journal, run, agent)
    if (options.raw === true) return { recording, replaced: 0 }
    return await redactRecording(agent, recording, { key: io.env['STATELOOP_REDACT_KEY'] ?? systemClock.id(), fields: options.redact ?? [], keep: options.keep ?? [] })
  } finally {
    await journal.close()
  }
}

const record = async (io: Io, run: string, options: RecordOptions): Promise<number> => {
  const { recording, replaced } = await recordingOf(io, run, options)
  refuseSecrets(recording)
  if (options.out === '-') {
    io.out(formatRecording(recording))
    return EXIT.done
  }
  const path = options.out ?? `recordings/${run}.jsonl`
  await writeRecording(resolve(io.cwd, path), recording)
  const steps = recording.entries.length
  if (options.json === true) io.out(`${JSON.stringify({ recording: path, run, steps, replaced, redacted: recording.redacted }, null, 2)}\n`)
  else {
    io.out(`recorded ${count(steps, 'step')} to ${path}${recording.redacted ? `, with ${count(replaced, 'personal value')} replaced` : ', as they are'}\n`)
    io.out(`    ${commandLine(['replay', path, ...(options.agent === undefined ? [] : ['--agent', options.agent])], io)}\n`)
  }
  return EXIT.done
}

/** `stateloop record <run>`. */
export const recordCommand: CommandDefinition<RecordOptions> = {
  name: 'record',
  about: 'export a run as a recording, which replays as a test',
  args: [RUN_ARGUMENT],
  options: [
    ...COMMON,
    { flags: '-o, --out <file>', about: 'the file; - for standard output; default recordings/<run>.jsonl' },
    { flags: '--agent <agent>', about: 'the agent the run had; default: where the run was started from' },
    { flags: '--redact <field>', about: 'replace the values of this field too; may be repeated', many: true },
    { flags: '--keep <field>', about: 'do not replace the values of this field; may be repeated', many: true },
    { flags: '--raw', about: 'replace nothing; a known secret is still refused' },
    { flags: '--without-agent', about: 'export the entries alone, when the code of the run is gone; implies --raw' },
  ],
  run: (io, [run = ''], options) => record(io, run, options),
}
