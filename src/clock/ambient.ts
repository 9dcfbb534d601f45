// Time and randomness as code reads them that does not ask a clock. A test runs such code a second time in another world,
// to see whether it gives the same. Invariant: the world is put back before control returns, whatever happens.

const YEAR_MS = 31_536_000_000

/** Runs work that must be synchronous with the time a year later and other random numbers. */
export const inAnotherWorld = <T>(work: () => T): T => {
  const RealDate = globalThis.Date
  const { now } = RealDate
  const { random } = Math
  class OtherDate extends RealDate {
    constructor(...given: readonly unknown[]) {
      if (given.length === 0) super(now() + YEAR_MS)
      else super(...(given as [number]))
    }
    static override now = (): number => now() + YEAR_MS
  }
  globalThis.Date = OtherDate as DateConstructor
  Math.random = () => (random() + 0.5) % 1
  try {
    return work()
  } finally {
    globalThis.Date = RealDate
    Math.random = random
  }
}
