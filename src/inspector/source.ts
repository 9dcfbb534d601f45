// What an inspector can show. The command line gives it the project's journal and agents; a program gives it its own.
import type { Agent } from '../agent/index.ts'
import type { Journal, RunRow } from '../journal/index.ts'
import type { OutsideEvent, Runtime } from '../run/index.ts'

/** Sends to runs on behalf of the person at the page. */
export interface Control {
  /** Sends an event to a run. @throws FailureError `invalid_event`, `event_not_accepted`, `run_ended`. */
  readonly send: (run: string, event: OutsideEvent, by?: string) => Promise<void>
  /** Ends a run as `cancelled`. @throws FailureError `run_not_found`. */
  readonly cancel: (run: string, reason?: string) => Promise<void>
}

/** Where runs and agents come from. */
export interface InspectorSource {
  /** Where the runs are. */
  readonly journal: Journal
  /**
   * The agent of a run, so that contexts and messages can be shown. May reject: then the message is shown and the run is
   * shown without them. Called once per run that is opened.
   */
  readonly agentOf?: (row: RunRow) => Promise<Agent | undefined>
  /** Agents to offer although they have no runs yet. Default: none. */
  readonly agents?: readonly Agent[]
  /** Values that must not be shown, as in `createRuntime({ secrets })`. Those of the environment are known anyway. Default: no others. */
  readonly secrets?: readonly string[]
  /** The runtime that drives the runs, where it is in this process: what models write is shown while they write it. Without it, only steps are. */
  readonly tokens?: Pick<Runtime, 'watch'>
  /** Without it the page cannot send anything. */
  readonly control?: Control
}
