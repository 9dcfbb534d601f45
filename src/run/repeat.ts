// Sees a run going in circles: the same call with the same result, in cycles of one to four calls.
import { sha256 } from '../schema/index.ts'

/** Longest cycle that is seen, in calls. */
const LONGEST_CYCLE = 4
/** Longer signatures are hashed, so that memory stays flat. */
const LONGEST_SIGNATURE = 256

/** Remembers the last calls of one actor. */
export class RepeatWatch {
  readonly #repeat: number
  /** Signatures of the last calls, the newest last. */
  readonly recent: string[] = []

  /** @param repeat how often in a row the same cycle may occur. */
  constructor(repeat: number) {
    this.#repeat = repeat
  }

  /** Notes a call and what it gave. */
  note(what: string, args: unknown, result: unknown): void {
    const text = `${what}\n${JSON.stringify(args) ?? ''}\n${JSON.stringify(result) ?? ''}`
    this.recent.push(text.length > LONGEST_SIGNATURE ? sha256(text) : text)
    if (this.recent.length > LONGEST_CYCLE * this.#repeat) this.recent.shift()
  }

  /** Length of the cycle the run is in, or undefined. Forgets what it saw when it reports. */
  takeCycle(): number | undefined {
    for (let period = 1; period <= LONGEST_CYCLE; period++) {
      if (!this.#isCycle(period)) continue
      this.recent.length = 0
      return period
    }
    return undefined
  }

  #isCycle(period: number): boolean {
    const recent = this.recent
    const span = period * this.#repeat
    if (recent.length < span) return false
    for (let index = recent.length - span; index + period < recent.length; index++) if (recent[index] !== recent[index + period]) return false
    return true
  }
}
