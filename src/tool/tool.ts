// Tools, retrievers and rerankers as plain data with one function each. What they may touch arrives in a context
// from the run, never from the model's arguments.
import type { Json } from '../failure/index.ts'
import type { Usage } from '../cost/index.ts'
import type { Message } from '../prompt/index.ts'
import type { CachePolicy, RetryPolicy } from '../policy/index.ts'
import type { Schema } from '../schema/index.ts'

/** What a tool does to the world: nothing, something that can be undone, or something that cannot. */
export type ToolEffect = 'none' | 'reversible' | 'irreversible'

/** Calls a model from inside a tool; billed to the run. @throws FailureError with a model code. */
export interface InnerModelCall {
  (request: { readonly model: string; readonly messages: readonly Message[] | string; readonly maxOutputTokens?: number }): Promise<{ readonly text: string; readonly usage: Usage | null }>
}

/** What a tool gets from the run. */
export interface ToolContext {
  /** Who the run is for; comes from `start`, never from a model. */
  readonly user?: string
  readonly tenant?: string
  readonly route?: string
  readonly run: string
  /** Idempotency key: the same for every repetition of this call, different for every other call. */
  readonly key: string
  readonly signal: AbortSignal
  /** The application's own objects, from `createRuntime({ services })`. */
  readonly services: Services
  readonly model: InnerModelCall
  readonly embed: (request: { readonly model: string; readonly texts: readonly string[] }) => Promise<readonly (readonly number[])[]>
  /** Adds cost that no model call explains, USD. */
  readonly addCost: (usd: number, what: string) => void
  /** Writes a line to the run's log. */
  readonly log: (message: string, fields?: { readonly [key: string]: Json }) => void
}

/** The application's own objects for tools. Augment this interface to type them. */
export interface Services {
  readonly [name: string]: unknown
}

/** A tool. Its name is the key it has in `tools`. */
export interface Tool<I = never, O = unknown> {
  readonly kind: 'tool'
  readonly description: string
  /** Accepts what `run` takes. */
  readonly input: Schema
  readonly output: Schema | undefined
  readonly effect: ToolEffect
  /** True when performing twice under one `key` happens once. */
  readonly idempotent: boolean
  readonly timeoutMs: number
  /** Size limit of the result as JSON, bytes. */
  readonly maxResultBytes: number
  /** True when the same call with the same result is legitimate waiting, not a loop. */
  readonly polling: boolean
  readonly retry: RetryPolicy
  /** How long an equal call gets the same result; undefined when each is performed. */
  readonly cache: CachePolicy | undefined
  readonly run: (input: I, context: ToolContext) => O | Promise<O>
}

/** A piece of text that a retriever found. */
export interface Document {
  readonly id: string
  readonly text: string
  /** Where it came from: a path, an address. */
  readonly source?: string
  readonly title?: string
  /** Higher is better. */
  readonly score?: number
  readonly metadata?: { readonly [key: string]: Json }
}

/** Finds documents. */
export interface Retriever {
  readonly kind: 'retriever'
  readonly timeoutMs: number
  readonly retry: RetryPolicy
  /** Changes when the data changes; part of cache keys and of what evals call affected. */
  readonly version: string
  readonly search: (request: { readonly query: string; readonly k: number }, context: ToolContext) => readonly Document[] | Promise<readonly Document[]>
}

/** Orders documents by how well they answer a query. */
export interface Reranker {
  readonly kind: 'reranker'
  readonly timeoutMs: number
  readonly retry: RetryPolicy
  readonly version: string
  readonly rank: (request: { readonly query: string; readonly documents: readonly Document[]; readonly k: number }, context: ToolContext) => readonly Document[] | Promise<readonly Document[]>
}
