// `stateloop limit`: sets, shows and removes limits on spending, which runtimes at work on the database take up at once.
import { systemClock } from '../../clock/index.ts'
import { accountsOf, limitsOf, showLimit, type AccountStanding, type BudgetStore, type LimitDefinition, type LimitScope, type Rate, type SpendLimit, type Spender } from '../../cost/index.ts'
import { fail } from '../../failure/index.ts'
import { memoryJournal, type Journal } from '../../journal/index.ts'
import { COMMON, type CommandDefinition } from '../command.ts'
import { EXIT } from '../exit-code.ts'
import { oneLine, type Io } from '../io.ts'
import { openExisting, openForWriting, type CommonOptions } from '../open-runtime.ts'
import { openProject } from '../project.ts'
import { showTime } from '../amounts.ts'
import { table } from '../table.ts'

interface LimitOptions extends CommonOptions {
  readonly usd?: readonly string[]
  readonly tokens?: readonly string[]
  readonly calls?: readonly string[]
  readonly runs?: string
  readonly warn?: string
  readonly timezone?: string
  readonly remove?: boolean
}

const shareOf = (text: string): number => {
  const [, percent] = /^(\d{1,3})%?$/.exec(text) ?? []
  const share = Number(percent) / 100
  return share > 0 && share <= 1 ? share : fail('usage', `--warn takes a percentage from 1% to 100%, not ${JSON.stringify(text)}.`)
}

const countOf = (text: string): number => (/^\d+$/.test(text) ? Number(text) : fail('usage', `--runs takes a whole number, not ${JSON.stringify(text)}.`))

/** What the options set; undefined when they set nothing. */
const definitionOf = (scope: string, { usd, tokens, calls, runs, warn, timezone }: LimitOptions): LimitDefinition | undefined => {
  const rates = (given: readonly string[] | undefined, name: string): object => (given === undefined ? {} : { [name]: given as readonly Rate[] })
  const amounts = { ...rates(usd, 'usd'), ...rates(tokens, 'tokens'), ...rates(calls, 'calls'), ...(runs === undefined ? {} : { runs: countOf(runs) }) }
  if (Object.keys(amounts).length === 0) return warn === undefined && timezone === undefined ? undefined : fail('usage', `--warn and --timezone say more about --usd, --tokens or --calls: name those as well.`)
  return { scope: scope as LimitScope, ...amounts, ...(warn === undefined ? {} : { warnAt: shareOf(warn) }), ...(timezone === undefined ? {} : { timezone }) }
}

/** Who a limit names; undefined for one that is for each by itself. */
const namedBy = ({ scope }: SpendLimit): Spender | undefined => {
  const colon = scope.indexOf(':')
  const value = scope.slice(colon + 1)
  if (scope === 'all') return { run: '', agent: '' }
  return value === '*' ? undefined : { run: '', agent: '', [scope.slice(0, colon)]: value }
}

interface Shown {
  readonly limit: SpendLimit
  readonly standing: AccountStanding | undefined
}

const standingOf = async (store: BudgetStore, limit: SpendLimit): Promise<Shown> => {
  const spender = namedBy(limit)
  const accounts = spender === undefined || limit.window === 'call' ? [] : accountsOf([limit], spender, systemClock.now())
  const [standing] = accounts.length === 0 ? [] : await store.standing(accounts)
  return { limit, standing }
}

const amountOf = ({ unit }: SpendLimit, amount: number): number => (unit === 'usd' ? amount / 1e9 : amount)

const cellsOf = ({ limit, standing }: Shown): readonly string[] => [
  oneLine(limit.scope),
  showLimit(limit),
  standing === undefined ? '' : String(amountOf(limit, standing.spent)),
  standing === undefined ? '' : String(amountOf(limit, standing.reserved)),
  standing === undefined || standing.endMs === Number.MAX_SAFE_INTEGER ? '' : showTime(standing.endMs),
  limit.warnAt === undefined ? '' : `${limit.warnAt * 100}%`,
  limit.timezone ?? '',
]

