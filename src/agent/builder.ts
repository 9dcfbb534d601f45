// `setupAgent`: what an agent has to work with, said once; it gives the methods that make the agent's states. The types
// carry everything that was set up, so that a wrong name, target, route or field does not compile.
import { fieldNames, toJsonSchema, type Infer, type Schema } from '../schema/index.ts'
import type { Reranker, Retriever, Tool } from '../tool/index.ts'
import type { Agent, Limits, Migration } from './agent.ts'
import type { Setup } from './build.ts'
import { checkParts, checkSetupOptions } from './checks/parts.ts'
import { compile, type ContextFactory, type Definition } from './compile.ts'
import { createAgent } from './create.ts'
import type { Accepts, DeepReadonly, Env, EventSchemas, EventsFrom, FieldsOf, ViewOf } from './env.ts'
import { toModelRef, unresolvedModel, type Models } from './model-ref.ts'
import { refuseProblems, type Problem } from './problem.ts'
import type { ModelRef } from './spec.ts'
import { stateOf, type FinalOutput, type Resolved, type States } from './state.ts'
import type { ApproveMethod } from './states/approve.ts'
import type { AgentMethod, EachMethod } from './states/child.ts'
import type { ChooseMethod } from './states/choose.ts'
import type { CodeMethod, WaitMethod } from './states/code.ts'
import type { CompactMethod } from './states/compact.ts'
import type { DecideMethod, HumanMethod } from './states/events.ts'
import type { FallbackMethod } from './states/fallback.ts'
import type { FinalMethod } from './states/final.ts'
import type { GroupMethod, ParallelMethod, RegionMethod } from './states/group.ts'
import type { LoopMethod } from './states/loop.ts'
import type { ModelMethod } from './states/model.ts'
import type { RawMethod } from './states/raw.ts'
import type { RerankMethod, RetrieveMethod } from './states/retrieval.ts'
import type { ToolMethod, ToolsMethod } from './states/tools.ts'
import { buildMachine } from './xstate.ts'

type OutputsFit<S, O> = unknown extends O
  ? unknown
  : {
      [K in keyof S]: [FinalOutput<S[K]>] extends [DeepReadonly<O>] ? unknown : { readonly "the output of this final state does not match the agent's output schema": O }
    }

type HasDefault<D> = [D] extends [string] ? { readonly [K in D]: unknown } : unknown

type OutputIs<S, O> = unknown extends O ? FinalOutput<S[keyof S]> : O

/** Makes states, and an agent of them. */
export interface Builder<X extends Env> {
  /** Calls a model; completes with the validated output, or with the tool calls it asked for. */
  readonly model: ModelMethod<X>
  /** Performs the calls a model asked for, answering each one. */
  readonly tools: ToolsMethod<X>
  /** Performs one call the author decided. */
  readonly tool: ToolMethod<X>
  /** Finds documents. */
  readonly retrieve: RetrieveMethod<X>
  /** Orders documents by how well they answer. */
  readonly rerank: RerankMethod<X>
  /** Tries alternatives in order: models, and at last perhaps a fixed value. */
  readonly fallback: FallbackMethod<X>
  /** Lets a model pick exactly one of the events that are legal now. */
  readonly decide: DecideMethod<X>
  /** Shortens a conversation that grew too long, so that it can go on. */
  readonly compact: CompactMethod<X>
  /** Waits until a person has approved, edited or rejected the calls that are pending. */
  readonly approve: ApproveMethod<X>
  /** Waits for one of the declared events. */
  readonly human: HumanMethod<X>
  /** A model that works with tools until it answers. */
  readonly loop: LoopMethod<X>
  /** Runs a child agent. */
  readonly agent: AgentMethod<X>
  /** Runs a child agent for each item. */
  readonly each: EachMethod<X>
  /** Runs an author's function; its result is journaled. */
  readonly code: CodeMethod<X>
  /** Decides by conditions; performs nothing. */
  readonly choose: ChooseMethod<X>
  /** Lets time pass. */
  readonly wait: WaitMethod<X>
  /** States inside a state. */
  readonly group: GroupMethod<X>
  /** Regions side by side. */
  readonly parallel: ParallelMethod<X>
  /** One of the regions of a parallel state. */
  readonly region: RegionMethod
  /** Ends the agent, or the group it stands in. */
  readonly final: FinalMethod<X>
  /** Any XState state node. */
  readonly raw: RawMethod<X>
  /**
   * Checks the states together and makes the agent.
   * @throws FailureError `agent_invalid`, listing every problem with its state and what to do.
   */
  createAgent<const S extends States>(definition: {
    /** The state that a run begins in. */
    readonly initial: NoInfer<keyof S & string>
    /** States by name: letters, digits, `_` and `-`. */
    readonly states: S & Resolved<S> & HasDefault<X['onFailure']> & OutputsFit<S, X['output']>
  }): Agent<X['input'], OutputIs<S, X['output']>, X['events']>
}

