// Actor sources for machines written with XState's own `setup()`: each carries an effect that a Stateloop runtime
// performs. What the effect works on comes from `invoke.input`; what it gives is `event.output` in `onDone`.
import { fail } from '../failure/index.ts'
import type { Content, Message, Prompt } from '../prompt/index.ts'
import { formatIssues, validate, type Infer, type Schema } from '../schema/index.ts'
import type { Document, Reranker, Retriever, Tool } from '../tool/index.ts'
import type { Agent, InputOf, OutputOf } from './agent.ts'
import { toModelRef, type ModelDefinition, type ModelName } from './model-ref.ts'
import { constant } from './prompt-option.ts'
import { effectSource, type EffectSource } from './source.ts'
import type { ApproveSpec, CodeContext, DecideSpec, EffectSpec, ModelRef, ModelSpec } from './spec.ts'
import type { AttemptOptions, CacheOptions, CallOptions, StateOptions } from './states/options.ts'
import type { CallbackArgs } from './view.ts'

type Fields = { readonly [field: string]: unknown }
type Options = Omit<AttemptOptions, 'description'>
type LookupOptions = Options & CacheOptions
type ModelCallOptions = Omit<CallOptions, 'description'> & CacheOptions
type FewOptions = Omit<StateOptions, 'description'>

/** What callbacks of a source get. */
export type SourceArgs<I> = Omit<CallbackArgs<Fields>, 'input'> & {
  /** What the machine passes as `invoke.input`. */
  readonly input: I
}

/** What a model source gives: nothing when the model asked for tools instead. */
export type ModelOutput<O, T> = [keyof T] extends [never] ? O : O | undefined

const inputOf = (args: CallbackArgs<never>): unknown => args.input

/** A callback that sees its input validated. */
const checked = <R>(schema: Schema | undefined, callback: (args: never) => R): ((args: CallbackArgs<never>) => R) => {
  if (schema === undefined) return (args) => callback(args as never)
  return (args) => {
    const result = validate(schema, args.input)
    if (!result.ok) return fail('invalid_input', `The input of an invoked actor does not match its schema: ${formatIssues(result.issues)}. Correct invoke.input.`)
    return callback({ ...(args as object), input: result.value } as never)
  }
}

const common = ({ maxVisits, retry, timeout, cache, breaker, limiter }: ModelCallOptions): ModelCallOptions => ({
  ...(maxVisits === undefined ? {} : { maxVisits }),
  ...(retry === undefined ? {} : { retry }),
  ...(timeout === undefined ? {} : { timeout }),
  ...(cache === undefined ? {} : { cache }),
  ...(breaker === undefined ? {} : { breaker }),
  ...(limiter === undefined ? {} : { limiter }),
})

const refOf = (model: ModelName | ModelDefinition): ModelRef => {
  const name = typeof model === 'string' ? model : model.model
  const ref = toModelRef(name, model)
  return typeof ref === 'string' ? fail('agent_invalid', ref) : ref
}

const source = <O, I>(effect: EffectSpec): EffectSource<O, I> => effectSource<O, I>(effect)

/** Options of `fromModel`. */
export interface FromModel<S, I extends Schema, T> extends ModelCallOptions {
  /** `provider/model`, or with parameters and a price. */
  readonly model: ModelName | ModelDefinition
  /** A prompt, one constant user message, or a pure function of the input. */
  readonly prompt: Prompt | string | ((args: SourceArgs<Infer<I>>) => Content | readonly Message[])
  /** Variables of the prompt. Default: fields of the input or context of the same names. Pure. */
  readonly vars?: (args: SourceArgs<Infer<I>>) => Fields
  /** What `invoke.input` must be. Default: it is not checked. */
  readonly input?: I
  /** What the reply must be. Default: its text. */
  readonly output?: S
  /** Tools the model may call, by name. Route them with `calledTools` before anything else in `onDone`. Default: none. */
  readonly tools?: T
  /** Name of a thread to go on with. Default: a new one, unless the run comes back from `fromTools`. */
  readonly thread?: string
  /** Turns in which the model sees what was wrong with its output. Default 1. */
  readonly repairs?: number
}

