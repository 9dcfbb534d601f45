// The journal's vocabulary: a run is an append-only list of entries, one for each thing that came in from outside,
// with the transitions it caused. Invariant: folding the causes again, in order, gives the same moves and hashes.
import type { Failure, Json } from '../failure/index.ts'
import type { Usage } from '../cost/index.ts'
import type { Message, PromptAssignment } from '../prompt/index.ts'
import { sha256 } from '../schema/index.ts'

/** Version of the entry format. Every version ever released stays readable. */
export const ENTRY_VERSION = 1

/** A machine's state value as XState writes it: `"asking"` or `{ "group": "asking" }`. */
export type StateValue = string | { readonly [region: string]: StateValue }

/** Paths of the innermost states of a state value, with dots: `["group.asking"]`. */
export const leavesOf = (value: StateValue, prefix = ''): readonly string[] => {
  if (typeof value === 'string') return [`${prefix}${value}`]
  return Object.entries(value).flatMap(([name, inner]) => (typeof inner === 'object' && Object.keys(inner).length === 0 ? [`${prefix}${name}`] : leavesOf(inner, `${prefix}${name}.`)))
}

/** One billed model call inside an attempt. */
export interface CallRecord {
  readonly provider: string
  /** The model asked for. */
  readonly model: string
  /** The model that answered, where it says so. */
  readonly answered?: string
  /** null when the provider reported none. */
  readonly usage: Usage | null
  /** Nano-dollars; null when the price is unknown. */
  readonly costNano: number | null
  readonly priceSource: string
  readonly latencyMs: number
  readonly firstTokenMs?: number
  readonly prompt?: string
  readonly promptHash?: string
  readonly stepHash?: string
  readonly requestHash?: string
  readonly requestId?: string
  /** Served from the cache: no tokens were billed, `savedNano` would have been. */
  readonly cached?: boolean
  readonly savedNano?: number | null
  /** Code when the call failed but was billed. */
  readonly failed?: string
  /** No usage was reported; cost and these tokens are what a budget held for the call. */
  readonly estimatedTokens?: number
}

/** One model call that was sent and failed without being billed, such as one that was turned away. */
export interface UnbilledCall extends Pick<CallRecord, 'provider' | 'model' | 'latencyMs' | 'prompt' | 'promptHash' | 'stepHash' | 'requestHash'> {
  /** Code of the failure. */
  readonly failed: string
}

/** What an attempt gave. `value` is what the effect's kind defines. */
export type Outcome = (
  | { readonly ok: true; readonly value: Json }
  | {
      readonly ok: false
      readonly failure: Failure
      /** A reply that was rejected, shown to the model in a repair turn. */
      readonly reply?: Extract<Message, { readonly role: 'assistant' }>
    }
) & {
  readonly durationMs: number
  readonly calls?: readonly CallRecord[]
  /** No part of any sum: what failed is told for each version of a prompt. */
  readonly unbilled?: readonly UnbilledCall[]
  /** Cost that a tool added by hand, nano-dollars. */
  readonly addedNano?: number
  /** What the way in to the provider decided: the wait for a turn, and whether this call probed an open circuit. */
  readonly gate?: { readonly waitedMs?: number; readonly probe?: true }
  /** A budget held the worst case of a call, which this entry settles. */
  readonly held?: true
  /** Answered from the cache, or by an equal call under way. `savedNano` is null when the price was not known. */
  readonly cached?: { readonly ageMs: number; readonly savedNano: number | null; readonly stale?: true }
}

/** Usage and time that earlier runs of a session used. */
export interface Carried {
  readonly transitions: number
  readonly modelCalls: number
  readonly toolCalls: number
  readonly tokens: number
  readonly costNano: number
  readonly durationMs: number
}

/** The first cause of every run. */
export interface StartCause {
  readonly type: 'start'
  /** The agent as it was then. */
  readonly agent: {
    readonly id: string
    readonly version?: string
    readonly hash: string
    /** Content hash of the agent's structure. */
    readonly definition?: string
  }
  /** The agent's input. */
  readonly input: Json
  /** Whom the run is for. */
  readonly user?: string
  /** The part of the product that asked. */
  readonly route?: string
  /** The customer it belongs to. */
  readonly tenant?: string
  /** The session it is part of. */
  readonly session?: string
  /** Seed of the run's random numbers. */
  readonly seed: number
  /** Which engine drives the run; others leave it alone. */
  readonly engine: string
  /** The run waits in the queue: its machine begins with the `resumed` entry that takes it up. */
  readonly queued?: true
  /** Named threads inherited from the previous run of the session: content hashes. */
  readonly threads?: { readonly [name: string]: string }
  /** What earlier runs of the session used, for `sessionLimits`. */
  readonly carried?: Carried
  /** The version of each prompt that the run uses, by the prompt's id. Kept to its end. */
  readonly prompts?: { readonly [id: string]: PromptAssignment }
  /** W3C `traceparent` of the trace in which the run began. */
  readonly trace?: string
  /** The run and the entry that a fork begins from. */
  readonly forkedFrom?: { readonly run: string; readonly seq: number }
}

