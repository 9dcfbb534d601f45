// Exit codes, one meaning each, so that a script can tell a bad command from a failed run and both from a broken disk.
import { FailureError, failure, isFailure, type Failure, type FailureCode } from '../failure/index.ts'
import type { RunOutcome } from '../run/index.ts'

/** What the process ends with. */
export const EXIT = { done: 0, failed: 1, usage: 2, infrastructure: 3, limited: 4, cancelled: 5 } as const

/** The table as help shows it. */
export const EXIT_HELP = `
Exit codes:
  0  the run is done or waits for the world
  1  the run failed
  2  the command, its input or the event was not understood or cannot be used
  3  the journal or the process stood in the way; the run can be resumed
  4  the run reached a limit
  5  the run was cancelled`

/** The exit code for how a run stands. */
export const exitOf = (outcome: RunOutcome['outcome']): number => (outcome === 'waiting' ? EXIT.done : EXIT[outcome])

const INFRASTRUCTURE: ReadonlySet<FailureCode> = new Set(['journal_unavailable', 'journal_corrupt', 'journal_rolled_back', 'lease_held', 'lease_lost', 'session_busy', 'draining'])

/** The exit code for a command that could not be performed. */
export const exitOfFailure = ({ code }: Failure): number => {
  if (INFRASTRUCTURE.has(code)) return EXIT.infrastructure
  return code === 'defect' ? EXIT.failed : EXIT.usage
}

/** Anything thrown as a failure. An agent's own copy of the library throws errors of another class, so shape decides. */
export const failureFrom = (thrown: unknown): Failure => {
  if (thrown instanceof FailureError) return thrown.failure
  const inside: unknown = typeof thrown === 'object' && thrown !== null && 'failure' in thrown ? thrown.failure : thrown
  if (isFailure(inside)) return inside
  return failure('defect', `The command stopped at a bug: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown })
}
