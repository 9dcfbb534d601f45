// Everything an inspector can show, by id. Invariant: the number of feeds kept in memory is bounded; one that was let go is
// read again from the journal when somebody asks.
import type { Agent } from '../../agent/index.ts'
import { fail, failureOf } from '../../failure/index.ts'
import type { RunRow } from '../../journal/index.ts'
import type { Aggregate, Comparison, Overview } from '../page/wire.ts'
import type { InspectorSource } from '../source.ts'
import { aggregateRuns } from './aggregate.ts'
import { compareFeeds } from './compare.ts'
import type { Feed } from './feed.ts'
import { readFrame, ReportedFeed } from './reported-feed.ts'
import { RunFeed } from './run-feed.ts'
import { summaryOf } from './summary.ts'

/** Feeds kept. */
const MOST_FEEDS = 12
const MOST_REPORTED = 50
/** Runs in the list. */
const MOST_RUNS = 200

/** What can be shown. */
export class Library {
  readonly source: InspectorSource
  reportTo: string | undefined
  readonly #first: Pick<Overview, 'open' | 'live'>
  readonly #feeds = new Map<string, RunFeed>()
  readonly #reported = new Map<string, ReportedFeed>()
  #reporters = 0

  constructor(source: InspectorSource, first: Pick<Overview, 'open' | 'live'>) {
    this.source = source
    this.#first = first
  }

  async overview(): Promise<Overview> {
    const rows = await this.source.journal.list({ limit: MOST_RUNS })
    const reported = [...this.#reported.values()].map(({ run }) => run)
    return {
      runs: [...reported.toReversed(), ...rows.map((row) => summaryOf(row))],
      agents: [...new Set([...(this.source.agents ?? []).map(({ id }) => id), ...rows.map(({ agent }) => agent)])],
      control: this.source.control !== undefined,
      ...this.#first,
      ...(this.reportTo === undefined ? {} : { reportTo: this.reportTo }),
    }
  }

  /** @throws FailureError `run_not_found`. */
  async feed(id: string): Promise<Feed> {
    const reported = this.#reported.get(id)
    if (reported !== undefined) return reported
    const known = this.#feeds.get(id)
    if (known !== undefined) {
      this.#feeds.delete(id)
      this.#feeds.set(id, known)
      return known
    }
    const row = (await this.source.journal.get(id)) ?? fail('run_not_found', `The journal has no run ${id}.`)
    const feed = await this.#openRun(row)
    this.#feeds.set(id, feed)
    const [oldest] = this.#feeds.keys()
    if (this.#feeds.size > MOST_FEEDS && oldest !== undefined) this.#feeds.delete(oldest)
    return feed
  }

  async #openRun(row: RunRow): Promise<RunFeed> {
    try {
      return new RunFeed(this.source.journal, row, await this.#agentOf(row))
    } catch (thrown) {
      const known = failureOf(thrown)
      if (known === undefined) throw thrown
      return new RunFeed(this.source.journal, row, undefined, known.message.replace(/\.$/, ''))
    }
  }

  async #agentOf(row: RunRow): Promise<Agent | undefined> {
    return (await this.source.agentOf?.(row)) ?? this.source.agents?.find(({ id }) => id === row.agent)
  }

  /** A new connection that reports machines. @returns takes one frame's text. */
  reporter(): (text: string) => void {
    const connection = ++this.#reporters
    return (text) => {
      const frame = readFrame(text)
      if (frame === undefined) return
      const key = JSON.stringify([connection, frame.rootId])
      this.#reportedFeed(key, frame.rootId).take(frame, Date.now())
    }
  }

  readonly #roots = new Map<string, string>()

  #reportedFeed(key: string, root: string): ReportedFeed {
    const id = this.#roots.get(key) ?? `xstate-${this.#roots.size + 1}`
    this.#roots.set(key, id)
    const feed = this.#reported.get(id) ?? new ReportedFeed(id, root, Date.now())
    this.#reported.set(id, feed)
    const [oldest] = this.#reported.keys()
    if (this.#reported.size > MOST_REPORTED && oldest !== undefined) this.#reported.delete(oldest)
    return feed
  }

  /** Many runs of an agent on one chart. @throws FailureError `agent_not_found`. */
  async aggregate(agent: string): Promise<Aggregate> {
    const rows = await this.source.journal.list({ agent, limit: MOST_RUNS })
    const known = this.source.agents?.find(({ id }) => id === agent)
    if (rows.length === 0 && known === undefined) fail('agent_not_found', `The journal has no run of an agent ${agent}.`)
    return aggregateRuns(agent, rows, (row) => this.#openRun(row), known)
  }

  /** Two runs side by side. @throws FailureError `run_not_found`. */
  async compare(left: string, right: string): Promise<Comparison> {
    const feeds = [await this.feed(left), await this.feed(right)] as const
    for (const feed of feeds) await feed.refresh()
    return compareFeeds(...feeds)
  }
}
