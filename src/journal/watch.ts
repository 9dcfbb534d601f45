// Who wants to know what happens to a run. Invariant: a watcher that was taken off is never called again.

/** Watchers by run, told a `T` each time. */
export interface Watchers<T = void> {
  /** @returns takes the watcher off again. */
  readonly add: (run: string, notify: (news: T) => void) => () => void
  readonly has: (run: string) => boolean
  readonly notify: (run: string, news: T) => void
}

/** Makes an empty set of watchers. */
export const watchers = <T = void>(): Watchers<T> => {
  const byRun = new Map<string, Set<(news: T) => void>>()
  return {
    add(run, notify) {
      const watcher = (news: T): void => notify(news)
      const watching = byRun.get(run) ?? new Set()
      byRun.set(run, watching.add(watcher))
      return () => {
        if (watching.delete(watcher) && watching.size === 0) byRun.delete(run)
      }
    },
    has: (run) => byRun.has(run),
    notify(run, news) {
      for (const watcher of byRun.get(run) ?? []) watcher(news)
    },
  }
}
