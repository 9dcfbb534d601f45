// An agent: an ordinary XState machine together with its schemas, limits and identity. What every way of authoring
// ends in, and all that the driver needs.
import type { AnyStateMachine } from 'xstate'
import type { Schema } from '../schema/index.ts'

/** Limits of one run. A breach arrives as a typed failure where the next effect would start. */
export interface Limits {
  /** Transitions of all machines in the run. Default 200. */
  readonly transitions?: number
  /** Attempts of model calls. Default 100. */
  readonly modelCalls?: number
  /** Tool calls. Default 200. */
  readonly toolCalls?: number
  /** Input and output tokens together. No default. */
  readonly tokens?: number
  /** Cost, USD. No default. With it, a model without a known price is refused. */
  readonly costUsd?: number
  /** Active time, milliseconds; waiting for people does not count. No default. */
  readonly durationMs?: number
  /** How often the same call may give the same result in a row, cycles of up to four calls included. Default 3. */
  readonly repeat?: number
  /** Effects at work at the same time. Default 16. */
  readonly parallel?: number
}

/** How a run may go on after its agent has changed. */
export interface Migration {
  /** Hash of the agent the run was started with. */
  readonly from: string
  /** Gives the state and context to go on with. Must not throw; must be pure. */
  readonly migrate: (old: { readonly value: unknown; readonly context: { readonly [field: string]: unknown } }) => {
    readonly value: unknown
    readonly context: { readonly [field: string]: unknown }
  }
}

declare const TYPES: unique symbol

/** An agent that a runtime can start. `I` is its input, `O` its output, `E` the events it accepts. */
export interface Agent<I = unknown, O = unknown, E = unknown> {
  readonly kind: 'agent'
  /** Names the agent in runs, traces and costs: letters, digits, `_` and `-`. */
  readonly id: string
  /** The author's own version, such as `2.1.0`; shown with runs. */
  readonly version?: string
  /** Hash of the machine's structure: what a journaled run depends on. Prompt texts and function bodies are not in it. */
  readonly hash: string
  /** The structure that `hash` covers, for showing what changed. */
  readonly definition: { readonly [key: string]: unknown }
  /** The XState machine. */
  readonly machine: AnyStateMachine
  /** What `start` takes. */
  readonly input: Schema
  /** Validates context fields that change; absent when nothing does. */
  readonly context?: Schema
  /** What the outputs of final states must match; absent when anything may come out. */
  readonly output?: Schema
  /** Schemas of the declared events' payloads, by event type. */
  readonly events: { readonly [type: string]: Schema }
  /** Limits of one run. */
  readonly limits: Limits
  /** Limits over all runs of a session. */
  readonly sessionLimits?: Limits
  /** How runs of earlier versions go on. Default none. */
  readonly migrations: readonly Migration[]
  readonly [TYPES]?: { readonly input: I; readonly output: O; readonly events: E }
}

/** Any agent, types erased. */
export type AnyAgent = Agent
/** The input an agent takes. */
export type InputOf<A> = A extends Agent<infer I, infer _O, infer _E> ? I : never
/** The output an agent gives. */
export type OutputOf<A> = A extends Agent<infer _I, infer O, infer _E> ? O : never
/** The events an agent accepts. */
export type EventsOf<A> = A extends Agent<infer _I, infer _O, infer E> ? E : never
