// `agent`: a model, its tools and the loop between them, in ten lines. It is the builder's own states, so `ejectAgent`
// can print them and an author can go on from there.
import { createPrompt, escapeTags, type Content, type Message, type Prompt } from '../prompt/index.ts'
import type { BreakerPolicy, CachePolicy, LimiterPolicy, RetryPolicy, TimeoutPolicy } from '../policy/index.ts'
import { defined, type Infer, type Schema } from '../schema/index.ts'
import type { Tool } from '../tool/index.ts'
import type { Agent, Limits, Migration } from './agent.ts'
import { finishAgent, type ErasedSetup } from './builder.ts'
import type { ModelDefinition, ModelName } from './model-ref.ts'
import { suggest } from './nearest.ts'
import { placeOf } from './prompts.ts'
import { stateOf } from './state.ts'
import { inputSchema, textSchema } from './text-schema.ts'
import type { CallbackArgs } from './view.ts'

/** Turns of the loop when nothing is said. */
export const MAX_TURNS = 16

/** What a one-shot agent is made of. Its context has the fields `input` and, once there is one, `answer`. */
export interface OneShot<T, S> {
  /** Names the agent in runs, traces and costs: letters, digits, `_` and `-`. */
  readonly id: string
  /** Your own version, such as `2.1.0`; shown with runs. Default: none. */
  readonly version?: string
  /** `provider/model`, or with parameters and a price. */
  readonly model: ModelName | ModelDefinition
  /** Instructions, followed by the input as the user's message; or a prompt of the variable `input`, or a pure function. */
  readonly prompt: string | Prompt<{ readonly input: string }> | ((args: CallbackArgs<{ readonly input: string }>) => Content | readonly Message[])
  /** Tools by name. Default: none, which makes it a single model call. */
  readonly tools?: T
  /** What the answer must be. Default: its text. */
  readonly output?: S
  /** Tools whose calls a person must approve, beside those that cannot be undone. Default: none. */
  readonly approve?: readonly NoInfer<keyof T & string>[]
  /** How long an approval may take before the run fails with `expired`, milliseconds. Default: for ever. */
  readonly expiresMs?: number
  /** How often the model may be asked before `loop_limit`. Default 16. */
  readonly maxVisits?: number
  /** How many calls at once. Default 4. */
  readonly parallel?: number
  /** When and how often a failed model call is tried again. Default: 3 attempts of retryable failures. */
  readonly retry?: RetryPolicy
  /** Time limits of a model call, milliseconds. Default: see {@link TimeoutPolicy}. */
  readonly timeout?: TimeoutPolicy
  /** How long an equal request gets the same answer. Default: each call is performed. */
  readonly cache?: CachePolicy
  /** Default: the runtime's; `false` for none. */
  readonly breaker?: BreakerPolicy | false
  /** Default: the runtime's; `false` for none. */
  readonly limiter?: LimiterPolicy | false
  /** Limits of one run. Default: see {@link Limits}. */
  readonly limits?: Limits
  /** Limits over all runs of a session. Default: none. */
  readonly sessionLimits?: Limits
  /** How runs of earlier versions go on. Default none. */
  readonly migrations?: readonly Migration[]
}

/** A definition with its types erased. */
export type ErasedOneShot = OneShot<{ readonly [name: string]: Tool }, Schema>

const definitions = new WeakMap<Agent, ErasedOneShot>()

/** What a one-shot agent was made from; undefined for every other agent. */
export const oneShotOf = (made: Agent): ErasedOneShot | undefined => definitions.get(made)

/** Names of tools whose calls lead to an approval, in the author's order. */
export const approvedTools = ({ tools = {}, approve = [] }: ErasedOneShot): readonly string[] =>
  Object.keys(tools).filter((name) => tools[name]?.effect === 'irreversible' || (approve as readonly string[]).includes(name))

const instructions = (id: string, text: string): Prompt =>
  createPrompt({
    id: placeOf(id, 'answering'),
    vars: inputSchema,
    messages: [
      { role: 'system', content: escapeTags(text) },
      { role: 'user', content: '{{input}}' },
    ],
  })

const statesOf = (definition: ErasedOneShot): { readonly [name: string]: object } => {
  const { id, prompt, output, retry, timeout, cache, breaker, limiter, expiresMs, parallel, maxVisits = MAX_TURNS, tools = {} } = definition
  const names = Object.keys(tools)
  const approved = approvedTools(definition)
  const onTools = approved.length === 0 ? 'acting' : { ...Object.fromEntries(approved.map((name) => [name, 'approving'])), '*': 'acting' }
  return {
    answering: stateOf('model', {
      model: 'model',
      prompt: typeof prompt === 'string' ? instructions(id, prompt) : prompt,
      save: 'answer',
      maxVisits,
      onDone: 'done',
      ...defined({ output, retry, timeout, cache, breaker, limiter }),
      ...(names.length === 0 ? {} : { tools: names, onTools }),
    }),
    ...(approved.length === 0 ? {} : { approving: stateOf('approve', { tools: approved, onApproved: 'acting', onRejected: 'answering', ...defined({ expiresMs }) }) }),
    ...(names.length === 0 ? {} : { acting: stateOf('tools', { onDone: 'answering', ...defined({ parallel }) }) }),
    done: stateOf('final', { output: ({ context }: { readonly context: { readonly answer: unknown } }) => context.answer }),
    failed: stateOf('final', { outcome: 'failed' }),
  }
}

/**
 * Makes an agent that answers text, working with tools until it has an answer: answering ⇄ acting → done | failed, with
 * an approval before calls that cannot be undone.
 *
 * @example
 * const weather = agent({ id: 'weather', model: 'openai/gpt-5-mini', prompt: 'Answer questions about the weather.', tools: { getWeather } })
 * @throws FailureError `agent_invalid`, listing every problem and what to do.
 */
export const agent = <const T extends { readonly [name: string]: Tool } = {}, S extends Schema = Schema<string>>(definition: OneShot<T, S>): Agent<string, Infer<S>, never> => {
  const erased = definition as unknown as ErasedOneShot
  const { id, model, tools = {}, approve = [] } = erased
  const setup: ErasedSetup = {
    id,
    models: { model },
    tools,
    input: textSchema,
    onFailure: 'failed',
    ...defined({ version: erased.version, limits: erased.limits, sessionLimits: erased.sessionLimits, migrations: erased.migrations }),
  }
  const unknown = (approve as readonly string[]).filter((name) => !Object.hasOwn(tools, name))
  const made = finishAgent(
    setup,
    { initial: 'answering', states: statesOf(erased) },
    {
      fields: ['input', 'answer'],
      problems: unknown.map((name) => ({ state: '', problem: `approve names '${name}', which is not one of the tools.${suggest(name, Object.keys(tools))}` })),
    },
  )
  definitions.set(made, erased)
  return made as Agent<string, Infer<S>, never>
}
