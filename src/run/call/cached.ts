// Answers a call from the cache where it can, and performs equal calls at the same time once. Invariant: only complete,
// validated results are kept, and an answer from the cache is billed nothing and says what it saved.
import type { Json } from '../../failure/index.ts'
import type { CallRecord, Outcome } from '../../journal/index.ts'
import { cacheKey, type CacheHit, type CachePolicy } from '../../policy/index.ts'
import type { RunInfo, StepIo } from '../effect.ts'

/** A call that may be answered from the cache. */
export interface Cacheable {
  readonly policy: CachePolicy
  /** Everything that decides the answer. */
  readonly parts: Json
  readonly run: Pick<RunInfo, 'tenant' | 'user'>
  /** Whether a value may be kept. Default: any. */
  readonly isStorable?: (value: Json) => boolean
}

/** What is kept: the value, and what it cost then. */
interface Kept {
  readonly value: Json
  readonly calls?: readonly CallRecord[]
  readonly addedNano?: number
}

const NOTHING_USED = { inputTokens: 0, outputTokens: 0 }

const savedBy = ({ calls = [], addedNano = 0 }: Kept): number | null => calls.reduce<number | null>((sum, { costNano }) => (sum === null || costNano === null ? null : sum + costNano), addedNano)

/** The outcome of an answer that somebody else was billed for. */
const reused = (kept: Kept, durationMs: number, cached: Omit<NonNullable<Outcome['cached']>, 'savedNano'>): Outcome => ({
  ok: true,
  value: structuredClone(kept.value),
  durationMs,
  cached: { ...cached, savedNano: savedBy(kept) },
  ...(kept.calls === undefined
    ? {}
    : { calls: kept.calls.map(({ firstTokenMs: _first, requestId: _id, ...call }) => ({ ...call, latencyMs: durationMs, usage: NOTHING_USED, costNano: 0, cached: true, savedNano: call.costNano })) }),
})

const keptOf = (outcome: Outcome & { readonly ok: true }): Kept => ({
  value: outcome.value,
  ...(outcome.calls === undefined ? {} : { calls: outcome.calls }),
  ...(outcome.addedNano === undefined ? {} : { addedNano: outcome.addedNano }),
})

const fromHit = (hit: CacheHit, io: StepIo, durationMs: number): Outcome =>
  reused(hit.value as unknown as Kept, durationMs, { ageMs: Math.max(0, io.acting.clock.now() - hit.storedAtMs), ...(hit.stale ? { stale: true } : {}) })

/** The key a call is kept under. */
const keyOf = ({ policy, parts, run }: Pick<Cacheable, 'policy' | 'parts' | 'run'>): string => cacheKey(run, policy.sharing ?? 'tenant', parts)

/** An answer whose time to live may be over, for use after a failure; undefined when there is none. */
export const staleAnswer = async (call: Cacheable, io: StepIo): Promise<Outcome | undefined> => {
  const started = io.acting.clock.monotonic()
  const hit = await io.acting.policies.cache.get(keyOf(call), { stale: true })
  return hit === undefined ? undefined : fromHit(hit, io, Math.round(io.acting.clock.monotonic() - started))
}

/** Outcomes of shared calls that somebody was billed for. */
const billed = new WeakSet<Outcome>()

/**
 * Performs a call through the cache. Of those who share one call the first to get its outcome is billed, usually the one
 * who began it; when that one has left, the next.
 * @throws the signal's reason when the caller's own signal aborts.
 */
export const throughCache = async (call: Cacheable, io: StepIo, perform: (io: StepIo) => Promise<Outcome>): Promise<Outcome> => {
  const { cache, flights } = io.acting.policies
  const started = io.acting.clock.monotonic()
  const elapsedMs = (): number => Math.round(io.acting.clock.monotonic() - started)
  const key = keyOf(call)
  const hit = await cache.get(key)
  if (hit !== undefined) return fromHit(hit, io, elapsedMs())
  const flight = await flights.run(key, io.signal, async (signal) => {
    const outcome = await perform({ ...io, signal })
    if (outcome.ok && (call.isStorable?.(outcome.value) ?? true)) await cache.set(key, keptOf(outcome) as unknown as Json, call.policy)
    return outcome
  })
  if (!billed.has(flight.value)) {
    billed.add(flight.value)
    return flight.value
  }
  return flight.value.ok ? reused(keptOf(flight.value), elapsedMs(), { ageMs: 0 }) : { ok: false, failure: flight.value.failure, durationMs: elapsedMs() }
}
