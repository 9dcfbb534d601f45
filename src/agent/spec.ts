// What an effect state asks for, as data: one closed union that the builder writes and the driver reads.
// A spec is self-contained (models, tools and schemas are resolved), so an actor source works in any machine.
import type { FailureKind, Json } from '../failure/index.ts'
import type { Price } from '../cost/index.ts'
import type { ModelParams, ModelRequest, ToolSchema } from '../model/index.ts'
import type { BreakerPolicy, CachePolicy, LimiterPolicy, RetryPolicy, TimeoutPolicy } from '../policy/index.ts'
import type { Content, Message, Prompt, ToolCall } from '../prompt/index.ts'
import type { Schema } from '../schema/index.ts'
import type { Document, Reranker, Retriever, Tool } from '../tool/index.ts'
import type { Agent } from './agent.ts'
import type { ModelName } from './model-ref.ts'
import type { Callback } from './view.ts'

/** A model as a state refers to it. */
export interface ModelRef {
  /** The author's name for it. */
  readonly alias: string
  /** Provider id: `openai` in `openai/gpt-5-mini`. */
  readonly provider: string
  /** Model name: `gpt-5-mini`. */
  readonly model: string
  readonly params: ModelParams & { readonly maxOutputTokens: number }
  readonly providerOptions?: { readonly [key: string]: Json }
  /** Overrides the price table. */
  readonly price?: Price
}

interface EffectBase {
  /** How often the state may be entered in one run before `loop_limit`. */
  readonly maxVisits?: number
  readonly retry?: RetryPolicy
  readonly timeout?: TimeoutPolicy
}

/** How a model is called, beside retries and time limits. */
interface CallOptions {
  readonly cache?: CachePolicy
  /** Default: the runtime's. `false` for none. */
  readonly breaker?: BreakerPolicy | false
  /** Default: the runtime's. `false` for none. */
  readonly limiter?: LimiterPolicy | false
}

/** What a caller's own request says beside its messages. */
export interface PassThrough {
  /** Tools that the model may ask for. Default: none. */
  readonly tools?: readonly ToolSchema[]
  /** Whether the model may, must or must not call a tool; `{ name }` insists on that one. Default `auto`. */
  readonly toolChoice?: NonNullable<ModelRequest['toolChoice']>
  /** The JSON Schema that the reply must match. Default: free text. */
  readonly output?: NonNullable<ModelRequest['output']>
  /** Holds the reply to `output`: an invalid one gets its repair turns, then fails as `invalid_output`. Default: it is given as it is. */
  readonly checked?: boolean
  /** Embeds the text of each message instead; the reply is a JSON list of vectors, each packed as base64 of 32-bit floats. Default false. */
  readonly embeds?: boolean
  /** Size and sampling, which win over those of the model. Default: those alone. */
  readonly params?: ModelParams
  /** Passed to the provider as it is. Default: nothing. */
  readonly providerOptions?: { readonly [key: string]: Json }
}

/** Calls a model. Completes with the validated output, or with the tool calls it asked for. */
export interface ModelSpec extends EffectBase, CallOptions {
  readonly kind: 'model'
  readonly model: ModelRef
  /** A prompt, or what a function of the context renders: text becomes one user message. */
  readonly prompt: Prompt | Callback<Content | readonly Message[]>
  /** Variables of the prompt; default: context (or input) fields of the same names. */
  readonly vars?: Callback<{ readonly [name: string]: unknown }>
  /** Without it the output is the reply's text. */
  readonly output?: Schema
  readonly tools: { readonly [name: string]: Tool }
  /** Name of a thread to go on with; default: a new one, unless the run comes back from `tools`. */
  readonly thread?: string
  /** Repair turns after an invalid output. */
  readonly repairs: number
  /** The request is a caller's own: tools and schema are sent as given, and the reply is the output, calls included. */
  readonly passThrough?: Callback<PassThrough>
  /** State that the call is filed under, where several states ask the same; default: its own. */
  readonly filedUnder?: string
  /** Asks nobody: gives what the cache still holds of an answer of these models to the same request, or fails as the call before it did. */
  readonly staleOf?: readonly ModelRef[]
}

/** Performs the calls the model asked for, answering each one in the thread. */
export interface ToolsSpec extends EffectBase {
  readonly kind: 'tools'
  readonly tools: { readonly [name: string]: Tool }
  /** How many at once. */
  readonly parallel: number
}

/** Performs one call the author decided. */
export interface ToolSpec extends EffectBase {
  readonly kind: 'tool'
  readonly name: string
  readonly tool: Tool
  readonly args: Callback<unknown>
  readonly cache?: CachePolicy
}

export interface RetrieveSpec extends EffectBase {
  readonly kind: 'retrieve'
  readonly name: string
  readonly retriever: Retriever
  readonly query: Callback<string>
  readonly k: number
  readonly cache?: CachePolicy
}

export interface RerankSpec extends EffectBase {
  readonly kind: 'rerank'
  readonly name: string
  readonly reranker: Reranker
  readonly query: Callback<string>
  readonly documents: Callback<readonly Document[]>
  readonly k: number
  readonly cache?: CachePolicy
}

/** Waits for one of the machine's own events; the state node declares them in `on`. */
export interface HumanSpec extends EffectBase {
  readonly kind: 'human'
  readonly show?: Callback<unknown>
  readonly expiresMs?: number
  /** Event types the state accepts. */
  readonly accepts: readonly string[]
}