/** Where a run stands, apart from its machine: what a migration takes over. */
export interface Standing {
  readonly value: StateValue
  readonly context: { readonly [field: string]: Json }
  readonly used: Carried & { readonly inputTokens: number; readonly outputTokens: number; readonly costUnknown: boolean }
  readonly visits: { readonly [state: string]: number }
  /** Entries by invoke, so that effect keys stay unique. */
  readonly entries: { readonly [id: string]: number }
  /** Next position in the inbox. */
  readonly inbox: number
  readonly threads: { readonly [name: string]: readonly Message[] }
}

/** The run goes on under a changed agent, from where a migration puts it. Entries before it belong to the old agent. */
export interface MigratedCause {
  readonly type: 'migrated'
  /** The agent from here on. */
  readonly agent: StartCause['agent']
  /** Versions from here on. */
  readonly prompts?: StartCause['prompts']
  /** Where its migration put it. */
  readonly standing: Standing
}

/** Why the run moved. */
export type Cause =
  | StartCause
  | { readonly type: 'attempt'; readonly key: string; readonly attempt: number; readonly outcome: Outcome }
  | { readonly type: 'timer'; readonly key: string }
  | { readonly type: 'event'; readonly n: number; readonly event: { readonly type: string; readonly [field: string]: Json }; readonly by?: string }
  /** A process took the run up again; `doubt` names effects that may or may not have happened. */
  | { readonly type: 'resumed'; readonly doubt?: readonly string[] }
  | MigratedCause

/** One transition of one actor. */
export interface Move {
  /** Path of the actor: empty for the run's own machine, `/research#1` for a child. */
  readonly actor: string
  /** Type of the machine event. */
  readonly event: string
  /** The state reached. */
  readonly value: StateValue
  /** Short hashes of the top-level context fields that changed. */
  readonly changed?: { readonly [field: string]: string }
  /** Failure code the event carried. */
  readonly failed?: string
}

/** An effect attempt that begins once this entry is durable. */
export interface Intent {
  readonly key: string
  readonly attempt: number
}

/** How a run ended. */
export interface RunEnd {
  readonly outcome: 'done' | 'failed' | 'limited' | 'cancelled'
  readonly output?: Json
  readonly failure?: Failure
  /** True when a bug, not an expected failure, stopped the run. */
  readonly defect?: true
  /** What the next run of the session starts from: content hashes of named threads, and what was used so far. */
  readonly session?: { readonly threads: { readonly [name: string]: string }; readonly carried: Carried }
}

/** What an entry says. */
export interface EntryBody {
  readonly v: typeof ENTRY_VERSION
  /** What came in: a start, a result, an event, a timer. */
  readonly cause: Cause
  /** Transitions that it caused, in order. */
  readonly moves: readonly Move[]
  /** Effects that start next. Written before they are performed. */
  readonly intents?: readonly Intent[]
  /** How the run ended, in its last entry. */
  readonly end?: RunEnd
}

/** An entry as it is stored. */
export interface Entry {
  /** Position in the run, from 0. */
  readonly seq: number
  /** Milliseconds UTC. */
  readonly at: number
  /** Chain hash: 32 hexadecimal characters over the previous hash, `seq`, `at` and the body's text. */
  readonly hash: string
  /** What happened. */
  readonly body: EntryBody
}

/** An entry with its body's exact text, which is what the hash covers. */
export interface StoredEntry {
  readonly seq: number
  readonly at: number
  readonly hash: string
  readonly text: string
}

/** Hash before the first entry. */
export const CHAIN_START = ''

/** The next hash of a chain. */
export const chainHash = (previous: string, seq: number, atMs: number, text: string): string => sha256(`${previous}\n${seq}\n${atMs}\n${text}`).slice(0, 32)
