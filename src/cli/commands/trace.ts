// `stateloop trace`: where the time and the money of a run went, as a tree with a waterfall, and what stands out in it.
import { FailureError } from '../../failure/index.ts'
import type { Agent } from '../../agent/index.ts'
import type { Journal, RunRow } from '../../journal/index.ts'
import { historyOf, recordedHistory, spansOf, type RunSpan } from '../../run/index.ts'
import { COMMON, RUN_ARGUMENT, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine, plain, type Io } from '../io.ts'
import { findRun, type CommonOptions } from '../open-runtime.ts'
import { publicRow, showUsed } from '../result.ts'
import { callsOf, type RunCall } from '../trace/calls.ts'
import { findingsOf, type Finding } from '../trace/findings.ts'
import { readSteps, type ReadSteps } from '../trace/read-steps.ts'
import { describeSlowest, drawLines, linesOf, waitsOf } from '../trace/waterfall.ts'

interface TraceOptions extends CommonOptions {
  readonly agent?: string
  readonly compare: string
}

/** Calls of other runs of the same agent, newest first. A run that cannot be read is left out. */
const callsOfOthers = async (journal: Journal, row: RunRow, agent: Agent | undefined, limit: number): Promise<readonly RunCall[]> => {
  if (limit === 0) return []
  const rows = (await journal.list({ agent: row.agent, ...(row.tenant === undefined ? {} : { tenant: row.tenant }), limit: limit + 1 })).filter(
    ({ id, agentHash, tenant }) => id !== row.id && agentHash === row.agentHash && tenant === row.tenant,
  )
  const found: RunCall[] = []
  for (const other of rows) {
    try {
      found.push(...callsOf(other.agent, await (agent === undefined ? recordedHistory(journal, other.id) : historyOf(journal, other.id, agent)).next()))
    } catch (error) {
      if (!(error instanceof FailureError)) throw error
    }
  }
  return found
}

interface Traced extends ReadSteps {
  readonly row: RunRow
  readonly findings: readonly Finding[]
}

const readTrace = async (io: Io, run: string, options: TraceOptions): Promise<Traced> => {
  const { project, row, journal } = await findRun(io, run, options)
  try {
    const read = await readSteps(project, journal, row, options.agent)
    const { agent, steps } = read
    const others = await callsOfOthers(journal, row, agent, Math.min(1_000, Number(options.compare) || 0))
    return { ...read, row, findings: findingsOf(agent, callsOf(row.agent, steps), others) }
  } finally {
    await journal.close()
  }
}

const publicSpan = ({ name, startedAt, endedAt, attributes, failed, inside }: RunSpan): object => ({
  name,
  startedAt,
  durationMs: endedAt - startedAt,
  ...(failed === undefined ? {} : { failed }),
  attributes,
  inside: inside.map(publicSpan),
})

const trace = async (io: Io, run: string, options: TraceOptions): Promise<number> => {
  const { row, steps, findings, note } = await readTrace(io, run, options)
  const events = steps.flatMap((step) => step.events)
  const root = spansOf(row.agent, events)
  if (options.json === true) {
    io.out(`${JSON.stringify({ run: publicRow(row), trace: publicSpan(root), findings, ...(note === undefined ? {} : { note }) }, null, 2)}\n`)
    return EXIT.done
  }
  const lines = linesOf(root, waitsOf(events))
  io.out(`${oneLine(row.agent)}${row.agentVersion === undefined ? '' : ` ${oneLine(row.agentVersion)}`} · run ${row.id} · ${row.status} · ${showUsed(publicRow(row))}\n\n`)
  io.out(`${drawLines(lines)}\n`)
  const slowest = describeSlowest(lines)
  if (slowest !== undefined) io.out(`\n${slowest}\n`)
  for (const { message } of findings) io.out(`${io.style('yellow', '!')} ${oneLine(message)}\n`)
  if (note !== undefined) io.out(`\n${io.style('dim', plain(note))}\n`)
  return EXIT.done
}

/** `stateloop trace <run>`. */
export const traceCommand: CommandDefinition<TraceOptions> = {
  name: 'trace',
  about: 'show where the time and cost of a run went, its slowest path, and calls made twice',
  args: [RUN_ARGUMENT],
  options: [
    ...COMMON,
    { flags: '--agent <agent>', about: 'the agent of the run; default: where the run was started from; without one, what the journal holds is shown' },
    { flags: '--compare <n>', about: 'how many other runs of the agent to look for the same calls in', default: '20' },
  ],
  run: (io, [run = ''], options) => trace(io, run, options),
}
