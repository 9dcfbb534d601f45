// What a server takes on at once. Invariant: whatever is beyond a limit is refused with a code and a time to come back at;
// nothing queues.
import type { Clock } from '../clock/index.ts'
import { bucket, type Bucket } from '../policy/index.ts'
import type { Identity } from './access.ts'
import { refuse } from './problem.ts'

/** Limits of a server. */
export interface ServerLimits {
  /** Largest body of a request, bytes. Default 1,000,000. */
  readonly bodyBytes?: number
  /** Requests a minute of one tenant and user; of all callers together where neither is known. Default 6,000. */
  readonly requestsPerMinute?: number
  /** Runs at work in this process that this server started or went on with. Default 256. */
  readonly runs?: number
  /** Open event streams and waits for an outcome. Default 2,000. */
  readonly streams?: number
  /** How long a client may leave an event unread before it is let go, milliseconds. Default 60,000. */
  readonly stalledMs?: number
}

/** A count that cannot pass its limit. */
export interface Slots {
  /** Takes one. @returns gives it back; doing that twice does nothing. @throws Refusal `saturated` when all are taken. */
  readonly take: () => () => void
  readonly taken: () => number
}

/** Limits with their defaults. */
export const fullLimits = (limits: ServerLimits): Required<ServerLimits> => ({ bodyBytes: 1_000_000, requestsPerMinute: 6_000, runs: 256, streams: 2_000, stalledMs: 60_000, ...limits })

/** When to come back after all slots were taken. Nobody knows, so a moment. */
const COME_BACK_MS = 1_000

/** Makes slots. @param what they are for, in the plural, with the option that raises them. */
export const slots = (most: number, what: string, option: string): Slots => {
  let taken = 0
  return {
    take: () => {
      if (taken >= most) refuse('saturated', `This server has ${taken} ${what}, as many as it may. Come back later, or raise limits.${option}.`, { retryable: true, details: { retryAfterMs: COME_BACK_MS } })
      taken += 1
      let held = true
      return () => {
        if (held) taken -= 1
        held = false
      }
    },
    taken: () => taken,
  }
}

/** Callers whose rate is remembered; beyond it the longest silent one starts afresh. */
const MOST_CALLERS = 10_000

/** Counts the requests of each caller. @returns throws Refusal `throttled` when one comes too fast. */
export const requestRate = (perMinute: number, clock: Clock): ((identity: Identity) => void) => {
  const callers = new Map<string, Bucket>()
  return ({ tenant = '', user = '' }) => {
    const caller = JSON.stringify([tenant, user])
    const rate = callers.get(caller) ?? bucket(perMinute)
    callers.delete(caller)
    callers.set(caller, rate)
    const [longestSilent = caller] = callers.keys()
    if (callers.size > MOST_CALLERS) callers.delete(longestSilent)
    const waitMs = rate.waitMs(1, clock.monotonic())
    if (waitMs > 0) refuse('throttled', `There were more than ${perMinute} requests in a minute. Come back in ${waitMs} ms.`, { retryable: true, details: { retryAfterMs: waitMs } })
    rate.take(1, clock.monotonic())
  }
}
