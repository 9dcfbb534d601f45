// Limits on what users, routes, tenants, agents and runs may spend: how they are written, and which of them a call meets.
// Invariant: of two limits that differ only in how closely they name somebody, the closer one counts.
import { fail } from '../failure/index.ts'
import { checkTimezone, spanOf, type LimitWindow, type Span } from './window.ts'

/** What a limit counts. `runs` are those at work at the same time. */
export type LimitUnit = 'usd' | 'tokens' | 'calls' | 'runs'

/** Who a limit can be for. */
const SCOPES = ['run', 'user', 'route', 'tenant', 'agent'] as const
type ScopeName = (typeof SCOPES)[number]

/** Somebody: `user:42`; each of them: `user:*`; everybody together: `all`. */
export type LimitScope = `${ScopeName}:${string}` | 'all'

/** One limit. */
export interface SpendLimit {
  readonly scope: LimitScope
  readonly unit: LimitUnit
  readonly window: LimitWindow
  /** Most that may be used within one window, an integer; nano-dollars for `usd`. */
  readonly amount: number
  /** Share of the amount at which to warn, 0 to 1. Default: no warning. */
  readonly warnAt?: number
  /** IANA name of the zone whose days and months are counted. Default UTC. */
  readonly timezone?: string
}

/** An amount and its window: `5/day`, `60/m`, `0.10/call`, `1/run`. */
export type Rate = `${number}/${string}`

/** Limits of one scope, as people write them. */
export interface LimitDefinition {
  /** Whom it limits: `user:ada`; `user:*` for each user by itself; `all` for everybody together. */
  readonly scope: LimitScope
  /** Most USD in a window: `5/day`, `0.10/call`. Default: no limit. */
  readonly usd?: Rate | readonly Rate[]
  /** Most tokens in a window, input and output together: `1000000/day`. Default: no limit. */
  readonly tokens?: Rate | readonly Rate[]
  /** Most model calls in a window: `60/m`. Default: no limit. */
  readonly calls?: Rate | readonly Rate[]
  /** How many runs may be at work at the same time. Default: no limit. */
  readonly runs?: number
  /** Share of each amount at which to warn, 0 to 1. Default: no warning. */
  readonly warnAt?: number
  /** Zone whose days and months are counted, such as `Europe/Zurich`. Default UTC. */
  readonly timezone?: string
}

const WINDOW_NAMES: { readonly [name: string]: LimitWindow } = { call: 'call', m: 'minute', min: 'minute', minute: 'minute', h: 'hour', hour: 'hour', d: 'day', day: 'day', month: 'month', run: 'total', total: 'total' }

/** @throws FailureError `usage` when it names nobody. */
const checkScope = (text: string): void => {
  const colon = text.indexOf(':')
  const known = text === 'all' || (SCOPES.some((name) => name === text.slice(0, colon)) && colon < text.length - 1)
  if (!known) fail('usage', `A limit is for ${SCOPES.map((name) => `${name}:…`).join(', ')} or all, not for ${JSON.stringify(text)}. For each user by itself, write user:*.`)
}

const amountOf = (unit: LimitUnit, text: string, rate: string): number => {
  const value = /^\d+(?:\.\d+)?(?:e[+-]?\d+)?$/.test(text.trim()) ? Number(text) : Number.NaN
  const amount = unit === 'usd' ? Math.round(value * 1e9) : value
  if (Number.isSafeInteger(amount)) return amount
  return fail('usage', `${unit} ${JSON.stringify(rate)}: ${JSON.stringify(text)} is not ${unit === 'usd' ? 'an amount of dollars' : 'a whole number'}.`)
}

const readRate = (unit: LimitUnit, rate: string): Pick<SpendLimit, 'unit' | 'window' | 'amount'> => {
  const [text = '', name = '', ...rest] = rate.split('/')
  const window = WINDOW_NAMES[name.trim()]
  if (window === undefined || rest.length > 0)
    return fail('usage', `${unit} ${JSON.stringify(rate)} must be an amount and a window, such as ${unit === 'usd' ? '5/day' : '60/m'}. Windows are: ${Object.keys(WINDOW_NAMES).join(', ')}.`)
  return { unit, window, amount: amountOf(unit, text, rate) }
}

/**
 * Reads limits as people write them.
 * @example limitsOf({ scope: 'user:*', usd: '5/day', calls: '60/m', warnAt: 0.8, timezone: 'Europe/Zurich' })
 * @throws FailureError `usage`.
 */