const publicOf = ({ limit, standing }: Shown): object => ({
  ...limit,
  amount: amountOf(limit, limit.amount),
  ...(standing === undefined ? {} : { spent: amountOf(limit, standing.spent), reserved: amountOf(limit, standing.reserved), ...(standing.endMs === Number.MAX_SAFE_INTEGER ? {} : { endsAtMs: standing.endMs }) }),
})

const show = async (io: Io, store: BudgetStore, scope: string | undefined, json: boolean): Promise<void> => {
  const limits = (await store.limits()).filter((limit) => scope === undefined || limit.scope === scope)
  const shown: Shown[] = []
  for (const limit of limits) shown.push(await standingOf(store, limit))
  if (json) io.out(`${JSON.stringify({ limits: shown.map(publicOf) }, null, 2)}\n`)
  else if (shown.length === 0) io.out(`no limits${scope === undefined ? ' are set' : ` are set for ${oneLine(scope)}`}\n`)
  else io.out(`${table([['scope', 'limit', 'used', 'held', 'until', 'warns at', 'timezone'], ...shown.map(cellsOf)])}\n`)
}

/** What a command changes; undefined when it only looks. @throws FailureError `usage` before anything is opened. */
const changeOf = (scope: string | undefined, options: LimitOptions): ((store: BudgetStore) => Promise<void>) | undefined => {
  const definition = definitionOf(scope ?? '', options)
  if (options.remove !== true && definition === undefined) return undefined
  if (scope === undefined) return fail('usage', 'Say who the limit is for: user:42, user:*, route:/chat, tenant:acme, agent:support, run:* or all.')
  if (options.remove === true && definition !== undefined) fail('usage', `--remove takes away all limits of ${scope}; set new ones in a second command.`)
  if (definition !== undefined) {
    const limits = limitsOf(definition)
    return (store) => store.putLimits(limits)
  }
  return async (store) => {
    if ((await store.removeLimits(scope)) === 0) fail('usage', `No limits are set for ${scope}. \`stateloop limit\` lists what is set.`)
  }
}

const limit = async (io: Io, scope: string | undefined, options: LimitOptions): Promise<number> => {
  const change = changeOf(scope, options)
  const project = await openProject(io)
  // To look never makes a database: where there is none, there are no limits.
  const journal: Journal = change !== undefined ? openForWriting(io, project, options) : (openExisting(io, project, options) ?? memoryJournal())
  const { budgets } = journal
  try {
    if (budgets === undefined) return fail('usage', `The journal ${journal.name} keeps no limits.`)
    await change?.(budgets)
    await show(io, budgets, scope, options.json === true)
    return EXIT.done
  } finally {
    await journal.close()
  }
}

/** `stateloop limit`. */
export const limitCommand: CommandDefinition<LimitOptions> = {
  name: 'limit',
  about: 'set, show or remove limits on spending; runtimes at work take them up at once',
  args: [{ name: 'scope', about: 'user:42, user:* for each, route:/chat, tenant:acme, agent:support, run:* or all; without it all limits are listed', optional: true }],
  options: [
    ...COMMON,
    { flags: '--usd <rate>', about: 'most that may be spent: 5/day, 0.10/call, 100/month; may be repeated', many: true },
    { flags: '--calls <rate>', about: 'most model calls: 60/m, 1000/day; may be repeated', many: true },
    { flags: '--tokens <rate>', about: 'most tokens, in and out: 100000/m; may be repeated', many: true },
    { flags: '--runs <n>', about: 'most runs at work at the same time' },
    { flags: '--warn <percent>', about: 'warn once when so much of a limit is used: 80%' },
    { flags: '--timezone <name>', about: 'zone whose days and months are counted: Europe/Zurich; default UTC' },
    { flags: '--remove', about: 'take away all limits of this scope' },
  ],
  run: (io, [scope], options) => limit(io, scope, options),
}
