// The impure side of a runtime, put together from its options: providers, prices, policies and the application's objects.
// Invariant: whoever performs attempts, live or for a replay, performs them with the same parts.
import { priceTable, type LimitDefinition, type PricePort } from '../cost/index.ts'
import type { Clock } from '../clock/index.ts'
import { fail, type Json } from '../failure/index.ts'
import type { Journal } from '../journal/index.ts'
import type { ModelProvider } from '../model/index.ts'
import type { BreakerPolicy, LimiterPolicy } from '../policy/index.ts'
import { budgets, type BudgetHook } from './call/budgets.ts'
import { callPolicies } from './call/policies.ts'
import type { Acting } from './effect.ts'
import type { Observer } from './observer.ts'
import { keeper } from './prompts.ts'
import { runtimeSecrets, type Secrets } from './secrets.ts'
import { environmentSecrets } from '../trace/index.ts'

/** What attempts are performed with; every part has a default. */
export interface ActingOptions {
  /** Who answers model calls, found by the text before the `/` in a model's name. Default: nobody, so that calls fail as `provider_not_found`. */
  readonly providers?: readonly ModelProvider[] | ((id: string) => ModelProvider | undefined)
  /** The application's own objects for tools and code. Default: none. */
  readonly services?: { readonly [name: string]: unknown }
  /** What models cost, such as `priceTable({ overrides })`. Default: public list prices. */
  readonly prices?: PricePort
  /** When calls to a model are refused for a while; `false` for never. A state may say otherwise. Default: see {@link BreakerPolicy}. */
  readonly breaker?: BreakerPolicy | false
  /** How many calls to a model at once and how fast; `false` for no limit. A state may say otherwise. Default: see {@link LimiterPolicy}. */
  readonly limiter?: LimiterPolicy | false
  /** Size of the response cache in memory, bytes. Default 32 MiB. The journal's database holds what is kept longer. */
  readonly cacheBytes?: number
  /**
   * Limits on what users, routes, tenants, agents and runs may spend. Limits set with `stateloop limit` win over these.
   * Default: none.
   * @example [{ scope: 'user:*', usd: '5/day', calls: '60/m', warnAt: 0.8, timezone: 'Europe/Zurich' }]
   */
  readonly budgets?: readonly LimitDefinition[]
  /**
   * Told when spending comes near a limit or reaches it, once for each limit and window. A webhook goes here: nobody waits
   * for it, and what it throws or rejects with is a process warning. Default: nobody is told.
   */
  readonly onBudget?: BudgetHook
  /**
   * Values that must never be written down, such as keys. Those of the providers and of environment variables that are
   * named like secrets are known anyway. Values shorter than six characters are left alone. Default: no others.
   */
  readonly secrets?: readonly string[]
  /** Gets log lines of tools. Default: dropped. */
  readonly log?: (run: string, message: string, fields?: { readonly [key: string]: Json }) => void
}

const findProvider =
  (providers: NonNullable<ActingOptions['providers']>) =>
  (id: string): ModelProvider => {
    const found = typeof providers === 'function' ? providers(id) : providers.find((provider) => provider.id === id)
    const known = typeof providers === 'function' ? 'decided by a function' : providers.map((provider) => provider.id).join(', ') || 'none'
    return found ?? fail('provider_not_found', `No provider ${JSON.stringify(id)} is configured (there are: ${known}). Add it to createRuntime({ providers }).`)
  }

const readBlob = async (journal: Pick<Journal, 'getContent'>, hash: string): Promise<string> => {
  const found = await journal.getContent(hash)
  return found?.text ?? fail('invalid_request', `A message part names blob ${hash}, which the journal does not hold. Put it there first with runtime.putBlob(bytes).`)
}

/** The values that a runtime keeps secret, asked each time: a provider may change its key. */
export const secretsOf = (options: Pick<ActingOptions, 'secrets' | 'providers'>, clock: Clock): Secrets => {
  const fixed = [...(options.secrets ?? []), ...environmentSecrets(process.env)]
  const keyed = typeof options.providers === 'function' ? [] : (options.providers ?? []).filter((provider) => provider.secrets !== undefined)
  return runtimeSecrets(clock, keyed.length === 0 ? () => fixed : () => [...fixed, ...keyed.flatMap((provider) => provider.secrets?.() ?? [])])
}

/** Puts the parts together. */
export const actingOf = (
  options: ActingOptions,
  clock: Clock,
  journal: Pick<Journal, 'getContent' | 'putContent'> & Partial<Pick<Journal, 'cache' | 'budgets'>>,
  observers: readonly Observer[],
  secrets = secretsOf(options, clock),
): Acting => ({
  clock,
  secrets,
  prices: options.prices ?? priceTable(),
  services: options.services ?? {},
  observers,
  policies: callPolicies({ clock, breaker: options.breaker ?? {}, limiter: options.limiter ?? {}, cache: journal.cache, cacheBytes: options.cacheBytes ?? 32 * 1024 * 1024 }),
  blob: (hash) => readBlob(journal, hash),
  keep: keeper(journal),
  provider: findProvider(options.providers ?? []),
  log: (run, message, fields) => {
    const { scrub } = secrets.of(run)
    options.log?.(run, scrub.text(message), scrub.data(fields))
  },
  budgets: budgets({ clock, store: journal.budgets, limits: options.budgets ?? [], onBudget: options.onBudget }),
})
