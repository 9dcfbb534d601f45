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
  /** The customer the run belongs to, from `start`. */
  readonly tenant?: string
  /** The part of the product that asked, from `start`. */
  readonly route?: string
  /** Id of the run. */
  readonly run: string
  /** Idempotency key: the same for every repetition of this call, different for every other call. */
  readonly key: string
  /** Aborts when the call runs out of time or the run ends. */
  readonly signal: AbortSignal
  /** The application's own objects, from `createRuntime({ services })`. */
  readonly services: Services
  /** Calls a model; billed to the run, and counted against its limits. */
  readonly model: InnerModelCall
  /** Embeds texts: a vector of 32-bit floats for each, in their order. `model` is `provider/model`. Billed, limited and held back like `model`. @throws FailureError as a model call does; `invalid_request` when the provider cannot embed. */
  readonly embed: (request: { readonly model: string; readonly texts: readonly string[] }) => Promise<readonly (readonly number[])[]>
  /** Adds cost that no model call explains, USD. @throws TypeError for an amount that is negative or not finite. */
  readonly addCost: (usd: number, what: string) => void
  /** Writes a line to the run's log. */
  readonly log: (message: string, fields?: { readonly [key: string]: Json }) => void
}

/** The application's own objects for tools. Augment this interface to type them. */
export interface Services {
  readonly [name: string]: unknown
}

/** A tool, as `defineTool` makes it. Its name is the key it has in `tools`. */
export interface Tool<I = never, O = unknown> {
  readonly kind: 'tool'
  /** What it does and when to use it, for the model. */
  readonly description: string
  /** Accepts what `run` takes. */
  readonly input: Schema
  /** Validates what `run` gives; undefined when anything goes. */
  readonly output: Schema | undefined
  /** What it does to the world. */
  readonly effect: ToolEffect
  /** True when performing twice under one `key` happens once. */
  readonly idempotent: boolean
  /** How long an attempt may take, milliseconds. */
  readonly timeoutMs: number
  /** Size limit of the result as JSON, bytes. */
  readonly maxResultBytes: number
  /** True when the same call with the same result is legitimate waiting, not a loop. */
  readonly polling: boolean
  /** When and how often a failed attempt is tried again. */
  readonly retry: RetryPolicy
  /** How long an equal call gets the same result; undefined when each is performed. */
  readonly cache: CachePolicy | undefined
  /** Performs a call. What it throws is `tool_failed`. */
  readonly run: (input: I, context: ToolContext) => O | Promise<O>
}

/** A piece of text that a retriever found. */
export interface Document {
  /** Unique in what was searched: `how-to/tools.md#retries`. */
  readonly id: string
  /** The text that a model is shown. */
  readonly text: string
  /** Where it came from: a path, an address. */
  readonly source?: string
  /** A heading for people. */
  readonly title?: string
  /** Higher is better. */
  readonly score?: number
  /** More facts, for callbacks. */
  readonly metadata?: { readonly [key: string]: Json }
}

/** Finds documents. */
export interface Retriever {
  readonly kind: 'retriever'
  /** How long an attempt may take, milliseconds. */
  readonly timeoutMs: number
  /** When and how often a failed attempt is tried again. */
  readonly retry: RetryPolicy
  /** Changes when the data changes; part of cache keys and of what evals call affected. */
  readonly version: string
  /** Finds at most `k` documents, best first. What it throws is `retrieval_failed`. */
  readonly search: (request: { readonly query: string; readonly k: number }, context: ToolContext) => readonly Document[] | Promise<readonly Document[]>
}

/** Orders documents by how well they answer a query. */
export interface Reranker {
  readonly kind: 'reranker'
  /** How long an attempt may take, milliseconds. */
  readonly timeoutMs: number
  /** When and how often a failed attempt is tried again. */
  readonly retry: RetryPolicy
  /** Changes when the order may; part of cache keys. */
  readonly version: string
  /** Gives the `k` best of the documents, best first. What it throws is `retrieval_failed`. */
  readonly rank: (request: { readonly query: string; readonly documents: readonly Document[]; readonly k: number }, context: ToolContext) => readonly Document[] | Promise<readonly Document[]>
}
