// `stateloop check-compat`: before a deploy, tells which unfinished runs could go on with the agent as it is now.
// Invariant: it only reads the journal.
import { checkCompat, migrationHint, type CompatReport, type Fate } from '../../replay/index.ts'
import { AGENT_ARGUMENT, COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine, type Io } from '../io.ts'
import { loadAgent } from '../load-agent.ts'
import { openExisting, type CommonOptions } from '../open-runtime.ts'
import { openProject } from '../project.ts'
import { runStatuses } from './runs.ts'

interface CompatOptions extends CommonOptions {
  readonly runs: string
}

const FATES: { readonly [fate in Fate]: string } = {
  fits: 'go on as they are',
  accept: 'go on with --accept-changed: the agent has another hash, but every step leads where it led',
  migrates: 'are migrated',
  strands: 'would strand',
}

const print = (io: Io, agent: string, reports: readonly CompatReport[]): void => {
  if (reports.length === 0) return io.out(`no unfinished runs of ${agent}\n`)
  for (const fate of Object.keys(FATES) as Fate[]) {
    const runs = reports.filter((report) => report.fate === fate)
    if (runs.length === 0) continue
    io.out(`${io.style(fate === 'strands' ? 'red' : 'green', `${runs.length} ${FATES[fate]}`)}\n`)
    for (const { run, state, reason } of runs) io.out(`  ${run}  ${oneLine(state)}${reason === undefined ? '' : `  ${oneLine(reason)}`}\n`)
  }
  const hint = migrationHint(reports)
  if (hint !== '') io.out(`\nTake them over by adding to the agent:\n\n${hint}\n`)
}

const check = async (io: Io, name: string, options: CompatOptions): Promise<number> => {
  const project = await openProject(io)
  const { agent } = await loadAgent(project, name)
  const statuses = runStatuses(options.runs)
  const journal = openExisting(io, project, options)
  const reports = journal === undefined ? [] : await checkCompat(journal, agent, statuses)
  await journal?.close()
  if (options.json === true) io.out(`${JSON.stringify({ agent: agent.id, hash: agent.hash, runs: reports }, null, 2)}\n`)
  else print(io, agent.id, reports)
  return reports.some(({ fate }) => fate === 'strands') ? EXIT.failed : EXIT.done
}

/** `stateloop check-compat <agent>`. */
export const checkCompatCommand: CommandDefinition<CompatOptions> = {
  name: 'check-compat',
  about: 'before a deploy: which unfinished runs could go on with the agent as it is now',
  args: [AGENT_ARGUMENT],
  options: [...COMMON, { flags: '--runs <statuses>', about: 'which runs, with commas between: waiting, running, queued', default: 'waiting,running,queued' }],
  run: (io, [name = ''], options) => check(io, name, options),
}
