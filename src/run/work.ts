// A worker: takes up what the journal says could go on, a bounded number of runs at a time, and lets waiting runs leave
// memory. Invariant: it holds nothing of a run that waits, and when it stops, what it had is free for the next worker.
import type { Agent } from '../agent/index.ts'
import type { Clock } from '../clock/index.ts'
import { holdersOf } from '../cost/index.ts'
import { failure, failureOf, FailureError, type Failure } from '../failure/index.ts'
import type { Claimable, ClaimQuery, Journal, RunRow } from '../journal/index.ts'
import type { LiveRun } from './live-run.ts'
import { EMBEDDED } from './prepare-start.ts'

/** How a worker works. */
export interface DriveOptions {
  /** Ends after so many milliseconds, handing over what is under way. Default: no end. */
  readonly maxMs?: number
  /** What to do when nothing is under way and nothing can be taken up. Default `return`; a worker that stays says `wait`. */
  readonly whenIdle?: 'return' | 'wait'
  /** Most runs at work at once in this process. Default 16. */
  readonly concurrency?: number
  /** How often the journal is asked while there is room, milliseconds. Default 500. */
  readonly pollMs?: number
  /** Ends it, handing over what is under way. Default: nothing does. */
  readonly signal?: AbortSignal
  /** How long a call that must not be repeated may take to finish when it ends, milliseconds. Default 5,000. */
  readonly graceMs?: number
  /** Also take up runs of changed agents, as long as every recorded entry folds the same. Default false. */
  readonly acceptChanged?: boolean
  /** Told of a run that could not be taken up, or of the journal being away (then `run` is empty). Must not throw. Default: nobody is told. */
  readonly onTrouble?: (run: string, trouble: Failure) => void
}

/** What a worker did. */
export interface DriveResult {
  /** Runs taken up; one that waited in between counts each time. */
  readonly taken: number
  /** Runs that ended. */
  readonly ended: number
  /** Left because they wait for the world or for a timer. */
  readonly waiting: number
  /** Left in the middle, for the next worker. */
  readonly handedOver: number
  /** When to come back, milliseconds UTC: the earliest timer of a waiting run, or when a queued one may have a place. */
  readonly nextDueAt?: number
}

/** What a worker uses of its runtime. */
export interface WorkParts {
  readonly journal: Journal
  readonly clock: Clock
  readonly agents: () => readonly Agent[]
  readonly live: ReadonlyMap<string, LiveRun>
  /** Takes a run up, to leave memory when it waits. @throws FailureError as `resume`. */
  readonly takeUp: (run: string, acceptChanged: boolean) => Promise<void>
}

/** How long a run that could not be taken up is left alone, milliseconds. */
const BACK_OFF_MS = 30_000
/** A run that moved nothing is left alone for a moment, so that it cannot keep the worker busy. */
const STUCK_MS = 5_000

/** How many more runs are looked at than there is room for, so that a user who waits is seen behind one who has many. */
const LOOK_AHEAD = 64
/** Users remembered by when they were served. */
const MOST_USERS = 10_000

const userOf = ({ tenant, user }: RunRow): string => JSON.stringify([tenant, user])

const queryOf = (agents: readonly Agent[], acceptChanged: boolean, limit: number): ClaimQuery => ({
  engine: EMBEDDED,
  agents: agents.map((agent) => ({ id: agent.id, ...(acceptChanged ? {} : { hashes: [agent.hash, ...agent.migrations.map(({ from }) => from)] }) })),
  limit,
})

/** Whom a limit on runs at work is for, of those that a run belongs to. */
const refusedOf = (row: RunRow, { details }: Failure): string | undefined => holdersOf({ ...row, run: row.id }).find((holder) => (JSON.parse(holder) as readonly string[])[0] === String(details?.['budget']).split(':')[0])

/** One worker at work. */
class Worker {
  readonly #parts: WorkParts
  readonly #options: DriveOptions
  readonly #mine = new Map<string, Promise<void>>()
  /** Runs to leave alone, and until when. */
  readonly #resting = new Map<string, number>()
  /** Whose queued runs wait for a place among the runs at work, and until when they are not asked again. */
  readonly #full = new Map<string, number>()
  /** Queued runs that were passed over for that when the journal was asked last. */
  #passedOver = 0
  /** When each user's queued run was last begun here: the one who waited longest is next. */
  readonly #served = new Map<string, number>()
  readonly #count = { taken: 0, ended: 0, waiting: 0, handedOver: 0 }
  #poke = (): void => {}

  constructor(parts: WorkParts, options: DriveOptions) {
    this.#parts = parts
    this.#options = options
  }

