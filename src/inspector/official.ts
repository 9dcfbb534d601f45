// A run in the protocol of the official inspector, `@statelyai/inspect` 0.7: three kinds of frame, one machine each.
// Invariant: frames hold what the official ones hold and nothing else, so every tool that reads those reads these.
import type { Agent } from '../agent/index.ts'
import { sleep, systemClock } from '../clock/index.ts'
import { isEnded, type Journal } from '../journal/index.ts'
import { historyOf, type HistoryActor, type HistoryStep } from '../run/index.ts'
import { statelyConfig } from './export/stately.ts'
import { clip } from './feed/clip.ts'
import { outgoing } from './secrets.ts'

/** Version of the protocol. */
const VERSION = '0.7.2'

/** What every frame has. */
interface Common {
  /** Version of the protocol. */
  readonly _version: string
  /** Milliseconds UTC, as text. */
  readonly createdAt: string
  /** The machine: the run's id, and the path of a child behind it. */
  readonly sessionId: string
  /** The run's own machine. */
  readonly rootId: string
  /** The run and its entry: `<run>/<seq>`. */
  readonly id: string
}

/** Where a machine stands. */
interface OfficialSnapshot {
  readonly status: 'active' | 'done' | 'error' | 'stopped'
  readonly value: unknown
  readonly context: unknown
  readonly output?: unknown
  readonly error?: unknown
}

/** A frame of the official protocol. */
export type OfficialFrame = Common &
  (
    | { readonly type: '@xstate.actor'; readonly name: string; readonly parentId: string | undefined; readonly definition: string; readonly snapshot: OfficialSnapshot }
    | { readonly type: '@xstate.event'; readonly event: { readonly type: string }; readonly sourceId: string | undefined }
    | { readonly type: '@xstate.snapshot'; readonly event: { readonly type: string }; readonly snapshot: OfficialSnapshot }
  )

const ENDS = { done: 'done', failed: 'error', limited: 'error', cancelled: 'stopped' } as const

const withoutRun = ({ $run: _run, ...context }: HistoryActor['context']): unknown => clip(context)

/** Makes frames of one run's steps, in order. */
class Frames {
  readonly #run: string
  readonly #known = new Set<string>()

  constructor(run: string) {
    this.#run = run
  }

  of({ entry, events, actors }: HistoryStep): readonly OfficialFrame[] {
    const common = { _version: VERSION, createdAt: String(entry.at), rootId: this.#run, id: `${this.#run}/${entry.seq}` }
    const { end } = entry.body
    return actors.flatMap((actor): readonly OfficialFrame[] => {
      const { path, value, context } = actor
      const session = { ...common, sessionId: `${this.#run}${path}` }
      const ended = path === '' && end !== undefined
      const standing: OfficialSnapshot = {
        status: ended ? ENDS[end.outcome] : 'active',
        value,
        context: withoutRun(context),
        ...(ended && end.output !== undefined ? { output: clip(end.output) } : {}),
        ...(ended && end.failure !== undefined ? { error: clip(end.failure) } : {}),
      }
      if (!this.#known.has(path)) {
        this.#known.add(path)
        const parent = path === '' ? undefined : `${this.#run}${path.slice(0, path.lastIndexOf('/'))}`
        return [{ ...session, type: '@xstate.actor', name: actor.agent.id, parentId: parent, definition: JSON.stringify(statelyConfig(actor.agent.machine)), snapshot: standing }]
      }
      return events.flatMap((event): readonly OfficialFrame[] =>
        event.type !== 'transition.taken' || event.actor !== path
          ? []
          : [
              { ...session, type: '@xstate.event', event: { type: event.event }, sourceId: undefined },
              { ...session, type: '@xstate.snapshot', event: { type: event.event }, snapshot: { ...standing, value: event.to } },
            ],
      )
    })
  }
}

/** Whom frames go to. */
export interface OfficialOptions {
  /** Where the runs are. */
  readonly journal: Journal
  /** Gets each frame; for instance `(frame) => official.adapter.send(frame)`. Must not throw. */
  readonly send: (frame: OfficialFrame) => void
  /** Values that must not be sent, as in `createRuntime({ secrets })`. Those of the environment are known anyway. Default: no others. */
  readonly secrets?: readonly string[]
  /** How often the journal is asked for new steps, milliseconds. Default 250. */
  readonly pollMs?: number
}

/** Sends runs to the official inspector. */
export interface OfficialInspector {
  /**
   * Sends a run from its beginning, and goes on until it ends or `close` is called.
   * @throws FailureError `run_not_found`, `definition_changed`, `journal_unavailable`.
   */
  readonly follow: (run: string, agent: Agent) => Promise<void>
  /** Stops sending. */
  readonly close: () => void
}

/**
 * Shows runs in the official inspector of Stately, live or recorded.
 * @example
 * const official = createWebSocketInspector({ url: 'ws://localhost:8080' })
 * const watching = inspector({ journal: runtime.journal, send: (frame) => official.adapter.send(frame as never) })
 * await watching.follow(run.id, agent)
 */
export const inspector = ({ journal, send, secrets = [], pollMs = 250 }: OfficialOptions): OfficialInspector => {
  const closed = new AbortController()
  const { data } = outgoing(secrets)
  return {
    async follow(run, agent) {
      const frames = new Frames(run)
      const history = historyOf(journal, run, agent)
      for (let ended = false; !ended && !closed.signal.aborted;) {
        const row = await journal.get(run)
        for (const step of await history.next()) for (const frame of frames.of(step)) send(data(frame))
        ended = row !== undefined && isEnded(row.status)
        if (!ended) await sleep(systemClock, pollMs, closed.signal).catch(() => {})
      }
    },
    close: () => closed.abort(),
  }
}
