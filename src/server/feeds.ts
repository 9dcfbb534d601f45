// The feeds of a server, one for each run that somebody watches. Invariant: a feed lives exactly as long as it has readers.
import type { Agent } from '../agent/index.ts'
import type { Clock } from '../clock/index.ts'
import type { Runtime } from '../run/index.ts'
import { Feed, type Cursor, type FeedReader } from './feed.ts'

/** Feeds by run. */
export interface Feeds {
  /**
   * Opens a reader, which the caller must close.
   * @throws FailureError `definition_changed`, `journal_corrupt`, `journal_unavailable`.
   */
  readonly open: (run: string, agent: Agent, from: Cursor | undefined) => Promise<FeedReader>
  /** Ends every reader. */
  readonly close: () => void
}

/** Makes the feeds of a server. */
export const feeds = (runtime: Runtime, clock: Clock): Feeds => {
  const open = new Map<string, { readonly feed: Feed; readers: number }>()
  const leave = (run: string, entry: { readonly feed: Feed; readers: number }): void => {
    entry.readers -= 1
    if (entry.readers > 0) return
    entry.feed.close()
    if (open.get(run) === entry) open.delete(run)
  }
  return {
    open: async (run, agent, from) => {
      const entry = open.get(run) ?? { feed: new Feed({ runtime, clock, run, agent }), readers: 0 }
      open.set(run, entry)
      entry.readers += 1
      try {
        await entry.feed.loaded
      } catch (error) {
        leave(run, entry)
        throw error
      }
      const reader = entry.feed.read(from)
      let left = false
      return {
        next: reader.next,
        close: () => {
          if (left) return
          left = true
          reader.close()
          leave(run, entry)
        },
      }
    },
    close: () => {
      for (const { feed } of open.values()) feed.close()
    },
  }
}
