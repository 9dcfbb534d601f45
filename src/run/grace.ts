// What a run still may do once it has reached a limit: a bounded number of transitions to come to an end of its own.
import { failure, type Failure } from '../failure/index.ts'

/** Transitions a run still has after it reached a limit. */
const GRACE_TRANSITIONS = 8
/** Codes of limits that start the grace; a state's own maxVisits does not. */
const RUN_LIMITS: ReadonlySet<string> = new Set(['loop_limit', 'no_progress', 'budget_exceeded', 'deadline_exceeded'])

/** What a grace has come to. */
export interface GraceStanding {
  readonly breach?: Failure
  readonly left: number
}

/** Remembers the first limit that was reached, and counts what is left. */
export class Grace {
  #breach: Failure | undefined
  #left = GRACE_TRANSITIONS

  /** The limit that was reached first. */
  get breach(): Failure | undefined {
    return this.#breach
  }

  get standing(): GraceStanding {
    return { left: this.#left, ...(this.#breach === undefined ? {} : { breach: this.#breach }) }
  }

  take({ breach, left }: GraceStanding): void {
    this.#breach = breach
    this.#left = left
  }

  note(reason: Failure): void {
    if (RUN_LIMITS.has(reason.code)) this.#breach ??= reason
  }

  /** Counts one transition. @returns the limit to end the run with, once the grace is over. */
  spend(transitions: number, limit: number): Failure | undefined {
    if (this.#breach !== undefined) {
      this.#left -= 1
      return this.#left < 0 ? this.#breach : undefined
    }
    if (transitions > limit) {
      this.note(
        failure('loop_limit', `The run reached transitions: limit ${limit}, used ${transitions}. Nothing more was started. Raise limits.transitions, or route loop_limit to an answer with what is there.`, {
          details: { scope: 'run', limit: 'transitions', value: limit, used: transitions },
        }),
      )
    }
    return undefined
  }
}