/** Waits until a person has approved, edited or rejected each pending call. Completes with `"approved"` or `"rejected"`. */
export interface ApproveSpec extends EffectBase {
  readonly kind: 'approve'
  readonly show?: Callback<unknown>
  readonly expiresMs?: number
  /** Tools whose calls need a decision; the others pass. */
  readonly tools: { readonly [name: string]: Tool }
  /** A call the author decided, for a `tool` state behind this one; default: the calls a model asked for. */
  readonly call?: { readonly name: string; readonly args: Callback<unknown> }
}

/** What an author's function gets; it runs once per attempt and may be asynchronous. */
export interface CodeContext {
  /** Aborts when the attempt runs out of time or the run ends. */
  readonly signal: AbortSignal
  /** The application's own objects, from `createRuntime({ services })`. */
  readonly services: { readonly [name: string]: unknown }
  /** Idempotency key of the attempt's effect. */
  readonly key: string
  /** Whom the run is for, from `start`. */
  readonly user?: string
  /** The customer the run belongs to, from `start`. */
  readonly tenant?: string
  /** Time of the run's clock, milliseconds UTC. */
  readonly now: number
  /** Gives back what `secret()` fields hold, which everything else sees as a name. @throws FailureError `tool_failed` when another process was given it. */
  readonly reveal: <T>(value: T) => T
  /** A random number in [0, 1) that replays the same. */
  readonly random: () => number
}

/** What a model answered a hand-written loop. */
export interface KeyedReply {
  /** The whole message, to be put into the conversation. */
  readonly message: Extract<Message, { readonly role: 'assistant' }>
  /** The text of the message; empty when it only asks for tools. */
  readonly text: string
  /** Calls of tools that it asks for; the loop performs them itself. */
  readonly calls: readonly ToolCall[]
}

/**
 * What a hand-written loop calls through: each call is journaled under its key, so that a resumed run gets the recorded
 * result instead of calling again. A key is used once in a run: letters, digits, `_` and `-`. All throw FailureError.
 */
export interface KeyedCalls {
  /** Whom the run is for. */
  readonly user?: string
  /** The customer the run belongs to. */
  readonly tenant?: string
  /** Aborts when the run ends. */
  readonly signal: AbortSignal
  /** Calls a model. `tools` are shown to it; it may ask for them. */
  readonly model: (
    key: string,
    request: { readonly model: ModelName; readonly messages: readonly Message[] | string; readonly tools?: { readonly [name: string]: Tool }; readonly maxOutputTokens?: number; readonly temperature?: number },
  ) => Promise<KeyedReply>
  /** Performs a tool, with its checks and time limit. */
  readonly tool: <O>(key: string, tool: Tool<never, O>, args: unknown) => Promise<O>
  /** Searches. */
  readonly retrieve: (key: string, retriever: Retriever, request: { readonly query: string; readonly k: number }) => Promise<readonly Document[]>
}

/** Runs an author's function; its result is journaled. */
export interface CodeSpec extends EffectBase {
  readonly kind: 'code'
  readonly run: (args: never, context: CodeContext) => unknown
  /** Instead of `run`: a loop whose calls are journaled one by one. It runs again from its beginning after a crash. */
  readonly keyed?: (calls: KeyedCalls) => unknown
  readonly output?: Schema
  /** True when running twice under one key happens once (or does nothing). */
  readonly idempotent: boolean
}

export interface WaitSpec extends EffectBase {
  readonly kind: 'wait'
  readonly ms: Callback<number>
}

/** Runs a child agent in the same journal. */
export interface AgentSpec extends EffectBase {
  readonly kind: 'agent'
  readonly agent: Agent
  readonly input: Callback<unknown>
}

/** Runs a child agent for each item; completes with their outputs in order. */
export interface EachSpec extends EffectBase {
  readonly kind: 'each'
  readonly agent: Agent
  readonly items: Callback<readonly unknown[]>
  readonly concurrency: number
  /** More items than this fail with `loop_limit`. */
  readonly maxItems: number
}

/** Lets a model pick exactly one of the events that are legal now; completes by sending it. */
export interface DecideSpec extends EffectBase, Omit<CallOptions, 'cache'> {
  readonly kind: 'decide'
  readonly model: ModelRef
  readonly prompt: Prompt | Callback<Content | readonly Message[]>
  readonly vars?: Callback<{ readonly [name: string]: unknown }>
  /** Candidate events with the schema of their payload. */
  readonly events: { readonly [type: string]: { readonly description: string; readonly payload: Schema } }
  readonly repairs: number
}

/** Shortens a conversation: a model sums up its middle, and the thread goes on from the summary. */
export interface CompactSpec extends EffectBase, Omit<CallOptions, 'cache'> {
  readonly kind: 'compact'
  readonly model: ModelRef
  /** The thread by its name: the path of the state that talks in it, or the `thread` it names. */
  readonly thread: string
  /** Latest messages that stay as they are. */
  readonly keep: number
  /** What the summary is to hold on to. */
  readonly instructions: string
}

/** Everything an effect state can ask for. */
export type EffectSpec = CompactSpec | ModelSpec | ToolsSpec | ToolSpec | RetrieveSpec | RerankSpec | HumanSpec | ApproveSpec | CodeSpec | WaitSpec | AgentSpec | EachSpec | DecideSpec

/** Kinds of effect state. */
export type EffectKind = EffectSpec['kind']

/** Which failure codes an effect kind can give; undefined for `wait`, which has only the common ones. */
export const FAILURE_KIND_OF: { readonly [K in EffectKind]: FailureKind | undefined } = {
  model: 'model',
  decide: 'model',
  compact: 'model',
  tools: 'tool',
  tool: 'tool',
  retrieve: 'retrieval',
  rerank: 'retrieval',
  human: 'human',
  approve: 'human',
  code: 'code',
  wait: undefined,
  agent: 'agent',
  each: 'agent',
}
