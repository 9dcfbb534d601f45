// The contract between the fold and each kind of effect. An effect's logic is pure: it is opened when its state is
// entered, told of every arrival under its keys, and answers through the context. Only `perform` touches the world.
import type { Agent, CallbackArgs, EffectSpec } from '../agent/index.ts'
import type { Clock } from '../clock/index.ts'
import type { PricePort } from '../cost/index.ts'
import type { Failure, Json } from '../failure/index.ts'
import type { InboxItem, Outcome, Waiting } from '../journal/index.ts'
import type { ModelProvider } from '../model/index.ts'
import type { Prompt, ToolCall } from '../prompt/index.ts'
import type { ModelAsk } from './call/ask.ts'
import type { Budgets } from './call/budgets.ts'
import type { CallPolicies } from './call/policies.ts'
import type { Observer } from './observer.ts'
import type { AttemptCap } from './run-cap.ts'
import type { RunEventBody } from './run-event.ts'
import type { Secrets } from './secrets.ts'
import type { PendingCalls, Thread } from './thread.ts'
import type { About, FullLimits } from './usage.ts'

/** Who and what a run is; the same on every replay. */
export interface RunInfo {
  readonly id: string
  /** The run's own agent, also in its children. */
  readonly agent: string
  readonly user?: string
  readonly route?: string
  readonly tenant?: string
  readonly session?: string
  readonly seed: number
  /** Versions of prompts that are not the code's, by `versionKey`. */
  readonly versions?: ReadonlyMap<string, Prompt>
}

/** What performing an attempt may use: the impure side of a runtime. */
export interface Acting {
  readonly clock: Clock
  readonly prices: PricePort
  readonly services: { readonly [name: string]: unknown }
  readonly secrets: Secrets
  /** Who sees what runs do. */
  readonly observers: readonly Observer[]
  /** Begins to keep content under its hash, once; it is there before the entry that names it. Never throws. */
  readonly keep: (kind: string, hash: string, text: () => string) => void
  /** @throws FailureError `provider_not_found`. */
  readonly provider: (id: string) => ModelProvider
  readonly policies: CallPolicies
  /** Reads a blob that a message part names by hash, as base64. @throws FailureError `invalid_request` when there is none. */
  readonly blob: (hash: string) => Promise<string>
  readonly log: (run: string, message: string, fields?: { readonly [key: string]: Json }) => void
  readonly budgets: Budgets
}

/** What one attempt gets while it is performed. */
export interface StepIo {
  readonly acting: Acting
  /** The attempt among those of all runs: what budgets hold for it ends with its entry. */
  readonly attempt: string
  readonly signal: AbortSignal
  /** What the run may still cost, where it has a cap. */
  readonly cap?: AttemptCap
  /** Latest end of the attempt, milliseconds UTC. */
  readonly deadlineAt?: number
  /** True when somebody watches the run, so that streaming is worth it. */
  readonly watched: boolean
  readonly emit: (event: RunEventBody) => void
}

/** One attempt to perform. */
export interface StepRequest {
  /** Effect key with the call's suffix: `/acting#2:0`. */
  readonly key: string
  readonly attempt: number
  readonly state: string
  readonly kind: EffectSpec['kind']
  /** What is called: a model, a tool, a retriever. */
  readonly name: string
  readonly args?: Json
  /** After a crash between intent and result: perform again, or ask a person. */
  readonly safety: 'repeat' | 'ask'
  /** What a model is asked, for attempts that ask one. Pure; its hashes hold until the attempt has a result. */
  readonly call?: (() => ModelAsk) | undefined
  /** Latest end of the attempt, milliseconds UTC, with the failure that passing it means. */
  readonly deadline: { readonly at: number; readonly failure: Failure } | undefined
  /** Must resolve; what it throws is a defect. */
  readonly perform: (io: StepIo) => Promise<Outcome>
}

/** What an effect's logic may do. After the effect has ended, every call is ignored. */
export interface EffectContext {
  /** `/answering#2`: actor path, state, entry count. */
  readonly key: string
  /** State path within its actor. */
  readonly state: string
  readonly kind: EffectSpec['kind']
  readonly run: RunInfo
  readonly agent: Agent
  readonly limits: FullLimits
  readonly input: unknown
  /** Time of the entry being folded, milliseconds UTC. */
  readonly now: () => number
  readonly args: () => CallbackArgs<never>
  /** A number in [0, 1) that is the same on every replay. */
  readonly random: (salt: string) => number
  /** The limit that forbids the next call, if any. Counts the call when none does. */
  readonly admit: (about: About) => Failure | undefined
  /** Opens an attempt; its kind is the effect's unless another is given. */
  readonly step: (request: Omit<StepRequest, 'key' | 'state' | 'kind'> & { readonly suffix?: string; readonly kind?: StepRequest['kind'] | undefined }) => void
  readonly timer: (suffix: string, dueAt: number) => void
  readonly clearTimer: (suffix: string) => void
  /** Completes with `output`; `calls` when a model asked for tools. */
  readonly complete: (output: unknown, calls?: readonly ToolCall[]) => void
  readonly fail: (failure: Failure) => void
  /** Sends the actor a machine event. @returns false, and does nothing, when it cannot take it. */
  readonly send: (event: InboxItem['event']) => boolean
  /** Whether the actor can take an event of this type now. */
  readonly can: (event: InboxItem['event']) => boolean
  readonly notice: (event: RunEventBody) => void
  readonly noteRepeat: (what: string, args: unknown, result: unknown) => void
  /** Latest end of active time by the run's durationMs, milliseconds UTC. */
  readonly runDeadline: () => StepRequest['deadline']
  /** The newest thread of that name, made when there is none. @param isNamed true when a session is to keep it; default: when it is not the state's own. */
  readonly thread: (name: string, isNamed?: boolean) => Thread
  /** A new thread that takes over the name. */
  readonly newThread: (name: string) => Thread
  /** Leaves calls for a tools or approve state to take. */
  readonly await: (pending: PendingCalls) => void
  readonly pending: () => PendingCalls | undefined
  /** Approved calls, by hash, each to be used once. */
  readonly approved: Set<string>
  readonly startChild: (suffix: string, agent: Agent, input: unknown) => void
}

/** How a child agent ended. */
export interface ChildEnd {
  readonly outcome: 'done' | 'failed' | 'limited'
  readonly output?: unknown
  readonly failure?: Failure
}

/** An effect under way. */
export interface RunningEffect {
  /** An attempt of the step with this suffix has a result. */
  readonly attempt?: (suffix: string, attempt: number, outcome: Outcome) => void
  readonly timer?: (suffix: string) => void
  readonly child?: (suffix: string, end: ChildEnd) => void
  /** Takes an outside event. @returns undefined when it is not for this effect; a failure when it cannot be used. */
  readonly event?: (event: InboxItem['event']) => 'taken' | Failure | undefined
  /** What it waits for, when it waits for the world and not for its own work. */
  readonly waiting?: () => Omit<Waiting, 'state'>
}

/** Opens an effect: the pure half of entering its state. */
export type OpenEffect<S extends EffectSpec> = (spec: S, context: EffectContext) => RunningEffect
