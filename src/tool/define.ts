// Makers of tools, retrievers and rerankers: they fill in defaults and check at once what types cannot.
import { fail } from '../failure/index.ts'
import type { CachePolicy, RetryPolicy } from '../policy/index.ts'
import { toJsonSchema, type Schema } from '../schema/index.ts'
import type { Reranker, Retriever, Tool, ToolContext, ToolEffect } from './tool.ts'

/** What an author says about a tool. */
export interface ToolDefinition<I, O> {
  /** What the tool does and when to use it; the model reads this. */
  readonly description: string
  /** What the model's arguments must match; `run` gets what it makes of them. */
  readonly input: Schema<I>
  /** Validates the result; without it any JSON passes. */
  readonly output?: Schema<O>
  /** What it does to the world. Default `none`. An irreversible call needs an approval. */
  readonly effect?: ToolEffect
  /** Set when the tool honours `context.key`. Default false, which for a tool with an effect means: ask after a crash. */
  readonly idempotent?: boolean
  /** How long an attempt may take, milliseconds. Default 30,000. */
  readonly timeoutMs?: number
  /** Largest result as JSON, bytes; a larger one fails as `result_too_large`. Default 262,144. */
  readonly maxResultBytes?: number
  /** Set when the same call with the same result is legitimate waiting, not a loop. Default false. */
  readonly polling?: boolean
  /** How long an equal call gets the same result. Only for tools without an effect. Default: each call is performed. */
  readonly cache?: CachePolicy
  /** When and how often a failed attempt is tried again. Default: one attempt. */
  readonly retry?: RetryPolicy
  /** Performs a call; may be asynchronous. What it throws is `tool_failed`; what it returns must be JSON. */
  readonly run: (input: NoInfer<I>, context: ToolContext) => NoInfer<O> | Promise<NoInfer<O>>
}

/**
 * Defines a tool: what a model may ask for, and the function that does it.
 * @throws FailureError `agent_invalid` when the input schema cannot be shown to a model, or a tool with an effect has a cache.
 */
export const defineTool = <I, O = unknown>(definition: ToolDefinition<I, O>): Tool<I, O> => {
  const schema = toJsonSchema(definition.input, 'tool input')
  if (schema['type'] !== 'object') fail('agent_invalid', `The input schema of a tool must describe an object, this one describes ${JSON.stringify(schema['type'] ?? 'no type')}. Wrap it: z.object({ value: … }).`)
  const { effect = 'none', cache } = definition
  if (cache !== undefined && effect !== 'none') fail('agent_invalid', `A tool whose effect is ${effect} cannot have a cache: a call answered from it would not happen. Leave cache out.`)
  return {
    kind: 'tool',
    description: definition.description,
    input: definition.input,
    output: definition.output,
    effect,
    idempotent: definition.idempotent ?? false,
    timeoutMs: definition.timeoutMs ?? 30_000,
    maxResultBytes: definition.maxResultBytes ?? 262_144,
    polling: definition.polling ?? false,
    retry: definition.retry ?? { attempts: 1 },
    cache,
    run: definition.run,
  }
}

/** Defines a retriever for `t.retrieve`: a function that finds documents. Default time limit 10,000 ms, two attempts. */
export const defineRetriever = (definition: Pick<Retriever, 'search'> & Partial<Pick<Retriever, 'timeoutMs' | 'retry' | 'version'>>): Retriever => ({
  kind: 'retriever',
  timeoutMs: definition.timeoutMs ?? 10_000,
  retry: definition.retry ?? { attempts: 2 },
  version: definition.version ?? '1',
  search: definition.search,
})

/** Defines a reranker for `t.rerank`: a function that orders documents. Default time limit 10,000 ms, two attempts. */
export const defineReranker = (definition: Pick<Reranker, 'rank'> & Partial<Pick<Reranker, 'timeoutMs' | 'retry' | 'version'>>): Reranker => ({
  kind: 'reranker',
  timeoutMs: definition.timeoutMs ?? 10_000,
  retry: definition.retry ?? { attempts: 2 },
  version: definition.version ?? '1',
  rank: definition.rank,
})
