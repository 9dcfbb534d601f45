// The port on a journal of this process: steps are promises, timers are the clock's, and a commit appends one entry.
import type { Clock } from '../clock/index.ts'
import { failure, type Failure } from '../failure/index.ts'
import { chainHash, ENTRY_VERSION, type Cause, type EntryBody, type Journal, type Lease, type Outcome } from '../journal/index.ts'
import { attemptId } from './charges.ts'
import type { Acting, StepIo, StepRequest } from './effect.ts'
import type { RunObserver } from './observer.ts'
import { performStep } from './perform-step.ts'
import type { Commit, DurablePort } from './port.ts'
import type { RunSecrets } from './secrets.ts'

/** How often the inbox is read for events that other processes posted, milliseconds. */
const INBOX_POLL_MS = 250

/** Where the journal stands. */
export interface Head {
  readonly seq: number
  readonly hash: string
  readonly at: number
}

/** What a port needs to know of its run. */
export interface PortOptions {
  readonly journal: Journal
  readonly acting: Acting
  readonly lease: Lease
  readonly head: Head
  readonly parallel: number
  readonly observer: RunObserver | undefined
  readonly watched: () => boolean
  readonly emit: StepIo['emit']
  readonly secrets: RunSecrets
  /** Told of what an attempt gave that the run had left meanwhile. Must not throw. */
  readonly abandoned: (request: StepRequest, outcome: Outcome) => void
}

/** A port with what a process needs to know of it and to take it down. */
export interface LivePort extends DurablePort {
  readonly head: () => Head
  /** Whether the last commit had been made in an earlier attempt, so that watchers heard of it then. */
  readonly repeated?: () => boolean
  /** Aborts everything pending. */
  readonly close: () => void
  /** Makes `select` reject. */
  readonly interrupt: (reason: Error) => void
  /** Makes `select` reject once nothing is under way that another process could not simply do again. */
  readonly handOver: (reason: Error) => void
}

/** Builds the text of an entry. */
export const entryText = (body: EntryBody): string => JSON.stringify(body)

interface Running {
  readonly request: StepRequest
  readonly controller: AbortController
  readonly cancelTimer: () => void
}

/** Performs the steps of one run, a bounded number at a time. */
const stepRunner = ({ acting, lease, parallel, watched, emit, observer, secrets, abandoned }: PortOptions, arrive: (cause: Cause, request: StepRequest) => void) => {
  const running = new Map<string, Running>()
  const queue: StepRequest[] = []
  const idOf = (request: StepRequest): string => `${request.key}.${request.attempt}`
  const begin = (request: StepRequest): void => {
    const id = idOf(request)
    const controller = new AbortController()
    const { deadline } = request
    const cancelTimer = deadline === undefined ? () => {} : acting.clock.timer(deadline.at - acting.clock.now(), () => controller.abort(deadline.failure satisfies Failure))
    const step = { request, controller, cancelTimer }
    running.set(id, step)
    const finish = (outcome: Outcome): void => {
      cancelTimer()
      if (running.get(id) !== step) return abandoned(request, outcome)
      running.delete(id)
      arrive({ type: 'attempt', key: request.key, attempt: request.attempt, outcome }, request)
    }
    const io: StepIo = { acting, attempt: attemptId(lease.run, request.key, request.attempt), signal: controller.signal, watched: watched(), emit, ...(deadline === undefined ? {} : { deadlineAt: deadline.at }) }
    void performStep(request, io, observer, secrets).then(finish)
  }
  const proceed = (): void => {
    while (running.size < parallel) {
      const next = queue.shift()
      if (next === undefined) return
      begin(next)
    }
  }
  return {
    /** Begins what waited for a place, once the attempt that left it is folded: the next one must know what it cost. */
    proceed,
    /** Whether something is under way that must not be performed again. */
    asks: () => [...running.values()].some(({ request }) => request.safety === 'ask') || queue.some((request) => request.safety === 'ask'),
    start: (request: StepRequest): void => {
      queue.push(request)
      proceed()
    },
    drop: (id: string): void => {
      const queued = queue.findIndex((request) => idOf(request) === id)
      if (queued >= 0) queue.splice(queued, 1)
      const step = running.get(id)
      if (step === undefined) return
      running.delete(id)
      step.cancelTimer()
      step.controller.abort(failure('cancelled', 'The run left the state.'))
    },
    close: (): void => {
      queue.length = 0
      for (const [id, step] of running) {
        running.delete(id)
        step.cancelTimer()
        step.controller.abort(failure('cancelled', 'The runtime was closed.'))
      }
    },
  }
}

/** Arms timers of one run on the clock. */
const timerSet = (clock: Clock, arrive: (cause: Cause) => void) => {
  const armed = new Map<string, () => void>()
  const arm = (key: string, dueAt: number): void => {
    // An overdue timer has already come: a run that is about to park must see it.
    if (dueAt <= clock.now()) return arrive({ type: 'timer', key })
    const cancel = clock.timer(dueAt - clock.now(), () => {
      // The system's timers may fire a millisecond before the time that its clock shows.
      if (armed.delete(key)) arm(key, dueAt)
    })
    armed.set(key, cancel)
  }
  return {
    arm,
    drop: (key: string): void => {
      armed.get(key)?.()
      armed.delete(key)
    },
    close: (): void => {
      for (const cancel of armed.values()) cancel()
      armed.clear()
    },
  }
}

