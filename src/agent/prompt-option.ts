// What a state may give a model to read: a prompt whose variables come from the context, constant text, or a function.
// The types name every variable that the context may not hold.
import type { Content, Message, Prompt } from '../prompt/index.ts'
import type { Args, Env } from './env.ts'
import type { ModelSpec } from './spec.ts'
import type { Callback } from './view.ts'

/** The `prompt` option: a prompt, one constant user message, or a pure function of the context. */
export type PromptInput<X extends Env> = Prompt | string | ((args: Args<X>) => Content | readonly Message[])

type VarsOf<P> = P extends Prompt<infer V> ? V : { readonly [name: string]: unknown }

/** The `vars` option. */
export type VarsInput<X extends Env, P> = (args: Args<X>) => VarsOf<P>

type Accepted<C, V, K extends keyof V> = K extends keyof C ? ([C[K]] extends [V[K]] ? true : false) : undefined extends V[K] ? true : false
type Misfits<C, V> = { [K in keyof V & string]-?: Accepted<C, V, K> extends true ? never : K }[keyof V & string]

/**
 * Insists on `vars` when the context does not surely hold what a prompt needs.
 * `G` is the names of the options given: whether a function was given cannot be asked of its type, which is inferred too late.
 */
export type PromptFits<X extends Env, P, G> = 'vars' extends G
  ? unknown
  : P extends Prompt<infer V>
    ? [Misfits<X['view'], V>] extends [never]
      ? unknown
      : { readonly 'prompt variables that the context may not hold: set them in `init`, or give `vars`': Misfits<X['view'], V> }
    : unknown

/** The names of the options given, as something to infer them from. */
export type Given<G extends string> = { readonly [K in G]?: unknown }

/** Options of prompts, shared by the states that ask a model. */
export interface PromptOptions<X extends Env, P, G> {
  /** A prompt, one constant user message, or a pure function of the context to text, parts or messages. */
  readonly prompt: P & PromptFits<X, P, G>
  /** Variables of the prompt. Default: the context fields of the same names. Pure. */
  readonly vars?: VarsInput<X, P>
  /** Turns in which the model sees what was wrong with its output. Default 1. */
  readonly repairs?: number
}

/** A prompt that is the same text each time, and says which. */
export interface ConstantPrompt {
  (): string
  readonly text: string
}

/** A prompt that is always this text. */
export const constant = (text: string): ConstantPrompt => Object.assign(() => text, { text })

/** Text of a prompt that is known before any run, for cost bounds. */
export const knownText = (prompt: ModelSpec['prompt']): string => {
  if (typeof prompt === 'function') return 'text' in prompt && typeof prompt.text === 'string' ? prompt.text : ''
  return prompt.messages.map((message) => message.content).join('\n')
}

/** The prompt of a spec from what an author wrote. */
export const toPrompt = (prompt: unknown, vars: unknown): Pick<ModelSpec, 'prompt' | 'vars'> => {
  if (typeof prompt === 'string') return { prompt: constant(prompt) }
  if (typeof prompt === 'function') return { prompt: prompt as Callback<Content | readonly Message[]> }
  return { prompt: prompt as Prompt, ...(vars === undefined ? {} : { vars: vars as Callback<{ readonly [name: string]: unknown }> }) }
}
