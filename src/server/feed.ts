// The events of one run for any number of clients. Invariant: a client costs a position, not a buffer; one that falls too
// far behind the tokens is let go and can come back with the id of the last event it has.
import type { Agent } from '../agent/index.ts'
import type { Clock } from '../clock/index.ts'
import { isEnded } from '../journal/index.ts'
import { historyOf, type RunEvent, type Runtime } from '../run/index.ts'
import { tellable } from './view.ts'

/** An event with its place in the order in which the feed heard of it. */
export interface Frame {
  readonly order: number
  readonly event: RunEvent
  /** `seq.index`, for events that the journal holds. */
  readonly id?: string
  /** Its text on the wire, made once for all clients. */
  bytes?: Uint8Array
}

/** Where a client stands in a run: the last event it has. */
export interface Cursor {
  readonly seq: number
  readonly index: number
}

/** A client's position in a feed. */
export interface FeedReader {
  /** The next event; undefined when there will be none for this client. @param idleMs after which "idle" is given instead. */
  readonly next: (idleMs: number) => Promise<Frame | 'idle' | undefined>
  readonly close: () => void
}

/** Tokens that are kept for clients behind the newest one. */
const KEPT_TOKENS = 2_000

/** How often the journal is looked at for what other processes did, milliseconds. */
const POLL_MS = 1_000

const isAfter = (event: { readonly seq: number; readonly index?: number }, cursor: Cursor): boolean => event.seq > cursor.seq || (event.seq === cursor.seq && (event.index ?? 0) > cursor.index)

const START: Cursor = { seq: -1, index: 0 }

/** What a feed is made of. */
export interface FeedParts {
  readonly runtime: Runtime
  readonly clock: Clock
  readonly run: string
  readonly agent: Agent
}

/** Events of one run, as long as somebody reads them. */
export class Feed {
  readonly #parts: FeedParts
  readonly #history
  /** Events of entries, all of them. */
  readonly #told: Frame[] = []
  /** The newest tokens, and what else no entry holds. */
  #passing: Frame[] = []
  /** Order of the newest passing event that was let go. */
  #forgotten = -1
  #order = 0
  #last = START
  /** What came before the journal was read. */
  #early: RunEvent[] | undefined = []
  #ended = false
  readonly #waiting = new Set<() => void>()
  readonly #stopWatching: () => void
  #stopPolling = (): void => {}
  readonly #loaded: Promise<void>

  constructor(parts: FeedParts) {
    this.#parts = parts
    this.#history = historyOf(parts.runtime.journal, parts.run, parts.agent)
    this.#stopWatching = parts.runtime.watch(parts.run, (event) => this.#hear(event))
    this.#loaded = this.#load()
  }

  /** Resolves when the journal was read. @throws FailureError `definition_changed`, `journal_corrupt`. */
  get loaded(): Promise<void> {
    return this.#loaded
  }

  /** Lets go of the run. */
  close(): void {
    this.#ended = true
    this.#stopWatching()
    this.#stopPolling()
    this.#wake()
  }

  /** Reads on from a cursor; without one from the start of the run, with the tokens of what is under way. */
  read(from: Cursor | undefined): FeedReader {
    let at = from === undefined ? 0 : this.#told.findIndex(({ event }) => isAfter(event, from))
    if (at < 0) at = this.#told.length
    // A client that comes back has seen an unknown part of the passing events: it gets those that are still to come.
    let order = from === undefined ? Math.max(this.#told.at(-1)?.order ?? -1, this.#forgotten) : this.#order - 1
    const behind = this.#told.length
    let closed = false
    let wake = (): void => {}
    const take = (): Frame | undefined => {
      const told = this.#told[at]
      if (at < behind) {
        at += 1
        return told
      }
      const passing = this.#passingAfter(order)
      const next = passing !== undefined && (told === undefined || passing.order < told.order) ? passing : told
      if (next === undefined) return undefined
      if (next === told) at += 1
      order = next.order
      return next
    }
    return {
      next: async (idleMs) => {
        for (;;) {
          if (closed || (at >= behind && order < this.#forgotten)) return undefined
          const frame = take()
          if (frame !== undefined) return frame
          if (this.#ended) return undefined
          const idle = await new Promise<boolean>((resolve) => {
            const stop = this.#parts.clock.timer(idleMs, () => resolve(true), true)
            wake = () => {
              stop()
              resolve(false)
            }
            this.#waiting.add(wake)
          })
          this.#waiting.delete(wake)
          if (idle) return 'idle'
        }
      },
      close: () => {
        closed = true
        wake()
      },
    }
  }

  #passingAfter(order: number): Frame | undefined {
    let low = 0
    let high = this.#passing.length
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#passing[middle]?.order ?? 0) > order) high = middle
      else low = middle + 1
    }
    return this.#passing[low]
  }

  #hear(event: RunEvent): void {
    if (this.#early !== undefined) this.#early.push(event)
    else this.#add(event)
  }

  #add(event: RunEvent): void {
    const { seq, index } = event
    if (index === undefined) {
      // What is older than the last entry belongs to a call that has its result.
      if (seq < this.#last.seq) return
      if (event.type === 'output.partial') this.#supersede(event.key)
      this.#passing.push({ order: this.#order++, event })
      if (this.#passing.length > KEPT_TOKENS) this.#forgotten = this.#passing.splice(0, KEPT_TOKENS / 2).at(-1)?.order ?? this.#forgotten
    } else {
      if (!isAfter({ seq, index }, this.#last)) return
      this.#last = { seq, index }
      this.#told.push({ order: this.#order++, id: `${seq}.${index}`, event: tellable(event) })
      if (event.type === 'run.ended') this.#ended = true
    }
    this.#wake()
  }

  /** A newer part of an output holds all that the one before it did, so that one is not kept. */
  #supersede(key: string): void {
    const at = this.#passing.findLastIndex(({ event }) => event.type === 'output.partial' && event.key === key)
    if (at >= 0) this.#passing.splice(at, 1)
  }

  async #load(): Promise<void> {
    await this.#catchUp()
    const early = this.#early ?? []
    this.#early = undefined
    for (const event of early) this.#add(event)
    this.#poll()
  }

  async #catchUp(): Promise<void> {
    for (const { events } of await this.#history.next()) for (const event of events) this.#add(event)
  }

  /** Other processes write to the journal without telling this one. */
  #poll(): void {
    if (this.#ended) return
    this.#stopPolling = this.#parts.clock.timer(
      POLL_MS,
      () => {
        this.#look().then(
          () => this.#poll(),
          // The run cannot be followed any more: clients come back, and are told why.
          () => this.close(),
        )
      },
      true,
    )
  }

  async #look(): Promise<void> {
    const row = await this.#parts.runtime.get(this.#parts.run)
    if (row !== undefined && row.seq > this.#last.seq) await this.#catchUp()
    if (row !== undefined && isEnded(row.status)) this.#ended = true
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}
