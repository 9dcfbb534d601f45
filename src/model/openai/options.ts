// The options of the OpenAI provider and what they come to with the environment filled in. Invariant: the base URL that
// others see holds no credentials.
import { fail } from '../../failure/index.ts'
import type { Clock } from '../../clock/index.ts'
import type { Fetch } from './transport.ts'

/** A key, or a function that gives the present one; it is asked before each call and may throw. */
export type ApiKey = string | (() => string | Promise<string>)

/** Options of `openai()`. */
export interface OpenAiOptions {
  /** The prefix in `provider/model`. Default `openai`. */
  readonly id?: string
  /** Default `OPENAI_API_KEY`; with `azure` `AZURE_OPENAI_API_KEY`. Servers elsewhere may need none. */
  readonly apiKey?: ApiKey
  /** Default `OPENAI_BASE_URL`, then `https://api.openai.com/v1`; with `azure` `AZURE_OPENAI_ENDPOINT` plus `/openai`. */
  readonly baseURL?: string
  /** Which API to speak. Default `chat`. */
  readonly wire?: 'chat' | 'responses'
  /** Azure OpenAI: an `api-key` header, an `api-version` and deployments in the path. Default: OpenAI, or a server that speaks like it. */
  readonly azure?: {
    /** Default `OPENAI_API_VERSION`. */
    readonly apiVersion?: string
    /** Default: the model's name. */
    readonly deployment?: string
  }
  /** Used instead of undici's fetch, the default. The connect timeout is then the business of that function. */
  readonly fetch?: Fetch
  /** Connections open at once; further calls wait for a free one. Not used with `fetch`. Default 1,000. */
  readonly maxConnections?: number
  /** Headers for every request. Default: none. */
  readonly headers?: { readonly [name: string]: string }
  /** Role of system messages; models that reason may insist on `developer`. Default `system`. */
  readonly systemRole?: 'system' | 'developer'
  /**
   * Name of the output limit in chat requests. Default `max_completion_tokens` at OpenAI and Azure, and `max_tokens`
   * elsewhere, since other servers may not know the newer name.
   */
  readonly maxTokensField?: 'max_completion_tokens' | 'max_tokens'
  /**
   * Whether a chat stream must end with `[DONE]`. Default `required`: without it a cut after the last token cannot be
   * told from a complete reply. Set `optional` for a server that never sends it.
   */
  readonly doneMarker?: 'required' | 'optional'
  /** Size limit of a reply, bytes. Default 10,000,000. */
  readonly maxReplyBytes?: number
  /** Default: the system's. */
  readonly clock?: Clock
}

const OFFICIAL = /(^|\.)(openai\.com|azure\.com|azure\.us|azure\.cn)$/

/** Where requests go. */
export interface Endpoint {
  /** As the SDK needs it. */
  readonly baseURL: string
  /** As others may see it: no credentials, no query. */
  readonly shown: string
  readonly host: string
  /** OpenAI's or Azure's own. */
  readonly official: boolean
}

const configuredUrl = ({ baseURL, azure }: OpenAiOptions): string => {
  if (baseURL !== undefined) return baseURL
  const endpoint = process.env['AZURE_OPENAI_ENDPOINT']
  if (azure === undefined) return process.env['OPENAI_BASE_URL'] || 'https://api.openai.com/v1'
  return endpoint
    ? `${endpoint.replace(/\/+$/, '')}/openai`
    : fail('usage', 'openai({ azure }) needs the address of the resource. Set AZURE_OPENAI_ENDPOINT or pass baseURL: "https://<resource>.openai.azure.com/openai".')
}

/** Finds the endpoint. @throws FailureError `usage` when it is not a URL. */
export const endpointOf = (options: OpenAiOptions): Endpoint => {
  if (options.azure !== undefined && !(options.azure.apiVersion ?? process.env['OPENAI_API_VERSION']))
    return fail('usage', 'openai({ azure }) needs an API version. Set OPENAI_API_VERSION or pass azure.apiVersion: "2024-10-21".')
  const baseURL = configuredUrl(options)
  const url = URL.canParse(baseURL) ? new URL(baseURL) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return fail('usage', 'The base URL of openai() is not an http(s) URL. Pass baseURL such as "http://localhost:11434/v1", or fix OPENAI_BASE_URL.')
  return { baseURL, shown: `${url.origin}${url.pathname.replace(/\/+$/, '')}`, host: url.host, official: OFFICIAL.test(url.hostname) }
}

/** What a header may hold: visible ASCII. */
const HEADER_SAFE = /^[\x21-\x7e]+$/

/** The key for the next call, or what is wrong with it; the text of the key is in no message. */
export const currentKey = async (options: OpenAiOptions, endpoint: Endpoint): Promise<{ readonly key: string } | { readonly problem: string }> => {
  const variable = options.azure === undefined ? 'OPENAI_API_KEY' : 'AZURE_OPENAI_API_KEY'
  let key: string | undefined
  try {
    key = typeof options.apiKey === 'function' ? await options.apiKey() : (options.apiKey ?? process.env[variable])
  } catch (error) {
    return { problem: `the apiKey function threw ${error instanceof Error ? error.name : 'something'}.` }
  }
  const trimmed = key?.trim() ?? ''
  // Servers on one's own machine take any key, but the SDK insists on one.
  if (trimmed === '') return endpoint.official ? { problem: `there is no API key. Set ${variable} or pass apiKey.` } : { key: 'none' }
  return HEADER_SAFE.test(trimmed) ? { key: trimmed } : { problem: 'the API key holds characters that no header can carry, such as a line break or a space.' }
}
