// What the calls of one runtime share: circuits, limiters, the response cache and calls under way. Invariant: states whose
// policies are equal share their circuits and limiters, across all runs of the runtime.
import type { Clock } from '../../clock/index.ts'
import type { Outcome } from '../../journal/index.ts'
import {
  breakers,
  limiters,
  memoryCacheStore,
  responseCache,
  singleFlight,
  type BreakerPolicy,
  type Breakers,
  type BreakerView,
  type CacheStore,
  type LimiterPolicy,
  type Limiters,
  type LimiterView,
  type ResponseCache,
  type SingleFlight,
} from '../../policy/index.ts'
import { canonical } from '../../schema/index.ts'

/** Circuits and limiters as people and programs read them. */
export interface PolicyView {
  /** Circuits, one for each provider, model and address that was called. */
  readonly breakers: readonly BreakerView[]
  /** Limiters, one for each of the same. */
  readonly limiters: readonly LimiterView[]
}

/** What a runtime's calls share. */
export interface CallPolicies {
  /** The circuits under a state's policy; undefined when it wants none. */
  readonly breakers: (policy: BreakerPolicy | false | undefined) => Breakers | undefined
  readonly limiters: (policy: LimiterPolicy | false | undefined) => Limiters | undefined
  readonly cache: ResponseCache
  /** Equal cacheable calls at the same time are performed once. */
  readonly flights: SingleFlight<Outcome>
  readonly view: () => PolicyView
}

/** What a runtime says about all its calls. */
export interface PolicyOptions {
  readonly clock: Clock
  /** Policy of states that have none of their own; `false` for none. */
  readonly breaker: BreakerPolicy | false
  readonly limiter: LimiterPolicy | false
  /** A slower tier behind the one in memory, shared by processes and kept when they end. */
  readonly cache: CacheStore | undefined
  /** Size of the cache in memory, bytes. */
  readonly cacheBytes: number
}

/** Instances by policy, made when first asked for. */
const byPolicy = <P extends object, T>(fallback: P | false, make: (policy: P) => T) => {
  const made = new Map<string, T>()
  const known = new WeakMap<P, T>()
  const of = (policy: P | false = fallback): T | undefined => {
    if (policy === false) return undefined
    const seen = known.get(policy)
    if (seen !== undefined) return seen
    const key = canonical(policy)
    const found = made.get(key) ?? make(policy)
    made.set(key, found)
    known.set(policy, found)
    return found
  }
  return { of, all: (): readonly T[] => [...made.values()] }
}

/** Makes them, all closed and empty. */
export const callPolicies = ({ clock, breaker, limiter, cache, cacheBytes }: PolicyOptions): CallPolicies => {
  const circuits = byPolicy(breaker, (policy) => breakers({ ...policy, clock }))
  const gates = byPolicy(limiter, (policy) => limiters({ ...policy, clock }))
  const memory = memoryCacheStore({ maxBytes: cacheBytes })
  return {
    breakers: circuits.of,
    limiters: gates.of,
    cache: responseCache({ clock, stores: cache === undefined ? [memory] : [memory, cache] }),
    flights: singleFlight<Outcome>(),
    view: () => ({ breakers: circuits.all().flatMap((one) => one.views()), limiters: gates.all().flatMap((one) => one.views()) }),
  }
}
