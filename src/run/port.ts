// The one port between driver and durability: perform a step until its outcome is durable, set a timer, take outside
// events in order, and select which pending thing came first. Every engine implements these; rows look the same everywhere.
import type { Settlement } from '../cost/index.ts'
import type { Cause } from '../journal/index.ts'
import type { FoldStep, OpenTimer } from './fold-step.ts'
import type { StepRequest } from './effect.ts'
import type { RowUpdate } from '../journal/index.ts'

/** The next thing that came in from outside. */
export interface Arrival {
  readonly cause: Cause
  /** Milliseconds UTC, never before the previous arrival. */
  readonly at: number
}

/** What a transition leaves behind. */
export interface Commit {
  readonly arrival: Arrival
  readonly step: FoldStep
  readonly row: RowUpdate
  /** What the arrival settles, when anybody was billed or anything was held. */
  readonly settlement: Settlement | undefined
}

/** What an engine does for one run. */
export interface DurablePort {
  /** Makes an attempt pending. It is performed at most once per process, after the commit that intended it. */
  readonly step: (request: StepRequest) => void
  /** Makes a timer pending: absolute, so that it survives the process. */
  readonly timer: (timer: OpenTimer) => void
  /** Makes the outside event at this position pending. */
  readonly inbox: (n: number) => void
  /** Forgets a pending step or timer; a running step is aborted. */
  readonly drop: (key: string) => void
  /** The first pending thing to arrive; the same sequence on every replay. Undefined when `mayPark` and nothing is there yet. */
  readonly select: (mayPark: boolean) => Promise<Arrival | undefined>
  /** Makes an arrival and what it led to durable. @throws FailureError `lease_lost`, `journal_unavailable`. */
  readonly commit: (commit: Commit) => Promise<void>
}
