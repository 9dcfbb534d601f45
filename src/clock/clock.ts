// The one source of time, randomness and ids. Everything else asks a Clock, so a test, a replay or a
// simulation decides what time it is.

/** Cancels a timer; calling it again does nothing. */
export type CancelTimer = () => void

/** Time, randomness and ids. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number
  /** Milliseconds that never go back, for durations. */
  monotonic(): number
  /**
   * Calls `fire` once, at or after `delayMs` milliseconds. `fire` must not throw.
   * @param background true when the timer alone should not keep the process alive.
   */
  timer(delayMs: number, fire: () => void, background?: boolean): CancelTimer
  /** A number in [0, 1). */
  random(): number
  /** A new UUIDv7. @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7 */
  id(): string
}

/** Resolves after `delayMs` milliseconds of the clock, or rejects with the signal's reason. */
export const sleep = (clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason as Error)
    const stop = (): void => {
      cancel()
      reject(signal?.reason as Error)
    }
    const cancel = clock.timer(delayMs, () => {
      signal?.removeEventListener('abort', stop)
      resolve()
    })
    signal?.addEventListener('abort', stop, { once: true })
  })

/** Formats 48 bits of time and 74 random bits as UUIDv7. */
export const uuidV7 = (nowMs: number, random: () => number): string => {
  const hex = (bits: number): string =>
    Math.floor(random() * 2 ** bits)
      .toString(16)
      .padStart(bits / 4, '0')
  const time = Math.floor(nowMs).toString(16).padStart(12, '0')
  const variant = (8 + Math.floor(random() * 4)).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(12)}-${variant}${hex(12)}-${hex(24)}${hex(24)}`
}
