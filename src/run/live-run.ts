// One run at work in this process: its fold, its lease and its port, from the first entry or from where it was left.
import type { Agent } from '../agent/index.ts'
import type { Failure } from '../failure/index.ts'
import type { Cause, Journal, Lease, RunEnd, RunRow, StartCause, Watchers } from '../journal/index.ts'
import { defined } from '../schema/index.ts'
import { abandonedOf } from './charges.ts'
import { drive, leaveWhenWaiting } from './drive.ts'
import type { Acting } from './effect.ts'
import { embeddedPort, type Head, type LivePort, type PortOptions } from './embedded-port.ts'
import type { EventStream } from './event-stream.ts'
import type { FoldStep } from './fold-step.ts'
import type { Fold } from './fold.ts'
import type { RunOutcome } from './outcome.ts'
import { summaryOf } from './outcome.ts'
import { eventsOf } from './notices.ts'
import type { Arrival, Commit } from './port.ts'
import { observersOf } from './observer.ts'
import type { RunEvent } from './run-event.ts'
import { scrubbedCommit, scrubbedEvent, scrubbedText, type RunSecrets } from './secrets.ts'
import { keepSession } from './session.ts'
import { snapshotsOf, type Snapshots } from './snapshots.ts'
import { standingOf } from './standing.ts'

/** What a live run is made of. */
export interface LiveRunParts {
  readonly journal: Journal
  readonly acting: Acting
  readonly agent: Agent
  readonly fold: Fold
  readonly start: StartCause
  readonly lease: Lease
  readonly leaseMs: number
  readonly head: Head
  /** The entry to commit before anything else: a `resumed` one. */
  readonly first?: Arrival
  readonly events: EventStream
  /** Who watches runs of this process, whichever handle drives them. */
  readonly watchers: Watchers<RunEvent>
  /** What the first entry led to, for those who watch. */
  readonly started?: FoldStep
  /** Versions of prompts as they were recorded. */
  readonly prompts?: StartCause['prompts']
  /** How a run that goes on was folded. */
  readonly resumed?: { readonly from?: number; readonly unusable?: string }
  /** Entries after which it leaves a snapshot. */
  readonly snapshotEvery: number
  /** Whether the run leaves the process also when it waits for a timer. Default: it stays for that. */
  readonly evict?: boolean
  /** The port of another engine, which then also says who may drive the run. Default: one on the journal, under its lease. */
  readonly openPort?: (options: PortOptions) => LivePort
}

/** A run at work. */
export interface LiveRun {
  readonly events: EventStream
  /** Resolves when the run has ended or waits; rejects when this process can no longer drive it. */
  readonly settled: Promise<'ended' | 'parked'>
  /** Stops driving after the current step, leaving the run resumable. */
  readonly stop: (reason: Error) => void
  /** Stops driving as soon as nothing is under way that another process could not simply do again. */
  readonly handOver: (reason: Error) => void
  readonly fold: Fold
  readonly head: () => Head
}

/** Renews the lease until told to stop. */
const keepLease = ({ journal, acting, leaseMs, lease, openPort }: LiveRunParts, lost: (error: Error) => void): (() => void) => {
  let held = lease
  let cancel = (): void => {}
  const arm = (): void => {
    cancel = acting.clock.timer(
      Math.floor(leaseMs / 3),
      () => {
        journal.renew(held, leaseMs).then(
          (renewed) => {
            held = renewed
            arm()
          },
          (error: unknown) => lost(error instanceof Error ? error : new Error(String(error))),
        )
      },
      true,
    )
  }
  if (journal.name !== 'memory' && openPort === undefined) arm()
  return () => cancel()
}

/** Other engines keep their own. */
const leavingSnapshots = ({ journal, fold, start, prompts, snapshotEvery, resumed, openPort }: LiveRunParts, secrets: RunSecrets, head: LivePort['head']): Snapshots | undefined =>
  openPort === undefined ? snapshotsOf({ journal, fold, start, ...defined({ prompts }), scrub: () => secrets.scrub, head, every: snapshotEvery, from: resumed?.from ?? 0 }) : undefined

/** Charges what the run had left. Where that cannot be written, what was held for it lapses. */
const chargeAbandoned =
  ({ journal, acting, fold: { info } }: LiveRunParts): PortOptions['abandoned'] =>
  (request, outcome) => {
    const settlement = abandonedOf(info, request, outcome, acting.clock.now())
    if (settlement !== undefined) void journal.settle?.(info.id, settlement).catch(() => {})
  }