/** What has arrived and was not selected yet, first come first. */
const arrivals = (abandoned: PortOptions['abandoned']) => {
  const queue: { readonly cause: Cause; readonly request: StepRequest | undefined }[] = []
  const forget = ({ cause, request }: (typeof queue)[number]): void => {
    if (cause.type === 'attempt' && request !== undefined) abandoned(request, cause.outcome)
  }
  const nameOf = (cause: Cause): string | undefined => (cause.type === 'attempt' ? `${cause.key}.${cause.attempt}` : cause.type === 'timer' ? cause.key : undefined)
  return {
    add: (cause: Cause, request?: StepRequest): void => void queue.push({ cause, request }),
    take: () => queue.shift()?.cause,
    any: () => queue.length > 0,
    /** Forgets what arrived beside that which made the run leave the state. */
    drop: (key: string): void => {
      const late = queue.findIndex(({ cause }) => nameOf(cause) === key)
      if (late >= 0) queue.splice(late, 1).forEach(forget)
    },
    close: (): void => queue.splice(0).forEach(forget),
  }
}

/** Reads the outside events of one run in order, when there may be new ones: a journal in memory says so, others also hold what other processes posted. */
const inboxReader = (journal: Journal, clock: Clock, run: string) => {
  const isShared = journal.name !== 'memory'
  let at = 0
  let touched = true
  let readAt = 0
  return {
    isStale: () => touched || (isShared && clock.monotonic() - readAt >= INBOX_POLL_MS),
    touch: (): void => {
      touched = true
    },
    from: (n: number): void => {
      if (n === at) return
      at = n
      touched = true
    },
    take: async (): Promise<Cause | undefined> => {
      touched = false
      readAt = clock.monotonic()
      const [item] = await journal.inbox(run, at)
      if (item === undefined) return undefined
      touched = true
      return { type: 'event', n: item.n, event: item.event, ...(item.by === undefined ? {} : { by: item.by }) }
    },
  }
}

/** The entry that a commit makes. */
export const bodyOf = ({ arrival, step }: Commit): EntryBody => ({
  v: ENTRY_VERSION,
  cause: arrival.cause,
  moves: step.moves,
  ...(step.intents.length === 0 ? {} : { intents: step.intents }),
  ...(step.end === undefined ? {} : { end: step.end }),
})

/** Opens the port of a run whose lease this process holds. */
export const embeddedPort = (options: PortOptions): LivePort => {
  const { journal, acting, lease } = options
  let head = options.head
  let wake = (): void => {}
  let stopped: Error | undefined
  let leaving: Error | undefined
  const arrived = arrivals(options.abandoned)
  const arrive = (cause: Cause, request?: StepRequest): void => {
    arrived.add(cause, request)
    wake()
  }
  const steps = stepRunner(options, arrive)
  const timers = timerSet(acting.clock, arrive)
  const inbox = inboxReader(journal, acting.clock, lease.run)
  const look = (): void => {
    inbox.touch()
    wake()
  }
  const unwatch = journal.watch(lease.run, look)
  const idle = async (): Promise<void> => {
    const cancelPoll = journal.name === 'memory' ? undefined : acting.clock.timer(INBOX_POLL_MS, look)
    await new Promise<void>((resolve) => {
      wake = resolve
      if (arrived.any() || stopped !== undefined || (leaving !== undefined && !steps.asks()) || inbox.isStale()) resolve()
    })
    wake = () => {}
    cancelPoll?.()
  }
  return {
    head: () => head,
    step: steps.start,
    timer: ({ key, dueAt }) => timers.arm(key, dueAt),
    inbox: inbox.from,
    drop: (key) => [steps, timers, arrived].forEach((part) => part.drop(key)),
    select: async (mayPark) => {
      steps.proceed()
      for (;;) {
        if (stopped !== undefined) throw stopped
        const next = (inbox.isStale() ? await inbox.take() : undefined) ?? arrived.take()
        if (next !== undefined) return { cause: next, at: Math.max(head.at, acting.clock.now()) }
        if (mayPark) return undefined
        if (leaving !== undefined && !steps.asks()) throw leaving
        await idle()
      }
    },
    commit: async (commit) => {
      const text = entryText(bodyOf(commit))
      const [seq, { at }] = [head.seq + 1, commit.arrival]
      const hash = chainHash(head.hash, seq, at, text)
      await journal.append(lease, { seq, at, hash, text }, commit.row, commit.settlement)
      head = { seq, hash, at }
    },
    close: () => {
      unwatch()
      for (const part of [steps, timers, arrived]) part.close()
    },
    interrupt: (reason) => {
      stopped = reason
      wake()
    },
    handOver: (reason) => {
      leaving = reason
      wake()
    },
  }
}
