// Model calls without a machine to write: each is a run of one state, so policies, cache, limits, prices, hashes, traces and
// replay apply to it as to any other. Invariant: a call resolves with an outcome; it throws only for what callers got wrong.
import { callAgent, suggest, type Agent, type CallAgentPolicies, type CallInput, type Limits, type ModelDefinition, type ModelName, type Models, type PassThrough } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import { memoryJournal } from '../journal/index.ts'
import type { Content, Message, Prompt } from '../prompt/index.ts'
import { defined, type Infer, type Schema } from '../schema/index.ts'
import type { RunHandle } from './handle.ts'
import type { RunOutcome } from './outcome.ts'
import type { StartOptions } from './prepare-start.ts'
import { createRuntime, type Runtime, type RuntimeOptions } from './runtime.ts'

/** What a client is made of: a runtime's parts, and the models by name. */
export interface ClientOptions<M extends Models> extends RuntimeOptions {
  /** Models by the names that calls use. */
  readonly models: M
  /** Ended calls that the journal in memory remembers, where no other journal is given. Default 1,000. */
  readonly keepCalls?: number
}

/** Who a call is for, and how it is found again. */
type CallStart = Pick<StartOptions, 'user' | 'route' | 'tenant' | 'session' | 'key' | 'stream' | 'onBusy'>

type ModelOf<M extends Models> = (keyof M & string) | ModelName | ModelDefinition

/** What is said to the model: a prompt with its variables, one user message, or messages. */
type Said<P> = P extends Prompt<infer V> ? { readonly prompt: P } & (Partial<V> extends V ? { readonly vars?: V } : { readonly vars: V }) : { readonly prompt: P & (Content | readonly Message[]); readonly vars?: never }

/** One call of a model by a client. */
export type Call<M extends Models, P, S extends Schema> = Said<P> &
  CallAgentPolicies &
  CallStart & {
    /** A name from `models`, `provider/model`, or a model with parameters. */
    readonly model: ModelOf<M>
    /** What the reply must be. Default: its text. */
    readonly output?: S
    /** What to do instead when the model fails, in order: other models, an old answer from the cache, a fixed value. */
    readonly fallback?: readonly (ModelOf<M> | { readonly stale: true } | { readonly value: NoInfer<Infer<S>> })[]
    /** Names the call in traces and costs: letters, digits, `_` and `-`. Default `call`. */
    readonly name?: string
    readonly limits?: Limits
  }

/** A reply as the model gave it: text, calls of tools, or both. */
export interface Completion {
  /** What the model said, and the tools it asks for. */
  readonly message: Extract<Message, { readonly role: 'assistant' }>
  /** Why it stopped: `length` means at its output limit. */
  readonly finish: 'stop' | 'tool_calls' | 'length'
}

/** A request that a caller has made up itself; tools are not performed, only asked for. */
export interface CompletionRequest<M extends Models> extends PassThrough, CallAgentPolicies, CallStart {
  /** A name from `models`, `provider/model`, or a model with parameters. */
  readonly model: ModelOf<M>
  /** The conversation, oldest first. */
  readonly messages: readonly Message[]
  /** Other models to ask, in order, when this one fails. */
  readonly fallback?: readonly ModelOf<M>[]
  /** Names the call in traces and costs. Default `completion`. */
  readonly name?: string
  /** Limits of the call. Default: see {@link Limits}. */
  readonly limits?: Limits
}

/** Calls models. */
export interface Client<M extends Models> extends AsyncDisposable {
  /**
   * Calls a model and waits for the outcome.
   * @throws FailureError `agent_invalid` for a call that is not well formed, `journal_unavailable`, `draining`.
   */
  call<P, S extends Schema = Schema<string>>(call: Call<M, P, S>): Promise<RunOutcome<Infer<S>>>
  /** Calls a model and gives the run at once, to watch its tokens. @throws as `call`. */
  start<P, S extends Schema = Schema<string>>(call: Call<M, P, S>): Promise<RunHandle<Infer<S>>>
  /** Passes a caller's own request through, as a proxy does: the same policies, the reply as it is. @throws as `call`. */
  complete(request: CompletionRequest<M>): Promise<RunHandle<Completion>>
  /** The runtime behind it: its runs, circuits and journal. */
  readonly runtime: Runtime
  /** Takes no new calls, waits for those at work, and lets go of files. */
  close(): Promise<void>
}

