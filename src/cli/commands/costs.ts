// `stateloop costs`: what was spent, by whom and for what.
import { systemClock } from '../../clock/index.ts'
import { COST_DIMENSIONS, reportCosts, type CostDimension } from '../../cost/index.ts'
import { fail } from '../../failure/index.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { costCsv, costText } from '../cost-report.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { openExisting, type CommonOptions } from '../open-runtime.ts'
import { timeOf } from '../period.ts'
import { databasePath, openProject } from '../project.ts'
import { defined } from '../../schema/index.ts'

interface CostsOptions extends CommonOptions {
  readonly by: string
  readonly since: string
  readonly until?: string
  readonly csv?: boolean
  readonly runs: string
  readonly user?: string
  readonly route?: string
  readonly tenant?: string
  readonly agent?: string
  readonly state?: string
  readonly model?: string
  readonly prompt?: string
}

const isDimension = (name: string): name is CostDimension => COST_DIMENSIONS.some((dimension) => dimension === name)

const dimensionsOf = (by: string): readonly CostDimension[] => {
  const names = by.split(',').map((name) => name.trim())
  const unknown = names.find((name) => !isDimension(name))
  if (unknown !== undefined) fail('usage', `Costs cannot be grouped by ${JSON.stringify(unknown)}. There are: ${COST_DIMENSIONS.join(', ')}.`)
  return [...new Set(names.filter(isDimension))]
}

const costs = async (io: Io, options: CostsOptions): Promise<number> => {
  const { since, until, user, route, tenant, agent, state, model, prompt } = options
  const now = systemClock.now()
  const by = dimensionsOf(options.by)
  const sinceMs = timeOf(since, now, '--since')
  const untilMs = until === undefined ? now : timeOf(until, now, '--until')
  if (untilMs <= sinceMs) fail('usage', `--until ${until ?? 'now'} is not after --since ${since}.`)
  if (!/^\d{1,4}$/.test(options.runs)) fail('usage', `--runs must be a number from 0 to 9999, not ${JSON.stringify(options.runs)}.`)
  const where = defined({ user, route, tenant, agent, state, model, prompt })
  const project = await openProject(io)
  const journal = openExisting(io, project, options)
  if (journal?.ledger === undefined) return fail('usage', `There are no costs: no database at ${databasePath(project, options.db, io.env)}. Name the right one with --db or STATELOOP_DB.`)
  try {
    const report = await reportCosts(journal.ledger, { by, sinceMs, untilMs, where, topRuns: Number(options.runs) })
    io.out(options.json === true ? `${JSON.stringify(report, null, 2)}\n` : options.csv === true ? costCsv(report) : `${costText(report)}\n`)
    return EXIT.done
  } finally {
    await journal.close()
  }
}

/** `stateloop costs`. */
export const costsCommand: CommandDefinition<CostsOptions> = {
  name: 'costs',
  about: 'what was spent, by user, route, model, agent, state or prompt',
  args: [],
  options: [
    ...COMMON,
    { flags: '--by <list>', about: `groups by these together: ${COST_DIMENSIONS.join(', ')}`, default: 'agent,model' },
    { flags: '--since <time>', about: 'how long ago (7d, 24h, 2w) or a date; whole hours', default: '7d' },
    { flags: '--until <time>', about: 'the same; default: now' },
    { flags: '--csv', about: 'the groups as CSV' },
    { flags: '--runs <n>', about: 'how many of the dearest runs to list', default: '5' },
    { flags: '--user <id>', about: 'only for this user' },
    { flags: '--route <name>', about: 'only from this route' },
    { flags: '--tenant <id>', about: 'only of this tenant' },
    { flags: '--agent <id>', about: 'only of this agent' },
    { flags: '--state <path>', about: 'only in this state' },
    { flags: '--model <name>', about: 'only of this model, with its provider: openai/gpt-5-mini' },
    { flags: '--prompt <id>', about: 'only of this prompt' },
  ],
  run: (io, _args, options) => costs(io, options),
}