/** Actor source that calls a model. @throws FailureError `agent_invalid` for a model that is not `provider/model`. */
export const fromModel = <S extends Schema = Schema<string>, I extends Schema = Schema, const T extends { readonly [name: string]: Tool } = {}>(
  options: FromModel<S, I, T>,
): EffectSource<ModelOutput<Infer<S>, T>, Infer<I>> => {
  const { prompt, vars, output, thread, repairs = 1 } = options
  return source({
    kind: 'model',
    model: refOf(options.model),
    prompt: typeof prompt === 'string' ? constant(prompt) : typeof prompt === 'function' ? checked(options.input, prompt) : prompt,
    ...(vars === undefined ? {} : { vars: checked(options.input, vars) }),
    ...(output === undefined ? {} : { output }),
    tools: options.tools ?? {},
    ...(thread === undefined ? {} : { thread }),
    repairs,
    ...common(options),
  } satisfies ModelSpec)
}

/** Options of `fromDecide`. */
export interface FromDecide<I extends Schema> extends Omit<ModelCallOptions, 'cache'> {
  /** `provider/model`, or with parameters and a price. */
  readonly model: ModelName | ModelDefinition
  /** A prompt, one constant user message, or a pure function of the input. */
  readonly prompt: Prompt | string | ((args: SourceArgs<Infer<I>>) => Content | readonly Message[])
  /** Variables of the prompt. Default: fields of the input or context of the same names. Pure. */
  readonly vars?: (args: SourceArgs<Infer<I>>) => Fields
  /** What `invoke.input` must be. Default: it is not checked. */
  readonly input?: I
  /** Events to choose from, which the state takes in `on`. Those that its guards do not allow now are not offered. */
  readonly events: { readonly [type: string]: { /** What taking it means; the model reads this. */ readonly description?: string; readonly payload?: Schema } }
  /** Turns in which the model sees what was wrong with its choice. Default 1. */
  readonly repairs?: number
}

const noPayload = { type: 'object', properties: {}, required: [], additionalProperties: false }
/** The payload of an event that has none. */
const emptyPayload: Schema = { '~standard': { version: 1, vendor: 'stateloop', validate: () => ({ value: {} }), jsonSchema: { input: () => noPayload, output: () => noPayload } } } as Schema

/**
 * Actor source that lets a model pick exactly one of the events that are legal now, and sends it. It ends when the state is left, so it has
 * no output: `onError` is all it needs beside `on`.
 * @throws FailureError `agent_invalid` for a model that is not `provider/model`.
 */
export const fromDecide = <I extends Schema = Schema>(options: FromDecide<I>): EffectSource<never, Infer<I>> => {
  const { prompt, vars, repairs = 1 } = options
  const events = Object.entries(options.events).map(([type, { description = '', payload = emptyPayload }]) => [type, { description, payload }] as const)
  return source({
    kind: 'decide',
    model: refOf(options.model),
    prompt: typeof prompt === 'string' ? constant(prompt) : typeof prompt === 'function' ? checked(options.input, prompt) : prompt,
    ...(vars === undefined ? {} : { vars: checked(options.input, vars) }),
    events: Object.fromEntries(events),
    repairs,
    ...common(options),
  } satisfies DecideSpec)
}

/** Actor source that performs the calls a model asked for, answering each one. */
export const fromTools = (
  options: FewOptions & {
    /** Tools that it may perform, by name; usually those of the `fromModel` before it. */
    readonly tools: { readonly [name: string]: Tool }
    /** How many calls at once. Default 4. */
    readonly parallel?: number
  },
): EffectSource => source({ kind: 'tools', tools: options.tools, parallel: options.parallel ?? 4, ...common(options) })

/** Actor source that performs one call of a tool; `invoke.input` is its arguments. */
export const fromTool = <I, O>(
  options: LookupOptions & {
    /** Names the tool in traces, costs and journals. */
    readonly name: string
    /** What is called. */
    readonly tool: Tool<I, O>
  },
): EffectSource<O, I> => source({ kind: 'tool', name: options.name, tool: options.tool as Tool, args: inputOf, ...common(options) })

/** Actor source that finds documents; `invoke.input` is `{ query }`. */
export const fromRetriever = (
  options: LookupOptions & {
    /** Names the retriever in traces, costs and journals. */
    readonly name: string
    /** What is searched. */
    readonly retriever: Retriever
    /** Most documents to find. Default 10. */
    readonly k?: number
  },
): EffectSource<Document[], { readonly query: string }> =>
  source({
    kind: 'retrieve',
    name: options.name,
    retriever: options.retriever,
    query: (args) => (inputOf(args) as { readonly query: string }).query,
    k: options.k ?? 10,
    ...common(options),
  })

