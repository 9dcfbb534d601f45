// The language-model interface of the Vercel AI SDK as far as it is used here, in its versions 2 to 4. Invariant: nothing of
// the SDK is imported, so any model object of that shape works, whatever version of the SDK it comes with.
// @see https://ai-sdk.dev/docs/reference/ai-sdk-core/language-model-v2

/** A model object; what its methods take and give is read by version. */
export interface AiSdkModel {
  /** `v2`, `v3` or `v4`. */
  readonly specificationVersion: string
  /** Such as `anthropic.messages`. */
  readonly provider: string
  /** Such as `claude-sonnet-4-5`. */
  readonly modelId: string
  /** Asks for a whole reply. */
  doGenerate(options: never): PromiseLike<unknown>
  /** Asks for a reply in pieces. */
  doStream(options: never): PromiseLike<unknown>
}

/** A provider object: it makes model objects by name. */
export interface AiSdkProvider {
  /** Makes a model object. */
  languageModel(modelId: string): AiSdkModel
}

/** Bytes or an address of a file part: wrapped in version 4, bare before. */
export type FileData = string | URL | { readonly type: 'data'; readonly data: string } | { readonly type: 'url'; readonly url: URL }

/** A message of a prompt. */
export interface PromptMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly content: string | readonly { readonly type: string; readonly [field: string]: unknown }[]
}

/** What a model object is called with. */
export interface CallOptions {
  readonly prompt: readonly PromptMessage[]
  readonly maxOutputTokens?: number
  readonly temperature?: number
  readonly topP?: number
  readonly stopSequences?: readonly string[]
  readonly responseFormat?: { readonly type: string; readonly schema?: object; readonly name?: string }
  readonly tools?: readonly { readonly type: string; readonly name: string; readonly description?: string; readonly inputSchema?: object }[]
  readonly toolChoice?: { readonly type: string; readonly toolName?: string }
  readonly reasoning?: string
  readonly providerOptions?: { readonly [provider: string]: unknown }
  readonly abortSignal?: AbortSignal
}
