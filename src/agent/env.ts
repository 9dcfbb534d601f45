// The types a builder knows about the agent it builds, inferred once by setupAgent and carried as one parameter, so that
// no author ever writes a type argument.
import type { Infer, Schema } from '../schema/index.ts'
import type { Tool } from '../tool/index.ts'
import type { Agent } from './agent.ts'
import type { CallbackArgs } from './view.ts'

/** What a builder knows. */
export interface Env {
  /** What callers pass to `start`. */
  readonly input: unknown
  /** Fields that states may save. */
  readonly context: object
  /** Fields that callbacks see: the input's, and the context's where they may be set. */
  readonly view: object
  readonly models: string
  readonly tools: { readonly [name: string]: Tool }
  readonly retrievers: string
  readonly rerankers: string
  readonly agents: { readonly [name: string]: Agent }
  /** Union of the declared events. */
  readonly events: { readonly type: string }
  /** The default failure route. */
  readonly onFailure: string | undefined
  /** The type that final outputs must have, or `unknown`. */
  readonly output: unknown
}

/** Shows an intersection as one object. */
export type Simplify<T> = { [K in keyof T]: T[K] } & {}

/** The type a schema takes, before defaults and transforms. */
export type Accepts<S> = S extends { readonly '~standard': { readonly types?: { readonly input: infer I } | undefined } } ? I : never

/** Fields of an object; anything else is one field called `input`. */
export type FieldsOf<T> = [T] extends [readonly unknown[]] ? { input: T } : [T] extends [object] ? T : { input: T }

/** What callbacks see: input fields, fields that `init` sets, and the rest of the context, which may not be set yet. */
export type ViewOf<I, C, Set extends keyof C> = Simplify<I & Pick<C, Set> & Partial<C>>

/** Schemas of events' payloads, by event type. */
export interface EventSchemas {
  readonly [type: string]: Schema
}

// zod says "an object without fields" as a record whose every field is `never`, `type` among them.
type Payload<P> = string extends keyof P ? unknown : P

/** Declared events as a union of `{ type } & payload`. */
export type EventsFrom<V> = { [K in keyof V & string]: V[K] extends Schema ? Simplify<{ readonly type: K } & Payload<Infer<V[K]>>> : never }[keyof V & string]

/** What callbacks of a state get. */
export type Args<X extends Env> = CallbackArgs<X['view']>

/** What callbacks get once the effect has an output. */
export type DoneArgs<X extends Env, O> = Args<X> & { readonly output: O }

/** What a tool takes. */
export type ToolInput<T> = T extends Tool<infer I, infer _O> ? I : never
/** What a tool gives. */
export type ToolOutput<T> = T extends Tool<infer _I, infer O> ? O : never

/** The same data, not to be changed. What `const` inference makes of a literal fits it. */
export type DeepReadonly<T> = T extends readonly (infer U)[] ? readonly DeepReadonly<U>[] : T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T
