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
  /** Of these, those of one tenant and user, where one is known. Default 200. */
  readonly streamsPerCaller?: number
  /** How long a client may leave an event unread before it is let go, milliseconds. Default 60,000. */
  readonly stalledMs?: number
}

/** A count that cannot pass its limit. */
export interface Slots {
  /** Takes one. @returns gives it back; doing that twice does nothing. @throws Refusal `saturated` when all are taken, or all of the caller's. */
  readonly take: (caller?: Identity) => () => void
  readonly taken: () => number
}

/** Limits with their defaults. */
export const fullLimits = (limits: ServerLimits): Required<ServerLimits> => ({ bodyBytes: 1_000_000, requestsPerMinute: 6_000, runs: 256, streams: 2_000, streamsPerCaller: 200, stalledMs: 60_000, ...limits })

/** When to come back after all slots were taken. Nobody knows, so a moment. */
const COME_BACK_MS = 1_000

/** One text for a tenant and user; empty when neither is known. */
const callerKey = ({ tenant, user }: Identity = {}): string => (tenant === undefined && user === undefined ? '' : JSON.stringify([tenant, user]))

/** Makes slots. @param what they are for, in the plural, with the option that raises them. @param mostPerCaller for callers who are known. */
export const slots = (most: number, what: string, option: string, mostPerCaller = Infinity): Slots => {
  const byCaller = new Map<string, number>()
  let taken = 0
  const full = (count: number, raise: string): never =>
    refuse('saturated', `There are ${count} ${what}, as many as there may be. Come back later, or raise limits.${raise}.`, { retryable: true, details: { retryAfterMs: COME_BACK_MS } })
  return {
    take: (caller) => {
      if (taken >= most) full(taken, option)
      const key = callerKey(caller)
      const own = byCaller.get(key) ?? 0
      if (key !== '' && own >= mostPerCaller) full(own, `${option}PerCaller`)
      taken += 1
      byCaller.set(key, own + 1)
      let held = true
      return () => {
        if (!held) return
        held = false
        taken -= 1
        const left = (byCaller.get(key) ?? 1) - 1
        if (left === 0) byCaller.delete(key)
        else byCaller.set(key, left)
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
