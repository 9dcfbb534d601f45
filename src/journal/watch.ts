// Who wants to know that something was posted to a run. Invariant: a watcher that was taken off is never called again.

/** Watchers by run. */
interface Watchers {
  /** @returns takes the watcher off again. */
  readonly add: (run: string, notify: () => void) => () => void
  readonly notify: (run: string) => void
}

/** Makes an empty set of watchers. */
export const watchers = (): Watchers => {
  const byRun = new Map<string, Set<() => void>>()
  return {
    add(run, notify) {
      const watcher = (): void => notify()
      const watching = byRun.get(run) ?? new Set()
      byRun.set(run, watching.add(watcher))
      return () => {
        if (watching.delete(watcher) && watching.size === 0) byRun.delete(run)
      }
    },
    notify(run) {
      for (const watcher of byRun.get(run) ?? []) watcher()
    },
  }
}
