// A leaky budget of requests or tokens that fills up at a steady rate, either as an author states it or as a provider's
// headers report it. Pure but for the time it is told.

/** What a bucket holds. */
export interface Bucket {
  /** Milliseconds until `cost` fits; 0 when it fits now. */
  waitMs(cost: number, now: number): number
  take(cost: number, now: number): void
  /** Puts back what a call reserved and did not use. */
  give(cost: number, now: number): void
  /** Corrects the bucket by what the provider says is left. @param inFlight reserved by calls it may not have seen yet. */
  observe(limit: number | undefined, remaining: number, resetMs: number, inFlight: number, now: number): void
}

/** Makes a bucket; without a size it lets everything through until the provider states one. */
export const bucket = (size = Infinity, perMs = size / 60_000): Bucket => {
  let capacity = size
  let rate = perMs
  let level = size
  let at = 0
  const fill = (now: number): void => {
    if (capacity !== Infinity) level = Math.min(capacity, level + rate * Math.max(0, now - at))
    at = now
  }
  return {
    waitMs(cost, now) {
      fill(now)
      // A call larger than the whole bucket goes once the bucket is full: it could never fit.
      const missing = Math.min(cost, capacity) - level
      if (capacity === Infinity || missing <= 0) return 0
      return Math.ceil(missing / rate)
    },
    take(cost, now) {
      fill(now)
      if (capacity !== Infinity) level -= cost
    },
    give(cost, now) {
      fill(now)
      if (capacity !== Infinity) level = Math.min(capacity, level + cost)
    },
    observe(limit, remaining, resetMs, inFlight, now) {
      capacity = Math.max(1, limit ?? Math.max(remaining, capacity === Infinity ? 1 : capacity))
      // The provider names the time until it is full again; that is also how fast it fills.
      rate = resetMs > 0 && capacity > remaining ? (capacity - remaining) / resetMs : capacity / 60_000
      level = Math.max(0, remaining - inFlight)
      at = now
    },
  }
}
