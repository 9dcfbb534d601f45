// The contract between the runtime and whoever answers model calls. A provider performs one attempt of one call:
// it never retries, never runs tools, and reports every expected fault as a typed failure.
import type { Json } from '../failure/index.ts'
import type { Usage, Price } from '../cost/index.ts'
import type { Message } from '../prompt/index.ts'
import type { TimeoutPolicy } from '../policy/index.ts'
import type { JsonSchema } from '../schema/index.ts'

/** A tool as a model sees it. */
export interface ToolSchema {
  /** Its name: letters, digits, `_` and `-`. */
  readonly name: string
  /** What it does and when to use it, for the model. */
  readonly description: string
  /** JSON Schema of the arguments. */
  readonly parameters: JsonSchema
  /** The provider is to hold the model's arguments to the schema. Default: as the provider does by itself. */
  readonly strict?: boolean
}

/** Sampling and size parameters. */
export interface ModelParams {
  /** Most tokens of a reply, those of reasoning included. Default 4,096. */
  readonly maxOutputTokens?: number
  /** How freely words are chosen; 0 is least. Default: the provider's. */
  readonly temperature?: number
  /** Share of likely words to choose from, 0 to 1. Default: the provider's. */
  readonly topP?: number
  /** Texts at which the model stops. Default none. */
  readonly stop?: readonly string[]
  /** How much the model reasons, in the provider's words: `low`, `medium`, `high`. Default: the provider's. */
  readonly reasoningEffort?: string
  /** How much a model says, where it can be told: `low`, `medium`, `high`. Default: the provider's. */
  readonly verbosity?: string
}

/** One call of a model, rendered. Everything that decides the answer, and nothing else. */
export interface ModelRequest {
  /** The model's name as its provider knows it, without the provider prefix. */
  readonly model: string
  /** The conversation, oldest first. */
  readonly messages: readonly Message[]
  /** Tools that the model may ask for. */
  readonly tools?: readonly ToolSchema[]
  /** `{ name }` insists on that tool. */
  readonly toolChoice?: 'auto' | 'required' | 'none' | { readonly name: string }
  /** The schema that the final text must match, as the wire carries it; an empty one stands for any JSON object. */
  readonly output?: {
    readonly name: string
    readonly schema: JsonSchema
    readonly description?: string
    /** Default true: the provider is to hold the model to the schema. */
    readonly strict?: boolean
  }
  /** Size and sampling; the size is always known. */
  readonly params: ModelParams & { readonly maxOutputTokens: number }
  /** Passed to the provider as it is. */
  readonly providerOptions?: { readonly [key: string]: Json }
}

/** A piece of a streaming reply. */
export type ModelDelta =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'reasoning'; readonly text: string }
  | { readonly type: 'call'; readonly index: number; readonly name?: string; readonly args: string }

/** A complete reply. */
export interface ModelReply {
  /** What the model said, and the tools it asks for. */
  readonly message: Extract<Message, { readonly role: 'assistant' }>
  /** Why the model stopped, in one vocabulary. */
  readonly finish: 'stop' | 'tool_calls' | 'length' | 'content_filter'
  /** The model's own words of refusal, where the provider marks them. */
  readonly refusal?: string
  /** null when the provider reported none. */
  readonly usage: Usage | null
  /** The model that answered, as the provider names it. */
  readonly model: string
  /** The provider's id of the request. */
  readonly requestId?: string
}

/** What a provider's headers say about its limits; a field is absent where the provider does not say. */
export interface RateLimits {
  /** Requests that a window allows. */
  readonly limitRequests?: number
  /** Requests that are left in it. */
  readonly remainingRequests?: number
  /** Until the request window is full again, milliseconds. */
  readonly resetRequestsMs?: number
  /** Tokens that a window allows. */
  readonly limitTokens?: number
  /** Tokens that are left in it. */
  readonly remainingTokens?: number
  /** Until the token window is full again, milliseconds. */
  readonly resetTokensMs?: number
}

/** What a provider gets beside the request. */
export interface ModelIo {
  /** Aborts the attempt. */
  readonly signal: AbortSignal
  /** Time limits of this attempt, milliseconds. */
  readonly timeouts: Required<TimeoutPolicy>
  /** Given when somebody listens; called for each piece in order. Must not throw. */
  readonly onDelta?: (delta: ModelDelta) => void
  /** Identifies the attempt, for logs and idempotency headers. */
  readonly key: string
  /** Reads a blob that a message part names by hash, as base64. Without it such a part fails as `invalid_request`. */
  readonly blob?: (hash: string) => Promise<string>
  /** Called when the headers of a reply, successful or not, state limits. Must not throw. */
  readonly onRateLimits?: (limits: RateLimits) => void
}

/** Answers model calls. */
export interface ModelProvider {
  /** The prefix in `provider/model`. */
  readonly id: string
  /** Base URL, for breakers and prices; undefined for a provider in this process. */
  readonly baseUrl?: string
  /** Keys that it uses, to be kept out of everything that is written down. Must not throw. */
  readonly secrets?: () => readonly string[]
  /** What the provider itself charges; used before any price table. */
  readonly price?: Price
  /**
   * Performs one attempt.
   * @throws ModelCallError with a typed failure, and the usage where the provider billed.
   */
  call(request: ModelRequest, io: ModelIo): Promise<ModelReply>
  /** Embeds texts; absent where the provider cannot. @throws as `call`. */
  embed?(
    request: { readonly model: string; readonly texts: readonly string[]; /** Passed to the provider as it is. */ readonly providerOptions?: { readonly [key: string]: Json } },
    io: ModelIo,
  ): Promise<{ readonly vectors: readonly (readonly number[])[]; readonly usage: Usage | null }>
}
