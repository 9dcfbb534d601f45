// A caller's grip on one run: watch it, await its outcome, send it events. It outlives the process's turn at driving.
import type { InboxItem } from '../journal/index.ts'
import type { RunEvent } from './run-event.ts'
import type { RunOutcome } from './outcome.ts'

/** An event as callers send it. */
export type OutsideEvent = InboxItem['event']

/** A run as its caller holds it. `O` is the agent's output, `E` the events it declares. */
export interface RunHandle<O = unknown, E = OutsideEvent> extends AsyncIterable<RunEvent> {
  /** The run's id, a UUIDv7. */
  readonly id: string
  /** False when `key` named a run that already existed. */
  readonly created: boolean
  /**
   * Resolves when the run has ended or waits for the world; call it again after sending an event.
   * @throws FailureError `lease_lost`, `lease_held`, `journal_unavailable`, `draining`: the run is intact, resume it.
   */
  readonly outcome: () => Promise<RunOutcome<O>>
  /**
   * Sends a declared event, or APPROVE, EDIT, REJECT or RESOLVE.
   * @throws FailureError `invalid_event`, `event_not_accepted`, `run_ended`.
   */
  readonly send: (event: E | OutsideEvent, by?: string) => Promise<void>
  /** Cancels the run; running effects are aborted. */
  readonly cancel: (reason?: string) => Promise<void>
}
