// A project's settings for the command line. Invariant: every setting has a default, so a project needs no file.
import type { Agent } from '../agent/index.ts'
import type { LimitDefinition, PricePort } from '../cost/index.ts'
import type { ModelProvider } from '../model/index.ts'
import type { ServerOptions } from '../server/index.ts'

/** The application's objects, or a function that makes them once for the command. */
export type Services = { readonly [name: string]: unknown } | (() => { readonly [name: string]: unknown } | Promise<{ readonly [name: string]: unknown }>)

/** What `stateloop.config.ts` may hold. */
export interface Config {
  /** Agents by the name that commands use: a path from the project's root, or the agent itself. Default: those in `agents/<name>/agent.ts`. */
  readonly agents?: { readonly [name: string]: string | Agent }
  /** Who answers model calls; these win over the ones an agent's module exports. Default: OpenAI where `OPENAI_API_KEY` or `OPENAI_BASE_URL` is set, else what the module exports as `offline`. */
  readonly providers?: readonly ModelProvider[]
  /** For tools and code; these win over the ones an agent's module exports. Default: none. */
  readonly services?: Services
  /** What models cost, such as `priceTable({ overrides })`. Default: public list prices. */
  readonly prices?: PricePort
  /** Limits on spending. Limits set with `stateloop limit` win over these. Default: none. */
  readonly budgets?: readonly LimitDefinition[]
  /** The database: a file, from the project's root, or `postgres://…`. Default `.stateloop/stateloop.db`. */
  readonly db?: string
  /** The lock of the prompts, from the project's root. Default `prompts.lock.json`, where there is one. */
  readonly prompts?: string
  /** How `stateloop serve` lets callers in, what it limits, and what chat clients may ask for. Default: see {@link ServerOptions}. */
  readonly server?: Partial<Omit<ServerOptions, 'runtime' | 'agents' | 'clock'>>
}

/**
 * Types the settings in `stateloop.config.ts`.
 * @example export default defineConfig({ agents: { support: './agents/support/agent.ts' } })
 */
export const defineConfig = (config: Config): Config => config
