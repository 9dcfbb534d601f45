// A state as the builder's methods return it: its kind and options as data, with the names of the states it leads to and
// a final state's output as types only. Nothing is compiled before createAgent.

declare const TO: unique symbol
declare const OUT: unique symbol

/** Kinds of state an author can write. */
export type StateKind =
  | 'model'
  | 'tools'
  | 'tool'
  | 'retrieve'
  | 'rerank'
  | 'fallback'
  | 'decide'
  | 'compact'
  | 'approve'
  | 'human'
  | 'loop'
  | 'agent'
  | 'each'
  | 'code'
  | 'choose'
  | 'wait'
  | 'group'
  | 'parallel'
  | 'region'
  | 'final'
  | 'raw'

/** A state of kind `K` that leads to the states `To`; `Out` is the output of a final state. */
export interface State<K extends StateKind = StateKind, To extends string = string, Out = unknown> {
  /** The kind of the state: what it does. */
  readonly kind: K
  /** What the author wrote. */
  readonly options: object
  readonly [TO]?: To | undefined
  readonly [OUT]?: { readonly is: Out } | undefined
}

/** States by name. Loose on purpose: with the precise type here, older compilers lose the types of callbacks' parameters. */
export interface States {
  readonly [name: string]: { readonly kind: string }
}

/** Names that a state leads to. */
export type TargetsOf<S> = S extends { readonly [TO]?: infer To } ? Extract<To, string> : never

/** Output of a final state; nothing for other states, and for failed ones without an output. */
export type FinalOutput<S> = S extends { readonly kind: 'final'; readonly [OUT]?: infer Wrapped } ? (Wrapped extends { readonly is: infer O } ? O : never) : never

/** Targets of a group's states that the group does not have itself: they are looked up around it. */
export type Escapes<S> = Exclude<TargetsOf<S[keyof S]>, keyof S>

/** Names every target that does not exist. */
export type Resolved<S> = {
  [K in keyof S]: Exclude<TargetsOf<S[K]>, keyof S> extends infer Missing ? ([Missing] extends [never] ? unknown : { readonly 'leads to a state that does not exist': Missing }) : never
}

/** Makes a state. */
export const stateOf = <K extends StateKind>(kind: K, options: object): State<K, never, never> => ({ kind, options })

/** Tells whether something is a state of the builder. */
export const isState = (value: unknown): value is State => typeof value === 'object' && value !== null && 'kind' in value && 'options' in value && typeof value.options === 'object' && value.options !== null
