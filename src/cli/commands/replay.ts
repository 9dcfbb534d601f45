// `stateloop replay`: replays recordings against today's agent and shows the first difference. Invariant: a recording is
// rewritten only when the user accepts exactly the differences that were shown.
import { relative } from 'node:path'
import { fail } from '../../failure/index.ts'
import { formatReport, readRecording, recordingName, replay, updateRecording, writeRecording, type Match, type Recording, type ReplayLevel, type ReplayReport } from '../../replay/index.ts'
import { JSON_OPTION, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { plain, type Io } from '../io.ts'
import type { LoadedAgent } from '../load-agent.ts'
import { performOptions } from '../open-runtime.ts'
import { openProject, type Project } from '../project.ts'
import { agentOfRecording, promptsOf, recordingPaths } from '../recordings.ts'
import { commandLine } from '../shell.ts'

interface ReplayCommandOptions {
  readonly agent?: string
  readonly level: string
  readonly match: string
  readonly from?: string
  readonly all?: boolean
  readonly twice?: boolean
  readonly update?: boolean
  readonly accept?: readonly string[]
  readonly json?: boolean
}

const LEVELS: readonly ReplayLevel[] = ['pure', 'recorded', 'tools-live', 'model-live']
const MATCHES: readonly Match[] = ['strict', 'prompt', 'shape', 'sequence']

const oneOf = <T extends string>(what: string, value: string, known: readonly T[]): T => known.find((name) => name === value) ?? fail('usage', `--${what} must be ${known.join(', ')}, not ${JSON.stringify(value)}.`)

const stepNumber = (from: string | undefined): number => (from === undefined ? 0 : /^\d+$/.test(from) ? Number(from) : fail('usage', `--from must be the number of a step, not ${JSON.stringify(from)}.`))

/** One recording with what came of it. */
interface Replayed {
  readonly path: string
  readonly recording: Recording
  readonly loaded: LoadedAgent
  readonly report: ReplayReport
}

const replayOne = async (io: Io, project: Project, path: string, options: ReplayCommandOptions): Promise<Replayed> => {
  const level = oneOf('level', options.level, LEVELS)
  const recording = await readRecording(path)
  const loaded = await agentOfRecording(project, path, recording, options.agent)
  const live = level === 'tools-live' || level === 'model-live' ? await performOptions(io, project, loaded) : {}
  const report = await replay(loaded.agent, recording, {
    level,
    match: oneOf('match', options.match, MATCHES),
    from: stepNumber(options.from),
    all: options.all ?? options.update ?? false,
    twice: options.twice ?? false,
    name: recordingName(path),
    ...promptsOf(project),
    ...live,
  })
  return { path, recording, loaded, report }
}

/** What an update wrote, for the description of a change. */
const summaryOf = (updated: readonly { readonly path: string; readonly report: ReplayReport }[]): string => {
  const lines = updated.map(({ path, report }) => {
    const blames = [...new Set(report.differences.map(({ blame: { what, name, before, after } }) => `${what} ${name}${before === undefined || after === undefined ? '' : ` ${before} → ${after}`}`))]
    return `- \`${path}\`: ${report.status}, ${report.differences.length} ${report.differences.length === 1 ? 'difference' : 'differences'} (${blames.join('; ')})`
  })
  return `### Recordings brought up to date\n\n${lines.join('\n')}`
}

/** Rewrites what was accepted. @returns the paths that were, for the summary. */
const update = async (io: Io, project: Project, { path, recording, loaded, report }: Replayed, options: ReplayCommandOptions): Promise<boolean> => {
  const shown = relative(io.cwd, path)
  const updated = await updateRecording(loaded.agent, recording, { name: report.name, ...promptsOf(project) })
  if (options.accept?.includes(updated.acceptance) !== true) {
    if (options.json !== true) io.out(`  accept with:  ${commandLine(['replay', shown, ...(options.agent === undefined ? [] : ['--agent', options.agent]), '--update', '--accept', updated.acceptance], io)}\n`)
    return false
  }
  await writeRecording(path, updated.recording)
  return true
}

const replayRecordings = async (io: Io, names: readonly string[], options: ReplayCommandOptions): Promise<number> => {
  const project = await openProject(io)
  const results: (ReplayReport & { readonly path: string; readonly updated: boolean })[] = []
  for (const path of await recordingPaths(io.cwd, names)) {
    const replayed = await replayOne(io, project, path, options)
    if (options.json !== true) io.out(`${plain(formatReport(replayed.report, { paint: (format, text) => io.style(format, text), all: options.all ?? options.update ?? false }))}\n`)
    const updated = options.update === true && replayed.report.status !== 'same' ? await update(io, project, replayed, options) : false
    results.push({ ...replayed.report, path: relative(io.cwd, path), updated })
  }
  const rewritten = results.filter(({ updated }) => updated)
  const left = results.filter(({ status, updated }) => status !== 'same' && !updated)
  if (options.json === true) io.out(`${JSON.stringify({ recordings: results }, null, 2)}\n`)
  else {
    if (rewritten.length > 0) io.out(`\n${summaryOf(rewritten.map((report) => ({ path: report.path, report })))}\n`)
    if (results.length > 1) io.out(`\n${results.length - left.length} of ${results.length} recordings are as recorded${rewritten.length > 0 ? ' or were accepted' : ''}\n`)
  }
  return left.length === 0 ? EXIT.done : EXIT.failed
}

/** `stateloop replay <recording…>`. */
export const replayCommand: CommandDefinition<ReplayCommandOptions> = {
  name: 'replay',
  about: 'replay recordings against the agent as it is now, and show the first difference',
  args: [{ name: 'recording', about: 'files that `record` or `import` wrote, or folders of them', many: true }],
  options: [
    { flags: '--agent <agent>', about: 'the agent; default: the one beside the folder, or that the run was started from' },
    { flags: '--level <level>', about: `what is performed anew: ${LEVELS.join(', ')}`, default: 'recorded' },
    { flags: '--match <policy>', about: `what counts as the same: ${MATCHES.join(', ')}`, default: 'strict' },
    { flags: '--from <step>', about: 'leave out differences before this step' },
    { flags: '--all', about: 'every difference, not only the first' },
    { flags: '--twice', about: 'evaluate guards, save, vars and args twice, to find what reads the clock or chance' },
    { flags: '--update', about: 'show every difference, and rewrite the recordings that --accept names' },
    { flags: '--accept <id>', about: 'accept the differences that were shown with this id; may be repeated', many: true },
    JSON_OPTION,
  ],
  run: replayRecordings,
}
