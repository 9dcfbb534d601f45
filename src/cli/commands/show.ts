// `stateloop show`: one run as a tree of its states, with time, tokens, cost and failures. Reads the journal only.
import { isEnded, type Entry, type RunRow } from '../../journal/index.ts'
import { systemClock } from '../../clock/index.ts'
import { showDuration, showTime } from '../amounts.ts'
import { COMMON, RUN_ARGUMENT, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine, plain, type Io } from '../io.ts'
import { drawVisit } from '../live-view.ts'
import { findRun, repeatOptions, type CommonOptions } from '../open-runtime.ts'
import { publicRow, showOutput, showUsed, showWaiting } from '../result.ts'
import { entriesOf, visitsOf } from '../run-tree.ts'
import { noteKinds } from '../state-kinds.ts'
import type { Visit } from '../visit.ts'

interface ReadRun {
  readonly row: RunRow
  readonly entries: readonly Entry[]
  readonly visits: readonly Visit[]
}

const readRun = async (io: Io, run: string, options: CommonOptions): Promise<ReadRun> => {
  const { row, journal } = await findRun(io, run, options)
  try {
    const entries = await entriesOf(journal, run)
    const visits = visitsOf(entries)
    await noteKinds(journal, entries, visits)
    return { row, entries, visits }
  } finally {
    await journal.close()
  }
}

const publicVisit = ({ costNano, ...visit }: Visit): object => ({
  ...visit,
  ...(visit.leftAt === undefined ? {} : { durationMs: visit.leftAt - visit.enteredAt }),
  costUsd: costNano === null ? null : costNano / 1e9,
})

const print = (io: Io, { row, entries, visits }: ReadRun, options: CommonOptions): void => {
  const ended = isEnded(row.status)
  const facts = [
    row.user === undefined ? '' : `user ${row.user}`,
    row.route === undefined ? '' : `route ${row.route}`,
    row.tenant === undefined ? '' : `tenant ${row.tenant}`,
    row.session === undefined ? '' : `session ${row.session}`,
  ]
  io.out(`${oneLine(row.agent)}${row.agentVersion === undefined ? '' : ` ${oneLine(row.agentVersion)}`} · run ${row.id}\n`)
  io.out(
    `started ${showTime(row.startedAt)}${facts
      .filter((fact) => fact !== '')
      .map((fact) => ` · ${oneLine(fact)}`)
      .join('')} · ${entries.length} entries\n\n`,
  )
  for (const visit of visits) io.out(`${drawVisit(io, visit, visit.leftAt !== undefined ? 'left' : ended ? 'final' : 'open', systemClock.now())}\n`)
  const end = entries.at(-1)?.body.end
  if (end?.output !== undefined && end.output !== null) io.out(`\n${showOutput(end.output)}\n`)
  io.out(`\n${row.status}${ended ? ` after ${showDuration(row.updatedAt - row.startedAt)}` : ''} · ${showUsed(publicRow(row))}\n`)
  if (end?.failure !== undefined) io.out(`${end.failure.code}: ${plain(end.failure.message)}\n`)
  if (row.waiting !== undefined) io.out(`${showWaiting(row.waiting, { run: row.id, options: repeatOptions(options) }, io)}\n`)
}

const show = async (io: Io, run: string, options: CommonOptions): Promise<number> => {
  const read = await readRun(io, run, options)
  const { row, entries, visits } = read
  const end = entries.at(-1)?.body.end
  if (options.json === true) io.out(`${JSON.stringify({ run: publicRow(row), visits: visits.map(publicVisit), ...(end === undefined ? {} : { end }) }, null, 2)}\n`)
  else print(io, read, options)
  return EXIT.done
}

/** `stateloop show <run>`. */
export const showCommand: CommandDefinition<CommonOptions> = {
  name: 'show',
  about: 'show a run: its states with time, tokens, cost and failures',
  args: [RUN_ARGUMENT],
  options: COMMON,
  run: (io, [run = ''], options) => show(io, run, options),
}
