// What the server needs to know of anything that can be watched: a journaled run, or an XState machine that reports from
// outside. Invariant: steps are numbered without holes, and a step once given never changes.
import type { Drawing } from '../page/drawing.ts'
import type { RunSummary, Step } from '../page/wire.ts'

/** Something to watch. */
export interface Feed {
  readonly run: RunSummary
  /** What the user should know, such as that the agent could not be loaded. */
  readonly notes: readonly string[]
  readonly drawings: readonly Drawing[]
  readonly steps: readonly Step[]
  /** Number of `steps[0]`: more than 0 once old steps were let go. */
  readonly first: number
  /** True when nothing more will come. */
  readonly ended: boolean
  /** Takes in what came since. Concurrent calls share one. @throws FailureError `journal_unavailable`, `journal_corrupt`. */
  readonly refresh: () => Promise<void>
}