/** Actor source that orders documents; `invoke.input` is `{ query, documents }`. */
export const fromReranker = (
  options: LookupOptions & {
    /** Names the reranker in traces, costs and journals. */
    readonly name: string
    /** What orders them. */
    readonly reranker: Reranker
    /** How many of the best to keep. Default 3. */
    readonly k?: number
  },
): EffectSource<Document[], { readonly query: string; readonly documents: readonly Document[] }> =>
  source({
    kind: 'rerank',
    name: options.name,
    reranker: options.reranker,
    query: (args) => (inputOf(args) as { readonly query: string }).query,
    documents: (args) => (inputOf(args) as { readonly documents: readonly Document[] }).documents,
    k: options.k ?? 3,
    ...common(options),
  })

/** Options of `fromCode`. */
export interface FromCode<I extends Schema, O> extends Options {
  /** Runs once per attempt; may be asynchronous and may throw. What it returns must be JSON. */
  readonly run: (args: SourceArgs<Infer<I>>, context: CodeContext) => O | Promise<O>
  /** What `invoke.input` must be. Default: it is not checked. */
  readonly input?: I
  /** Validates the result. Default: any JSON passes. */
  readonly output?: Schema<NoInfer<O>>
  /** Set when running twice under one key happens once. Default false. */
  readonly idempotent?: boolean
}

/** Actor source that runs an author's function; its result is journaled. */
export const fromCode = <O, I extends Schema = Schema>(options: FromCode<I, O>): EffectSource<O, Infer<I>> => {
  const { run, input, output, idempotent = false } = options
  const call = (args: CallbackArgs<never>, context: CodeContext): unknown => checked(input, (seen: SourceArgs<Infer<I>>) => run(seen, context))(args)
  return source({ kind: 'code', run: call, ...(output === undefined ? {} : { output }), idempotent, ...common(options) })
}

/** Actor source that waits for one of the events that the state takes in `on`; it only ever ends by `expired`. */
export const fromHuman = <I = unknown>(
  options: FewOptions & {
    /** Types of the events that the state takes in `on`. */
    readonly accepts: readonly string[]
    /** What the person is shown. Pure. Default: nothing. */
    readonly show?: (args: SourceArgs<I>) => unknown
    /** How long to wait before `expired`, milliseconds. Default: for ever. */
    readonly expiresMs?: number
  },
): EffectSource<never, I> => {
  const { accepts, show, expiresMs } = options
  return source({
    kind: 'human',
    accepts,
    ...(show === undefined ? {} : { show: show as never }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    ...common(options),
  })
}

/** Actor source that waits until a person has approved, edited or rejected each pending call. */
export const fromApproval = <I = unknown>(
  options: FewOptions & {
    /** Tools whose calls need a decision, by name; calls of others pass. */
    readonly tools: { readonly [name: string]: Tool }
    /** What the person is shown beside the calls. Pure. Default: nothing. */
    readonly show?: (args: SourceArgs<I>) => unknown
    /** How long to wait before `expired`, milliseconds. Default: for ever. */
    readonly expiresMs?: number
  },
): EffectSource<'approved' | 'rejected', I> => {
  const { tools, show, expiresMs } = options
  const spec: ApproveSpec = {
    kind: 'approve',
    tools,
    ...(show === undefined ? {} : { show: show as never }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    ...common(options),
  }
  return source(spec)
}

/** Actor source that lets time pass. */
export const fromWait = (
  options: FewOptions & {
    /** How long, milliseconds. */
    readonly ms: number
  },
): EffectSource<undefined> => source({ kind: 'wait', ms: () => options.ms, ...common(options) })

/** Actor source that runs a child agent in the same journal; `invoke.input` is its input. */
export const fromAgent = <A extends Agent>(
  options: FewOptions & {
    /** The child. */
    readonly agent: A
  },
): EffectSource<OutputOf<A>, InputOf<A>> => source({ kind: 'agent', agent: options.agent, input: inputOf, ...common(options) })

/** Actor source that runs a child agent for each item; `invoke.input` is `{ items }`. */
export const fromEach = <A extends Agent>(
  options: FewOptions & {
    /** The child. */
    readonly agent: A
    /** How many children at once. Default 4. */
    readonly concurrency?: number
    /** More items than this fail with `loop_limit`. Default 100. */
    readonly maxItems?: number
  },
): EffectSource<OutputOf<A>[], { readonly items: readonly InputOf<A>[] }> =>
  source({
    kind: 'each',
    agent: options.agent,
    items: (args) => (inputOf(args) as { readonly items: readonly unknown[] }).items,
    concurrency: options.concurrency ?? 4,
    maxItems: options.maxItems ?? 100,
    ...common(options),
  })
