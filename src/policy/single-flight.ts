// Equal calls at the same time are performed once and share the result. Invariant: one caller's abort ends only that
// caller's wait; the work is aborted when nobody waits for it any more, and a later caller never joins aborted work.

/** What one caller gets. */
export interface Flight<T> {
  /** The result; several callers may hold the same object. */
  readonly value: T
  /** True for a caller that joined work another had begun. */
  readonly shared: boolean
}

/** Performs equal work once. */
export interface SingleFlight<T> {
  /**
   * Joins the work under `key`, or begins it. The work gets a signal of its own; what it rejects with reaches all who wait.
   * @throws the signal's reason when the caller's own signal aborts.
   */
  run(key: string, signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<Flight<T>>
  /** How many pieces of work are under way. */
  size(): number
}

interface Work<T> {
  readonly result: Promise<T>
  readonly controller: AbortController
  waiters: number
}

/** Makes an empty single flight. */
export const singleFlight = <T>(): SingleFlight<T> => {
  const flying = new Map<string, Work<T>>()
  const forget = (key: string, work: Work<T>): void => {
    if (flying.get(key) === work) flying.delete(key)
  }
  const begin = (key: string, perform: (signal: AbortSignal) => Promise<T>): Work<T> => {
    const controller = new AbortController()
    const work: Work<T> = { controller, waiters: 0, result: new Promise((resolve) => resolve(perform(controller.signal))) }
    flying.set(key, work)
    const landed = (): void => forget(key, work)
    work.result.then(landed, landed)
    return work
  }
  const wait = (key: string, work: Work<T>, signal: AbortSignal | undefined): Promise<T> => {
    work.waiters++
    return new Promise<T>((resolve, reject) => {
      const leave = (): void => {
        reject(signal?.reason as Error)
        if (--work.waiters > 0) return
        forget(key, work)
        work.controller.abort(signal?.reason)
      }
      signal?.addEventListener('abort', leave, { once: true })
      work.result.then(resolve, reject).finally(() => signal?.removeEventListener('abort', leave))
    })
  }
  return {
    async run(key, signal, perform) {
      signal?.throwIfAborted()
      const under = flying.get(key)
      const value = await wait(key, under ?? begin(key, perform), signal)
      return { value, shared: under !== undefined }
    },
    size: () => flying.size,
  }
}
