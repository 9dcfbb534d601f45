// Performs tasks a bounded number at a time. Invariant: no task starts after one has thrown, and all that started have
// ended when it rejects.

/** Performs tasks in order, at most `concurrency` at once; a task may say that no further one is to start. */
export const inPool = async (tasks: readonly (() => Promise<void>)[], concurrency: number, goOn: () => boolean): Promise<void> => {
  let next = 0
  const problems: unknown[] = []
  const work = async (): Promise<void> => {
    while (next < tasks.length && problems.length === 0 && goOn()) {
      const task = tasks[next++]
      try {
        await task?.()
      } catch (error) {
        problems.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, tasks.length)) }, work))
  if (problems.length > 0) throw problems[0]
}