  async run(): Promise<DriveResult> {
    const { clock } = this.#parts
    const { maxMs, pollMs = 500, whenIdle = 'return', signal } = this.#options
    const endsAt = maxMs === undefined ? Infinity : clock.now() + maxMs
    const poke = (): void => this.#poke()
    signal?.addEventListener('abort', poke)
    let nextDueAt: number | undefined
    while (signal?.aborted !== true && clock.now() < endsAt) {
      const before = this.#passedOver
      const found = await this.#look()
      const took = await this.#takeUpAll(this.#inTurn(found.runs))
      nextDueAt = this.#comeBackAt(found.nextDueAt)
      // Behind those who wait for a place there may be others who need not.
      if (took === 0 && this.#passedOver > before) continue
      if (this.#mine.size === 0 && took === 0 && whenIdle === 'return') break
      if (took === 0) await this.#pause(Math.min(pollMs, endsAt - clock.now(), (nextDueAt ?? Infinity) - clock.now()))
    }
    signal?.removeEventListener('abort', poke)
    await this.#handOver()
    return { ...this.#count, ...(nextDueAt === undefined ? {} : { nextDueAt }) }
  }

  get #room(): number {
    return Math.max(0, (this.#options.concurrency ?? 16) - this.#parts.live.size)
  }

  /** Asks the journal. A worker that stays outlives a journal that is away for a while. */
  async #look(): Promise<Claimable> {
    const { journal, agents, clock } = this.#parts
    for (const waiting of [this.#resting, this.#full]) for (const [id, until] of waiting) if (until <= clock.now()) waiting.delete(id)
    if (this.#room === 0) return { runs: [] }
    try {
      return await journal.claimable(queryOf(agents(), this.#options.acceptChanged ?? false, this.#room + this.#resting.size + 2 * this.#passedOver + LOOK_AHEAD))
    } catch (thrown) {
      const trouble = failureOf(thrown)
      if (trouble?.code !== 'journal_unavailable' || this.#options.whenIdle !== 'wait') throw thrown
      this.#options.onTrouble?.('', trouble)
      return { runs: [] }
    }
  }

  /** The journal's order, but among queued runs of one priority the user who was served longest ago is first. */
  #inTurn(runs: readonly RunRow[]): readonly RunRow[] {
    const rank = (row: RunRow): number => this.#served.get(userOf(row)) ?? 0
    const queued = runs.filter((row) => row.status === 'queued').toSorted((a, b) => (b.priority ?? 0) - (a.priority ?? 0) || rank(a) - rank(b))
    return [...runs.filter((row) => row.status !== 'queued'), ...queued]
  }

  async #takeUpAll(runs: readonly RunRow[]): Promise<number> {
    const { live } = this.#parts
    let took = 0
    this.#passedOver = 0
    for (const row of runs) {
      if (this.#room === 0 || this.#options.signal?.aborted === true) break
      if (this.#waitsForPlace(row)) this.#passedOver += 1
      else if (!this.#resting.has(row.id) && !live.has(row.id) && (await this.#takeUp(row))) took += 1
    }
    return took
  }

  async #takeUp(row: RunRow): Promise<boolean> {
    const { live, takeUp } = this.#parts
    try {
      await takeUp(row.id, this.#options.acceptChanged ?? false)
    } catch (thrown) {
      return this.#leave(row, thrown)
    }
    const run = live.get(row.id)
    if (run === undefined) return false
    this.#count.taken += 1
    if (row.status === 'queued') this.#serve(userOf(row))
    const settled = run.settled.then(
      (how) => {
        this.#count[how === 'ended' ? 'ended' : 'waiting'] += 1
        if (how === 'parked' && run.head().seq === row.seq) this.#rest(row.id, STUCK_MS)
      },
      (thrown: unknown) => void this.#leave(row, thrown),
    )
    this.#mine.set(
      row.id,
      settled.finally(() => {
        this.#mine.delete(row.id)
        this.#full.clear()
        this.#poke()
      }),
    )
    return true
  }

  #serve(user: string): void {
    if (this.#served.size >= MOST_USERS) this.#served.clear()
    this.#served.set(user, this.#count.taken)
  }

  #waitsForPlace(row: RunRow): boolean {
    return row.status === 'queued' && this.#full.size > 0 && holdersOf({ ...row, run: row.id }).some((holder) => this.#full.has(holder))
  }

  #comeBackAt(nextDueAt: number | undefined): number | undefined {
    const earliest = Math.min(nextDueAt ?? Infinity, ...this.#full.values())
    return earliest === Infinity ? undefined : earliest
  }

  /** Leaves a run that cannot be driven here. Somebody else being faster is no trouble, and neither is the run's turn not having come. */
  #leave(row: RunRow, thrown: unknown): false {
    const run = row.id
    const trouble = failureOf(thrown) ?? failure('defect', `Taking up run ${run} stopped at a bug: ${String(thrown)}`, { cause: thrown })
    const full = trouble.code === 'throttled' ? refusedOf(row, trouble) : undefined
    if (full !== undefined) {
      this.#full.set(full, Number(trouble.details?.['retryAtMs']))
      this.#passedOver += 1
    } else if (trouble.code === 'draining') this.#count.handedOver += 1
    else if (trouble.code !== 'lease_held' && trouble.code !== 'lease_lost') {
      this.#rest(run, BACK_OFF_MS)
      this.#options.onTrouble?.(run, trouble)
    }
    return false
  }

  #rest(run: string, delayMs: number): void {
    this.#resting.set(run, this.#parts.clock.now() + delayMs)
  }

  /** Waits until a run of this worker settles, it is told to end, or the time is over. */
  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#parts.clock.timer(Math.max(0, delayMs), resolve)
      this.#poke = () => {
        cancel()
        resolve()
      }
      if (this.#options.signal?.aborted === true) this.#poke()
    })
  }

  async #handOver(): Promise<void> {
    if (this.#mine.size === 0) return
    const { live, clock } = this.#parts
    const reason = new FailureError(failure('draining', 'The worker ended while the run was at work. Another one goes on with it.'))
    const mine = (): readonly LiveRun[] => [...this.#mine.keys()].flatMap((id) => live.get(id) ?? [])
    for (const run of mine()) run.handOver(reason)
    const cancel = clock.timer(this.#options.graceMs ?? 5_000, () => {
      for (const run of mine()) run.stop(reason)
    })
    await Promise.all(this.#mine.values())
    cancel()
  }
}

/** Works until there is nothing to do, the time is over or it is told to end. */
export const work = (parts: WorkParts, options: DriveOptions): Promise<DriveResult> => new Worker(parts, options).run()
