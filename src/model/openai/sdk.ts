// The official SDK, loaded on the first call and asked for one thing only: to send a request. Invariant: it never
// retries, never logs, never parses a reply.
import type { OpenAI } from 'openai'
import type { Endpoint, OpenAiOptions } from './options.ts'
import type { Body } from './request.ts'
import { recordingFetch, type FetchOptions, type Transport } from './transport.ts'

/** Longest delay a timer keeps; the limits of an attempt are our own watchdogs. */
const NEVER_MS = 2_147_483_647

/** Which endpoint a body is for. */
export type Resource = 'chat' | 'responses' | 'embeddings'

/** What goes with one request. */
export interface SendOptions {
  readonly signal: AbortSignal
  readonly fetchOptions: FetchOptions
  readonly headers: { readonly [name: string]: string }
}

/** Sends a body. @throws whatever the SDK throws; the exchange in the options knows better. */
export type Send = (resource: Resource, body: Body, options: SendOptions) => Promise<unknown>

const send = async (client: OpenAI, resource: Resource, body: Body, options: SendOptions): Promise<unknown> => {
  const sent = options as unknown as { readonly signal: AbortSignal }
  if (resource === 'chat') return client.chat.completions.create(body as unknown as OpenAI.ChatCompletionCreateParams, sent).asResponse()
  if (resource === 'responses') return client.responses.create(body as unknown as OpenAI.Responses.ResponseCreateParams, sent).asResponse()
  return client.embeddings.create(body as unknown as OpenAI.EmbeddingCreateParams, sent).asResponse()
}

/** Opens the SDK for one endpoint. @param key gives the key of the call that is being made. */
export const openSdk = async (options: OpenAiOptions, endpoint: Endpoint, transport: Transport): Promise<(key: string) => Send> => {
  const { AzureOpenAI, OpenAI } = await import('openai')
  const common = {
    baseURL: endpoint.baseURL,
    maxRetries: 0,
    timeout: NEVER_MS,
    logLevel: 'off',
    fetch: recordingFetch(transport.fetch),
    defaultHeaders: { ...options.headers },
  } as const
  const open = (apiKey: string): OpenAI => {
    if (options.azure === undefined) return new OpenAI({ ...common, apiKey })
    const { apiVersion, deployment } = options.azure
    return new AzureOpenAI({ ...common, apiKey, ...(apiVersion === undefined ? {} : { apiVersion }), ...(deployment === undefined ? {} : { deployment }) })
  }
  let opened: { readonly key: string; readonly client: OpenAI } | undefined
  return (key) => {
    // A key changes rarely, so one client is kept for the present one.
    if (opened?.key !== key) opened = { key, client: open(key) }
    const { client } = opened
    return (resource, body, sendOptions) => send(client, resource, body, sendOptions)
  }
}
