// `stateloop runs`: lists runs, newest first.
import { fail } from '../../failure/index.ts'
import { isEnded, type EntryBody, type Journal, type RunFilter, type RunRow, type RunStatus } from '../../journal/index.ts'
import { showDuration, showTime, showTokens, showUsd } from '../amounts.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine, type Io } from '../io.ts'
import { openExisting, type CommonOptions } from '../open-runtime.ts'
import { databasePath, openProject } from '../project.ts'
import { publicRow } from '../result.ts'
import { table } from '../table.ts'
import { FIELD_HELP, testOf, type Candidate } from '../where/fields.ts'
import { parseWhere } from '../where/parse.ts'

interface RunsOptions extends CommonOptions, Pick<RunFilter, 'agent' | 'user' | 'route' | 'tenant' | 'session'> {
  readonly status?: string
  readonly limit: string
  readonly where?: string
}

/** Newest runs that `--where` looks at. */
const MOST_LOOKED_AT = 10_000

const STATUSES: readonly RunStatus[] = ['queued', 'running', 'waiting', 'done', 'failed', 'limited', 'cancelled']
const isStatus = (text: string): text is RunStatus => STATUSES.some((status) => status === text)

/** Statuses from a list with commas. @throws FailureError `usage` for one that there is not. */
export const runStatuses = (list: string): readonly RunStatus[] => {
  const statuses = list.split(',').map((text) => text.trim())
  const unknown = statuses.find((text) => !isStatus(text))
  return unknown === undefined ? statuses.filter(isStatus) : fail('usage', `There is no status ${JSON.stringify(unknown)}. There are: ${STATUSES.join(', ')}.`)
}

const filterOf = ({ status, limit, agent, user, route, tenant, session }: RunsOptions): RunFilter => {
  const statuses = status === undefined ? undefined : runStatuses(status)
  if (!/^[1-9]\d{0,5}$/.test(limit)) fail('usage', `--limit must be a number from 1 to 999999, not ${JSON.stringify(limit)}.`)
  const named = Object.entries({ agent, user, route, tenant, session }).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(named), ...(statuses === undefined ? {} : { status: statuses }), limit: Number(limit) }
}

const stateOf = (row: RunRow): string => (typeof row.state === 'string' ? row.state : JSON.stringify(row.state))

const cellsOf = (row: RunRow): readonly string[] => [
  row.id,
  oneLine(row.agent),
  row.status,
  oneLine(row.failureCode ?? stateOf(row)),
  showTime(row.startedAt),
  isEnded(row.status) ? showDuration(row.updatedAt - row.startedAt) : '',
  showTokens(row.inputTokens, row.outputTokens),
  showUsd(row.costUnknown ? null : row.costNano / 1e9),
]

const HEAD = ['run', 'agent', 'status', 'state', 'started', 'took', 'tokens', 'cost'] as const

const candidateOf = (journal: Journal, row: RunRow): Candidate => {
  let read: Promise<readonly EntryBody[]> | undefined
  return { row, entries: () => (read ??= journal.read(row.id).then((entries) => entries.map(({ text }) => JSON.parse(text) as EntryBody))) }
}

/** Runs that fit, newest first, at most as many as the limit says. */
const select = async (journal: Journal, filter: RunFilter, test: ReturnType<typeof testOf> | undefined): Promise<readonly RunRow[]> => {
  if (test === undefined) return journal.list(filter)
  const found: RunRow[] = []
  for (const row of await journal.list({ ...filter, limit: MOST_LOOKED_AT })) {
    if (found.length === filter.limit) break
    if (await test(candidateOf(journal, row))) found.push(row)
  }
  return found
}

const list = async (io: Io, options: RunsOptions): Promise<number> => {
  const filter = filterOf(options)
  const test = options.where === undefined ? undefined : testOf(parseWhere(options.where))
  const project = await openProject(io)
  const journal = openExisting(io, project, options)
  const rows = journal === undefined ? [] : await select(journal, filter, test)
  await journal?.close()
  if (options.json === true) io.out(`${JSON.stringify({ runs: rows.map(publicRow) }, null, 2)}\n`)
  else if (rows.length === 0) io.out(`no runs${journal === undefined ? `: no database at ${databasePath(project, options.db, io.env)}` : ' match'}\n`)
  else io.out(`${table([HEAD, ...rows.map(cellsOf)])}\n`)
  return EXIT.done
}

/** `stateloop runs`. */
export const runsCommand: CommandDefinition<RunsOptions> = {
  name: 'runs',
  about: 'list runs, newest first',
  args: [],
  options: [
    ...COMMON,
    { flags: '--status <list>', about: `only these, with commas between: ${STATUSES.join(', ')}` },
    { flags: '--agent <id>', about: 'only of this agent' },
    { flags: '--user <id>', about: 'only for this user' },
    { flags: '--route <name>', about: 'only from this route' },
    { flags: '--tenant <id>', about: 'only of this tenant' },
    { flags: '--session <id>', about: 'only of this session' },
    { flags: '--where <expression>', about: `only those that fit, such as "outcome = failed and cost > 0.10"; fields: ${FIELD_HELP}` },
    { flags: '--limit <n>', about: 'at most so many', default: '20' },
  ],
  run: (io, _args, options) => list(io, options),
}
