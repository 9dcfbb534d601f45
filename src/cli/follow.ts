// Watches a run until it rests: shows it, prints the result, and drains on a signal. Invariant: standard output carries
// either text for people, or one JSON document, or with `--events` one JSON value per line.
import { sleep, systemClock } from '../clock/index.ts'
import type { RunEvent, RunHandle, RunOutcome, Runtime } from '../run/index.ts'
import { exitOf } from './exit-code.ts'
import type { Io } from './io.ts'
import { liveView } from './live-view.ts'
import { printOutcome } from './result.ts'
import { commandLine } from './shell.ts'
import type { Visit } from './visit.ts'

/** How a run's progress and result are written. */
export interface FollowOptions {
  readonly json: boolean
  readonly events: boolean
  /** What the user must be told, such as that no language model answers. */
  readonly notes: readonly string[]
  /** Options that commands which go on with the run must repeat. */
  readonly repeat: readonly string[]
  /** Visits that began before this process took the run up. */
  readonly open?: readonly Visit[]
}

/** Hands out events until the run rests, then those that are left. */
const pump = async (handle: RunHandle, take: (event: RunEvent) => void): Promise<RunOutcome> => {
  const events = handle[Symbol.asyncIterator]()
  const rests = handle.outcome().then((outcome) => ({ outcome }))
  const later = sleep.bind(undefined, systemClock, 0)
  let next = events.next()
  let idle: Promise<unknown> = rests
  for (;;) {
    const got = await Promise.race([next, idle])
    if (got !== undefined && typeof got === 'object' && got !== null && 'done' in got) {
      const { done, value } = got as IteratorResult<RunEvent, undefined>
      if (done === true) return (await rests).outcome
      take(value)
      next = events.next()
      continue
    }
    if (idle !== rests) return (await rests).outcome
    // What was published before the run rested is still in the buffer.
    idle = later()
  }
}

/** Closes the runtime on SIGINT or SIGTERM; a second signal ends the process. @returns stops listening. */
export const drainOnSignal = (io: Io, runtime: Runtime, run: () => string | undefined, repeat: readonly string[]): (() => void) => {
  let draining = false
  const stop = (signal: NodeJS.Signals): void => {
    if (draining) process.exit(signal === 'SIGINT' ? 130 : 143)
    draining = true
    const id = run()
    const goOn = id === undefined ? '' : ` The run can go on later: ${commandLine(['resume', id, ...repeat], io)}`
    io.err(`\n${signal}: finishing what is under way, up to 5 s; again to stop at once.${goOn}\n`)
    void runtime.close().catch(() => {})
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return () => {
    process.off('SIGINT', stop)
    process.off('SIGTERM', stop)
  }
}

/**
 * Follows a run. @returns the exit code.
 * @throws FailureError when this process cannot go on with it: `draining`, `lease_lost`, `journal_unavailable`.
 */
export const follow = async (io: Io, handle: RunHandle, { json, events, notes, repeat, open }: FollowOptions): Promise<number> => {
  const line = (value: unknown): void => io.out(`${JSON.stringify(value)}\n`)
  const view = json || events ? undefined : liveView(io, systemClock, open)
  if (view !== undefined) for (const note of notes) io.out(`${io.style('yellow', note)}\n`)
  let rested: RunOutcome['outcome'] = 'waiting'
  try {
    const outcome = await pump(handle, events ? line : (event) => view?.take(event))
    rested = outcome.outcome
    view?.end(rested !== 'waiting')
    const document = notes.length === 0 ? outcome : { ...outcome, notes }
    if (events) line(document)
    else if (json) io.out(`${JSON.stringify(document, null, 2)}\n`)
    else printOutcome(io, outcome, { run: handle.id, options: repeat })
    return exitOf(outcome.outcome)
  } catch (error) {
    view?.end(false)
    throw error
  }
}