interface ErasedCall extends CallAgentPolicies, StartOptions {
  readonly model: string | ModelDefinition
  readonly request?: PassThrough
  readonly prompt: Prompt | Content | readonly Message[]
  readonly vars?: unknown
  readonly output?: Schema
  readonly fallback?: readonly (string | ModelDefinition | { readonly stale: true } | { readonly value: unknown })[]
  readonly name?: string
  readonly limits?: Limits
}

const isPrompt = (prompt: ErasedCall['prompt']): prompt is Prompt => typeof prompt === 'object' && 'kind' in prompt && prompt.kind === 'prompt'
const isMessages = (prompt: Content | readonly Message[]): prompt is readonly Message[] => typeof prompt !== 'string' && prompt.every((item) => 'role' in item)

const inputOf = ({ prompt, vars, request }: ErasedCall): CallInput => {
  if (isPrompt(prompt)) return vars === undefined ? {} : { vars }
  return {
    ...(request === undefined ? {} : { request }),
    messages: isMessages(prompt) ? prompt : [{ role: 'user', content: prompt }],
  }
}

/** Different shapes of calls that are remembered; more are made again each time. */
const MOST_SHAPES = 1_000

/** Agents by the shape of the call, so that each is compiled and checked once. */
const agentsOf = (models: Models) => {
  const numbers = new WeakMap<object, number>()
  const made = new Map<string, Agent<CallInput>>()
  let next = 0
  const numberOf = (value: object | undefined): number => {
    if (value === undefined) return 0
    const number = numbers.get(value) ?? ++next
    numbers.set(value, number)
    return number
  }
  const named = (call: ErasedCall): { readonly models: Models; readonly alternatives: readonly (string | { readonly stale: true } | { readonly value: unknown })[] } => {
    const own: { [alias: string]: Models[string] } = { ...models }
    const nameOf = (model: string | ModelDefinition): string => {
      if (typeof model === 'string' && Object.hasOwn(models, model)) return model
      if (typeof model === 'string' && !model.includes('/')) return fail('agent_invalid', `'${model}' is neither one of the models of this client nor 'provider/model'.${suggest(model, Object.keys(models))}`)
      const name = typeof model === 'string' ? model : `${model.model}#${Object.keys(own).length}`
      own[name] = model as Models[string]
      return name
    }
    const alternatives = [call.model, ...(call.fallback ?? [])].map((alternative) => (typeof alternative === 'object' && ('stale' in alternative || 'value' in alternative) ? alternative : nameOf(alternative)))
    return { models: own, alternatives }
  }
  return (call: ErasedCall): Agent<CallInput> => {
    const { name = 'call', request, prompt, output, limits, model, fallback, retry, timeout, cache, breaker, limiter, repairs } = call
    const policies = defined({ retry, timeout, cache, breaker, limiter, repairs, limits, output })
    const key = JSON.stringify([name, request !== undefined, numberOf(isPrompt(prompt) ? prompt : undefined), numberOf(output), model, fallback, { ...policies, output: undefined }])
    const known = made.get(key)
    if (known !== undefined) return known
    const agent = callAgent({ id: name, ...named(call), ...(isPrompt(prompt) ? { prompt } : {}), ...policies, passThrough: request !== undefined })
    if (made.size >= MOST_SHAPES) made.clear()
    made.set(key, agent)
    return agent
  }
}

/**
 * Makes a client: typed, priced, traced and journaled model calls, for a team that keeps its own loop.
 *
 * @example
 * const ai = client({ models: { fast: 'openai/gpt-5-mini' }, providers: [openai()] })
 * const outcome = await ai.call({ model: 'fast', prompt: 'Say hello.', user: 'ada', route: '/greet' })
 */
export const client = <const M extends Models>({ models, keepCalls = 1_000, ...options }: ClientOptions<M>): Client<M> => {
  const runtime = createRuntime({ ...options, journal: options.journal ?? memoryJournal({ ...(options.clock === undefined ? {} : { clock: options.clock }), keepEnded: keepCalls }) })
  const agentOf = agentsOf(models)
  const start = (call: ErasedCall): Promise<RunHandle> => {
    const { user, route, tenant, session, key, stream, onBusy } = call
    return runtime.start(agentOf(call), inputOf(call), defined({ user, route, tenant, session, key, stream, onBusy }))
  }
  const close = (): Promise<void> => runtime.close()
  return {
    runtime,
    start: async (call) => (await start(call as never)) as never,
    call: async (call) => (await (await start(call as never)).outcome()) as never,
    complete: async ({ messages, tools, toolChoice, output, params, providerOptions, name = 'completion', ...call }) => {
      const request = defined({ tools, toolChoice, output, params, providerOptions })
      return (await start({ ...call, name, prompt: messages, request } as never)) as never
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
