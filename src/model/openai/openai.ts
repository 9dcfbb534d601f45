// The OpenAI provider: chat completions and responses, at OpenAI, at Azure and at every server that speaks one of the two.
// Invariant: options are checked when it is made; everything else is loaded with the first call.
import type { ModelProvider } from '../provider.ts'
import { endpointOf, type OpenAiOptions } from './options.ts'

/**
 * Makes a provider for OpenAI, Azure OpenAI and servers that speak like them. Nothing is loaded or checked against the network before the first call.
 *
 * @example createRuntime({ providers: [openai({ baseURL: 'http://localhost:11434/v1', id: 'ollama' })] })
 * @throws FailureError `usage` when the base URL is no URL, or Azure lacks its API version. Calls throw ModelCallError with a model code.
 */
export const openai = (options: OpenAiOptions = {}): ModelProvider => {
  const endpoint = endpointOf(options)
  const secrets = typeof options.apiKey === 'string' ? [options.apiKey.trim()] : []
  let loading: Promise<Required<Pick<ModelProvider, 'call' | 'embed'>>> | undefined
  const load = async () => (await import('./calls.ts')).callsOf(options, endpoint, secrets)
  return {
    id: options.id ?? 'openai',
    baseUrl: endpoint.shown,
    secrets: () => secrets,
    call: async (request, io) => (await (loading ??= load())).call(request, io),
    embed: async (request, io) => (await (loading ??= load())).embed(request, io),
  }
}