/** Starts driving. */
export const liveRun = (parts: LiveRunParts): LiveRun => {
  const { journal, acting, fold, lease, head, start, events, watchers } = parts
  const run = fold.info.id
  const observer = observersOf(acting.observers, { info: fold.info, agent: parts.agent, start, resumed: parts.started === undefined })
  const secrets = acting.secrets.of(run)
  const push = (told: RunEvent): void => {
    const event = scrubbedEvent(told, secrets)
    events.push(event)
    watchers.notify(run, event)
    observer?.event(event)
  }
  const publish = (step: FoldStep, cause: Cause, at: number): void => {
    if (port.repeated?.() !== true) eventsOf(fold, step, cause, port.head().seq, at).forEach(push)
  }
  const port = (parts.openPort ?? embeddedPort)({
    journal,
    acting,
    lease,
    head,
    parallel: fold.limits.parallel,
    observer,
    secrets,
    watched: () => events.watched || watchers.has(run),
    abandoned: chargeAbandoned(parts),
    emit: (body) => push({ ...body, run, at: acting.clock.now(), seq: port.head().seq, actor: '' }),
  })
  if (parts.started !== undefined) publish(parts.started, start, head.at)
  else push({ type: 'run.resumed', ...parts.resumed, run, at: acting.clock.now(), seq: head.seq, actor: '' })
  const commitEnd = async (commit: Commit, end: RunEnd): Promise<void> => {
    const session = await keepSession(journal, fold, start, secrets.scrub)
    return port.commit(scrubbedCommit({ ...commit, step: { ...commit.step, end: { ...end, session } } }, secrets))
  }
  const snapshots = leavingSnapshots(parts, secrets, port.head)
  const withSession = {
    ...port,
    select: (mayLeave: boolean) => {
      snapshots?.expect()
      return port.select(mayLeave)
    },
    commit: (commit: Commit): Promise<void> => {
      const { end } = commit.step
      const committed = end === undefined || start.session === undefined ? port.commit(scrubbedCommit(commit, secrets)) : commitEnd(commit, end)
      return snapshots !== undefined && fold.remembers ? committed.then(snapshots.keep) : committed
    },
  }
  const stopLease = keepLease(parts, port.interrupt)
  const settled = drive(fold, withSession, (step, { cause, at }) => publish(step, cause, at), parts.first, parts.evict === true ? leaveWhenWaiting : undefined)
  const releaseAll = async (): Promise<'ended' | 'parked'> => {
    let released: 'ended' | 'parked' | 'stopped' = 'stopped'
    try {
      const how = (released = await settled)
      if (how === 'ended') {
        await snapshots?.drop()
        acting.secrets.forget(run)
      }
      const standing = how === 'parked' ? standingOf(fold) : undefined
      const { seq, hash } = port.head()
      if (standing !== undefined) await journal.putSnapshot(run, { seq, hash, text: scrubbedText(JSON.stringify(standing), secrets.scrub) }, 'standing')
      return how
    } finally {
      stopLease()
      port.close()
      observer?.released?.(released)
      await journal.release(lease).catch(() => {})
    }
  }
  return { events, settled: releaseAll(), stop: port.interrupt, handOver: port.handOver, fold, head: port.head }
}

/** The outcome of a run as its row and end tell it. */
export const outcomeOf = <O>(row: RunRow, end: { readonly failure?: Failure; readonly output?: unknown; readonly defect?: true } | undefined): RunOutcome<O> => {
  const summary = summaryOf(row)
  const failed = end?.failure ?? { code: row.failureCode ?? 'defect', message: `The run ended as ${row.status}.`, retryable: false }
  const output = end?.output === undefined ? {} : { output: end.output as O }
  switch (row.status) {
    case 'done':
      return { ...summary, outcome: 'done', output: (end?.output ?? row.output) as O }
    case 'failed':
      return { ...summary, outcome: 'failed', failure: failed as Failure, ...output, ...(row.defect === true ? { defect: true as const } : {}) }
    case 'limited':
      return { ...summary, outcome: 'limited', failure: failed as Failure, ...output }
    case 'cancelled':
      return { ...summary, outcome: 'cancelled', failure: failed as Failure }
    case 'queued':
    case 'running':
    case 'waiting':
      return { ...summary, outcome: 'waiting', waiting: row.waiting ?? [] }
  }
}
