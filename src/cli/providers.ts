// Who answers model calls in a command: the settings' providers, the agent module's, OpenAI, and offline rules where there
// is no key. Invariant: rules never stand in for a language model without a note that says so.
import { fail } from '../failure/index.ts'
import { openai, type ModelProvider } from '../model/index.ts'
import type { Config } from './config.ts'
import type { Exports } from './import-module.ts'
import type { Io } from './io.ts'

/** Providers, and what the user must be told about them. */
export interface ChosenProviders {
  readonly providers: readonly ModelProvider[]
  readonly notes: readonly string[]
}

const isProvider = (value: unknown): value is ModelProvider => typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string' && 'call' in value && typeof value.call === 'function'

const exportedProviders = ({ providers, offline }: Exports): { readonly listed: readonly ModelProvider[]; readonly offline: ModelProvider | undefined } => {
  if (providers !== undefined && !(Array.isArray(providers) && providers.every(isProvider))) fail('agent_invalid', 'The export `providers` of the agent must be a list of model providers.')
  if (offline !== undefined && !isProvider(offline)) fail('agent_invalid', 'The export `offline` of the agent must be a model provider, such as scripted({ rules }).')
  return { listed: (providers as readonly ModelProvider[] | undefined) ?? [], offline: offline as ModelProvider | undefined }
}

/** The offline model that an agent's module exports. @throws FailureError `agent_invalid`. */
export const offlineOf = (exports: Exports): ModelProvider | undefined => exportedProviders(exports).offline

const set = (value: string | undefined): boolean => value !== undefined && value !== ''

/**
 * Chooses the providers for an agent; the first with an id counts.
 * @throws FailureError `agent_invalid` for exports of the wrong shape, `usage` for a base URL that is none.
 */
export const chooseProviders = (config: Config, exports: Exports, env: Io['env']): ChosenProviders => {
  const { listed, offline } = exportedProviders(exports)
  const chosen = new Map<string, ModelProvider>()
  const add = (provider: ModelProvider): boolean => !chosen.has(provider.id) && chosen.set(provider.id, provider) !== undefined
  for (const provider of [...(config.providers ?? []), ...listed]) add(provider)
  // A server at OPENAI_BASE_URL may need no key, so the address alone also asks for the real provider.
  if (set(env['OPENAI_API_KEY']) || set(env['OPENAI_BASE_URL'])) if (!chosen.has('openai')) add(openai())
  const notes: string[] = []
  if (offline !== undefined && add(offline)) notes.push(`offline: scripted rules, not a language model, answer for "${offline.id}"${offline.id === 'openai' ? '; set OPENAI_API_KEY to use the real one' : ''}`)
  // Without a key its calls fail as auth_failed, which says what to set.
  if (!chosen.has('openai')) add(openai())
  return { providers: [...chosen.values()], notes }
}
