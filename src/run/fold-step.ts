// What folding one cause gives: transitions for the journal, attempts to begin, and events for those who watch.
import type { EventObject } from 'xstate'
import type { Intent, Move, RunEnd } from '../journal/index.ts'
import type { Actor } from './actor.ts'
import type { RunEventBody } from './run-event.ts'

/** What one cause led to. */
export interface FoldStep {
  readonly moves: readonly Move[]
  readonly intents: readonly Intent[]
  readonly notices: readonly { readonly actor: string; readonly event: RunEventBody }[]
  readonly end: RunEnd | undefined
}

/** A timer of the run. */
export interface OpenTimer {
  readonly key: string
  readonly dueAt: number
}

/** An event on its way to an actor. */
export interface Delivery {
  readonly actor: Actor
  readonly event: EventObject & { readonly error?: unknown; readonly output?: unknown }
  /** Effect the event ends. */
  readonly state?: string
}