export const limitsOf = ({ scope, usd = [], tokens = [], calls = [], runs, warnAt, timezone }: LimitDefinition): readonly SpendLimit[] => {
  checkScope(scope)
  if (timezone !== undefined) checkTimezone(timezone)
  if (warnAt !== undefined && !(warnAt > 0 && warnAt <= 1)) fail('usage', `warnAt of ${scope} must be a share above 0 and at most 1, not ${warnAt}.`)
  const rates = Object.entries({ usd, tokens, calls }) as readonly (readonly [LimitUnit, Rate | readonly Rate[]])[]
  const read = rates.flatMap(([unit, given]) => [given].flat().map((rate) => readRate(unit, rate)))
  if (runs !== undefined) read.push({ unit: 'runs', window: 'now', amount: amountOf('runs', String(runs), String(runs)) })
  const twice = read.find(({ unit, window }, index) => read.findIndex((other) => other.unit === unit && other.window === window) !== index)
  if (twice !== undefined) fail('usage', `The limit of ${scope} gives ${twice.unit} for one ${twice.window} twice. Give it once.`)
  if (read.length === 0) fail('usage', `The limit of ${scope} limits nothing. Give it usd, tokens, calls or runs.`)
  return read.map((limit) => ({ scope, ...limit, ...(warnAt === undefined ? {} : { warnAt }), ...(timezone === undefined ? {} : { timezone }) }))
}

/** Who spends. */
export interface Spender {
  readonly run: string
  readonly agent: string
  readonly user?: string
  readonly route?: string
  readonly tenant?: string
}

/** What is counted against one limit in one window. */
export interface Account extends Span {
  /** The same in every process: who, what and since when. */
  readonly id: string
  /** Who, with the tenant of a user, so that users of two tenants do not meet: `["user","42","acme"]`. */
  readonly holder: string
  readonly limit: SpendLimit
}

const valueOf = (spender: Spender, name: ScopeName): string | undefined => spender[name]

const holderOf = (spender: Spender, name: ScopeName, value: string): string => JSON.stringify(name === 'user' && spender.tenant !== undefined ? [name, value, spender.tenant] : [name, value])

/** How the holder of every account of a user begins: of one tenant, or in all of them. */
export const userHolders = (user: string, tenant?: string): readonly string[] => {
  const [all, within] = [JSON.stringify(['user', user]), JSON.stringify(['user', user, tenant ?? ''])]
  return tenant === undefined ? [all, `${all.slice(0, -1)},`] : [within]
}

/** Everything that somebody who spends is counted under. */
export const holdersOf = (spender: Spender): readonly string[] => [
  ...SCOPES.flatMap((name) => {
    const value = valueOf(spender, name)
    return value === undefined ? [] : [holderOf(spender, name, value)]
  }),
  JSON.stringify(['all']),
]

const nameOf = (limit: SpendLimit): ScopeName | 'all' => (limit.scope === 'all' ? 'all' : (limit.scope.slice(0, limit.scope.indexOf(':')) as ScopeName))

/** The limit as it meets a spender; undefined when it is for somebody else. */
const accountOf = (limit: SpendLimit, spender: Spender, nowMs: number): Account | undefined => {
  const name = nameOf(limit)
  const value = name === 'all' ? '' : valueOf(spender, name)
  const named = limit.scope.slice(name.length + 1)
  if (value === undefined || (name !== 'all' && named !== '*' && named !== value)) return undefined
  const span = spanOf(limit.window, nowMs, limit.timezone)
  const holder = name === 'all' ? JSON.stringify(['all']) : holderOf(spender, name, value)
  return { id: `${holder} ${limit.unit} ${limit.window} ${span.startMs}`, holder, limit, ...span }
}

/** The accounts that a spender is counted against, in the order of their ids. */
export const accountsOf = (limits: readonly SpendLimit[], spender: Spender, nowMs: number): readonly Account[] => {
  const found = new Map<string, Account>()
  for (const limit of limits) {
    const account = accountOf(limit, spender, nowMs)
    if (account === undefined) continue
    const kind = `${account.holder} ${limit.unit} ${limit.window}`
    const before = found.get(kind)
    // The later of two that name the same counts, so that what an operator sets wins over the code.
    if (before === undefined || before.limit.scope.endsWith(':*') || !limit.scope.endsWith(':*')) found.set(kind, account)
  }
  return [...found.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))
}

/** A limit as people read it: `5 usd/day`. */
export const showLimit = ({ unit, window, amount }: SpendLimit): string => {
  const shown = unit === 'usd' ? amount / 1e9 : amount
  return window === 'now' ? `${shown} ${unit} at the same time` : `${shown} ${unit}/${window === 'total' ? 'run' : window}`
}