/** What an agent has to work with. */
export interface AgentSetup<I extends Schema, C extends Schema, N extends keyof FieldsOf<Infer<C>>> {
  /** Names the agent in runs, traces and costs: letters, digits, `_` and `-`. */
  readonly id: string
  /** Your own version, such as `2.1.0`; shown with runs. Default: none. */
  readonly version?: string
  /** What `start` takes. Fields of an object are context fields; anything else is the field `input`. */
  readonly input: I
  /** Fields that states may save. Default: those of the input. */
  readonly context?: C
  /** Sets context fields when a run begins, so that callbacks find them. Pure. Default: they are not set until a state saves them. */
  readonly init?: (args: { readonly input: Infer<I> }) => Pick<FieldsOf<Infer<C>>, N>
  /** Limits of one run. Default: see {@link Limits}. */
  readonly limits?: Limits
  /** Limits over all runs of a session. Default: none. */
  readonly sessionLimits?: Limits
  /** How runs of earlier versions go on. Default: they are refused as `definition_changed`. */
  readonly migrations?: readonly Migration[]
}

/** Parts by the author's names for them. */
interface Parts<M, T, R, K, A, V, O, D> {
  /** Models: `provider/model`, or with parameters and a price. */
  readonly models: M
  /** Tools that models may call and states may perform, by name. Default: none. */
  readonly tools?: T
  /** Retrievers for `t.retrieve`, by name. Default: none. */
  readonly retrievers?: R
  /** Rerankers for `t.rerank`, by name. Default: none. */
  readonly rerankers?: K
  /** Child agents for `t.agent` and `t.each`, by name. Default: none. */
  readonly agents?: A
  /** Events from outside that states may wait for: a schema of the payload for each. Others are refused. Default: none. */
  readonly events?: V
  /** What every final state's output must match. Default: anything. */
  readonly output?: O
  /** The state that failures lead to unless a state routes them itself. Without it every state must route all of its failures. */
  readonly onFailure?: D
}

type EnvOf<I extends Schema, C extends Schema, N extends keyof FieldsOf<Infer<C>>, M, T, R, K, A, V, O, D> = {
  readonly input: Accepts<I>
  readonly context: FieldsOf<Infer<C>>
  readonly view: ViewOf<FieldsOf<Infer<I>>, FieldsOf<Infer<C>>, N>
  readonly models: keyof M & string
  readonly tools: T
  readonly retrievers: keyof R & string
  readonly rerankers: keyof K & string
  readonly agents: A
  readonly events: EventsFrom<V>
  readonly onFailure: D
  readonly output: O extends Schema ? Infer<O> : unknown
}

/** A setup with its types erased. */
export type ErasedSetup = AgentSetup<Schema, Schema, never> & Parts<Models, Setup['tools'], Setup['retrievers'], Setup['rerankers'], Setup['agents'], EventSchemas, Schema, string>

const describesObject = (schema: { readonly [key: string]: unknown }): boolean => {
  const parts = [schema['anyOf'], schema['oneOf'], schema['allOf']].find(Array.isArray) as readonly { readonly [key: string]: unknown }[] | undefined
  return schema['type'] === 'object' || parts?.every(describesObject) === true
}

/** Whether an input's fields become context fields; undefined when its schema does not tell. */
const isObjectSchema = (schema: Schema): boolean | undefined => {
  try {
    return describesObject(toJsonSchema(schema, 'input'))
  } catch {
    return undefined
  }
}

const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null && !Array.isArray(value)

const contextFactory = ({ input: schema, init }: ErasedSetup): ContextFactory => {
  let spreads: boolean | undefined | 'unknown' = 'unknown'
  return (input) => {
    if (input === undefined) return {}
    if (spreads === 'unknown') spreads = isObjectSchema(schema)
    return { ...((spreads ?? isRecord(input)) ? (input as object) : { input }), ...init?.({ input }) }
  }
}

