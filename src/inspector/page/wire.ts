// What the server and the page say to each other: plain JSON, versioned by being shipped together. A run, and an XState
// machine watched from outside, look the same here.
import type { Drawing } from './drawing.ts'

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** The parts of a JSON Schema that a form is made of. */
export interface JsonSchema {
  readonly type?: Json
  readonly description?: string
  readonly properties?: { readonly [name: string]: JsonSchema }
  readonly required?: readonly string[]
  readonly enum?: readonly Json[]
  readonly const?: Json
  readonly anyOf?: readonly JsonSchema[]
}

/** Something that is wrong with a value that was sent. */
export interface Problem {
  /** `items[2].name`; empty for the value itself. */
  readonly path: string
  readonly message: string
}

/** A call that a person decides. */
export interface PendingCall {
  readonly hash: string
  readonly name: string
  readonly args: Json
  /** False when they are too long to be shown whole, and so to be changed. */
  readonly editable: boolean
  /** What the arguments must be; absent when the agent is not at hand. */
  readonly schema?: JsonSchema
}

/** What a run waits for. */
export interface Wait {
  readonly for: 'event' | 'approval' | 'timer' | 'in_doubt'
  readonly state: string
  readonly show?: Json
  readonly accepts: readonly string[]
  readonly calls?: readonly PendingCall[]
  /** What the payloads of accepted events must be, by type; absent when the agent is not at hand. */
  readonly payloads?: { readonly [type: string]: JsonSchema }
  readonly keys?: readonly string[]
  /** Milliseconds UTC. */
  readonly dueAt?: number
}

/** A run as lists show it. */
export interface RunSummary {
  readonly id: string
  /** `xstate` for a machine that reports through the official protocol. */
  readonly from: 'run' | 'xstate'
  readonly agent: string
  readonly version?: string
  readonly status: 'queued' | 'running' | 'waiting' | 'done' | 'failed' | 'limited' | 'cancelled'
  /** Milliseconds UTC. */
  readonly startedAt: number
  readonly updatedAt: number
  readonly state: string
  readonly steps: number
  readonly user?: string
  readonly route?: string
  readonly session?: string
  readonly modelCalls: number
  readonly toolCalls: number
  readonly inputTokens: number
  readonly outputTokens: number
  /** null when a price is unknown. */
  readonly costUsd: number | null
  readonly failureCode?: string
  readonly waiting?: readonly Wait[]
}

/** What the page shows first. */
export interface Overview {
  readonly runs: readonly RunSummary[]
  /** Agents that have runs or were named. */
  readonly agents: readonly string[]
  /** True when the page may send events. */
  readonly control: boolean
  /** Run or runs to open at once, or `agent:<id>`. */
  readonly open: readonly string[]
  /** True when each new run is opened as it starts. */
  readonly live: boolean
  /** Where machines that use the official inspector report to; absent when nothing listens. */
  readonly reportTo?: string
}

/** One billed call. */
export interface Call {
  readonly model: string
  readonly inputTokens: number
  readonly outputTokens: number
  readonly costUsd: number | null
  readonly latencyMs: number
  readonly firstTokenMs?: number
  readonly cached?: boolean
}

/** Something that happened in a step. `type` is that of a run event: `state.entered`, `attempt.ended` … */
export interface Happening {
  readonly type: string
  /** Path of the machine: empty for the run's own. */
  readonly actor: string
  readonly [field: string]: Json
}

/** A message of a conversation. */
export interface ShownMessage {
  readonly role: 'system' | 'user' | 'assistant' | 'tool'
  readonly text: string
  readonly calls?: readonly { readonly id: string; readonly name: string; readonly args: Json }[]
  /** For tool results: which call they answer. */
  readonly name?: string
  readonly callId?: string
  readonly failed?: string
}

/** What a step changed in one machine. */
export interface ActorChange {
  readonly path: string
  readonly name: string
  /** Position of its drawing; -1 when there is none. */
  readonly drawing: number
  /** Paths of all states it is in. */
  readonly active: readonly string[]
  /** Context fields with new values. */
  readonly set?: { readonly [field: string]: Json }
  readonly unset?: readonly string[]
  /** Messages that were added. */
  readonly added?: readonly { readonly thread: string; readonly id: string; readonly messages: readonly ShownMessage[] }[]
  /** True when it ended. */
  readonly gone?: true
}

/** One step: what came in and what it did. */
export interface Step {
  readonly seq: number
  /** Milliseconds UTC. */
  readonly at: number
  /** What came in, in a few words. */
  readonly cause: string
  readonly happenings: readonly Happening[]
  readonly changes: readonly ActorChange[]
  readonly calls?: readonly Call[]
  /** Result of the attempt that came in. */
  readonly outcome?: Json
}

/** One attempt of a call that is under way. */
export interface LiveAttempt {
  readonly number: number
  /** Its words so far, the last ones of many. */
  readonly text: string
  /** A structured output as far as it can be read. */
  readonly partial?: Json
  /** True when another attempt takes its place. */
  readonly discarded: boolean
}

/** A model call under way. */
export interface LiveCall {
  readonly key: string
  readonly state: string
  /** `openai/gpt-5-mini`. */
  readonly name: string
  readonly attempts: readonly LiveAttempt[]
}

/** A message on the stream of a run. */
export type StreamMessage =
  | { readonly type: 'head'; readonly run: RunSummary; readonly notes: readonly string[] }
  | { readonly type: 'drawing'; readonly index: number; readonly drawing: Drawing }
  | { readonly type: 'steps'; readonly steps: readonly Step[] }
  /** All model calls under way; none when the last one is over. */
  | { readonly type: 'live'; readonly calls: readonly LiveCall[] }
  /** Steps before `first` are no longer kept. */
  | { readonly type: 'gap'; readonly first: number }
  | { readonly type: 'end' }

/** Figures of a state over many runs. */
export interface StateFigures {
  readonly visits: number
  readonly failures: number
  /** Codes with counts, most frequent first. */
  readonly codes: readonly (readonly [string, number])[]
  readonly p50Ms: number
  readonly p95Ms: number
  readonly totalMs: number
  readonly costUsd: number
  readonly tokens: number
}

/** Figures of a transition over many runs: of the visits that it ended. */
export interface EdgeFigures {
  readonly count: number
  /** Part of all ways out of its state, 0 to 1. */
  readonly share: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly costUsd: number
}

/** Many runs of one agent on one chart. */
export interface Aggregate {
  readonly agent: string
  readonly runs: number
  /** Runs that were left out, because they belong to another version of the agent or cannot be read. */
  readonly skipped: number
  readonly drawing?: Drawing
  readonly states: { readonly [path: string]: StateFigures }
  /** By the id of the transition. */
  readonly edges: { readonly [id: string]: EdgeFigures }
  readonly outcomes: { readonly [status: string]: number }
}

/** A step of either run, or of both where they agree. */
export interface Pair {
  readonly left?: number
  readonly right?: number
  /** What differs although the way is the same: `context.answer`, `cost` … */
  readonly differs: readonly string[]
  readonly text: string
}

/** Two runs side by side. */
export interface Comparison {
  readonly left: RunSummary
  readonly right: RunSummary
  readonly pairs: readonly Pair[]
  /** Position in `pairs` of the first difference; -1 when there is none. */
  readonly first: number
  /** Position in `pairs` of the first step that only one run took; -1 when both went the same way. */
  readonly parts: number
  /** The first difference in words. */
  readonly says: string
}
