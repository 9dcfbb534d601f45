// The port through which traces, logs and metrics see the runs at work in this process. Invariant: an observer only
// looks; a run that nobody observes makes no call for it.
import type { Agent } from '../agent/index.ts'
import type { Outcome, StartCause } from '../journal/index.ts'
import type { RunInfo, StepRequest } from './effect.ts'
import type { RunEvent } from './run-event.ts'

/** A run that begins or goes on in this process. */
export interface ObservedRun {
  /** Who the run is for, and what it belongs to. */
  readonly info: RunInfo
  /** The agent that it runs. */
  readonly agent: Agent
  /** What it was started with. */
  readonly start: StartCause
  /** True when another process, or an earlier life of this one, had it before. */
  readonly resumed: boolean
}

/** Sees one run from here until it ends, waits or is let go. Its functions must not throw. */
export interface RunObserver {
  /** Called with each event in order; those of a step once the step is durable, deltas as they happen. */
  readonly event: (event: RunEvent) => void
  /** Performs one attempt by calling `work` exactly once, in whatever context its inner calls should see. */
  readonly perform?: (request: StepRequest, work: () => Promise<Outcome>) => Promise<Outcome>
  /** The run is no longer at work here. */
  readonly released?: (how: 'ended' | 'parked' | 'stopped') => void
}

/** Sees runs. */
export interface Observer {
  /**
   * Called in the caller's context before a new run is journaled. What it gives, a W3C `traceparent`, is kept as
   * `start.trace`, so that later lives of the run can refer to it. Must not throw; the run may still not come to be.
   */
  readonly begin?: (run: Pick<ObservedRun, 'info' | 'agent'>) => string | undefined
  /** Called in the caller's context when a run begins or goes on here. Undefined leaves the run alone. Must not throw. */
  readonly run: (run: ObservedRun) => RunObserver | undefined
  /** Called when the runtime closes, after the last run was released. */
  readonly close?: () => Promise<void>
}

/** Several observers of one run as one; undefined when nobody looks. */
export const observersOf = (observers: readonly Observer[], run: ObservedRun): RunObserver | undefined => {
  const all = observers.flatMap((observer) => observer.run(run) ?? [])
  const [only] = all
  if (all.length <= 1) return only
  return {
    event: (event) => {
      for (const one of all) one.event(event)
    },
    perform: (request, work) => all.reduceRight((inner, one) => (one.perform === undefined ? inner : () => one.perform?.(request, inner) ?? inner()), work)(),
    released: (how) => {
      for (const one of all) one.released?.(how)
    },
  }
}