const resolveModels = (models: Models, problems: Problem[]): { readonly [alias: string]: ModelRef } =>
  Object.fromEntries(
    Object.entries(models).map(([alias, definition]) => {
      const ref = toModelRef(alias, definition)
      if (typeof ref === 'string') problems.push({ state: '', problem: ref })
      return [alias, typeof ref === 'string' ? unresolvedModel(alias) : ref]
    }),
  )

/**
 * Compiles, checks and makes an agent.
 * @param known what the caller knows: context fields that no schema says, problems it found.
 * @throws FailureError `agent_invalid` with every problem.
 */
export const finishAgent = (setup: ErasedSetup, definition: Definition, known: { readonly fields: readonly string[]; readonly problems: readonly Problem[] } = { fields: ['input'], problems: [] }): Agent => {
  const problems: Problem[] = [...known.problems, ...checkSetupOptions(setup)]
  const unusable = checkParts(setup)
  if (unusable.length > 0) refuseProblems(setup.id, [...problems, ...unusable])
  const context = setup.context ?? (isObjectSchema(setup.input) === true ? setup.input : undefined)
  const { id, version, tools = {}, retrievers = {}, rerankers = {}, agents = {}, events = {}, onFailure } = setup
  const fields = context === undefined ? known.fields : fieldNames(context)
  const compiled = compile({ id, models: resolveModels(setup.models ?? {}, problems), tools, retrievers, rerankers, agents, events, fields, onFailure }, version, definition, contextFactory(setup))
  return createAgent({ ...setup, context, events }, () => buildMachine(compiled), { problems: [...problems, ...compiled.problems], lost: compiled.lost })
}

/**
 * Begins an agent: says what it has to work with and gives the builder of its states.
 *
 * @example
 * const t = setupAgent({ id: 'echo', models: { fast: 'openai/gpt-5-mini' }, input: z.object({ text: z.string() }) })
 * const echo = t.createAgent({
 *   initial: 'answering',
 *   states: {
 *     answering: t.model('fast', { prompt: ({ context }) => context.text, onDone: 'done', onError: { '*': 'failed' } }),
 *     done: t.final(),
 *     failed: t.final({ outcome: 'failed' }),
 *   },
 * })
 */
export const setupAgent = <
  I extends Schema,
  const M extends Models,
  C extends Schema = I,
  N extends keyof FieldsOf<Infer<C>> = never,
  T extends { readonly [name: string]: Tool } = {},
  R extends { readonly [name: string]: Retriever } = {},
  K extends { readonly [name: string]: Reranker } = {},
  A extends { readonly [name: string]: Agent } = {},
  V extends EventSchemas = {},
  O extends Schema | undefined = undefined,
  const D extends string | undefined = undefined,
>(
  setup: AgentSetup<I, C, N> & Parts<M, T, R, K, A, V, O, D>,
): Builder<EnvOf<I, C, N, M, T, R, K, A, V, O, D>> => {
  const erased = setup as unknown as ErasedSetup
  const builder = {
    model: (model: unknown, options: object) => stateOf('model', { ...options, model }),
    tools: (options: object) => stateOf('tools', options),
    tool: (name: unknown, options: object) => stateOf('tool', { ...options, name }),
    retrieve: (name: unknown, options: object) => stateOf('retrieve', { ...options, name }),
    rerank: (name: unknown, options: object) => stateOf('rerank', { ...options, name }),
    fallback: (alternatives: unknown, options: object) => stateOf('fallback', { ...options, alternatives }),
    decide: (model: unknown, options: object) => stateOf('decide', { ...options, model }),
    compact: (model: unknown, options: object) => stateOf('compact', { ...options, model }),
    approve: (options: object) => stateOf('approve', options),
    human: (options: object) => stateOf('human', options),
    loop: (model: unknown, options: object) => stateOf('loop', { ...options, model }),
    agent: (name: unknown, options: object) => stateOf('agent', { ...options, name }),
    each: (name: unknown, options: object) => stateOf('each', { ...options, name }),
    code: (options: object) => stateOf('code', options),
    choose: (options: object) => stateOf('choose', options),
    wait: (options: object) => stateOf('wait', options),
    group: (options: object) => stateOf('group', options),
    parallel: (options: object) => stateOf('parallel', options),
    region: (options: object) => stateOf('region', options),
    final: (options: object = {}) => stateOf('final', options),
    raw: (config: object) => stateOf('raw', config),
    createAgent: (definition: Definition) => finishAgent(erased, definition),
  }
  return builder as never
}
