// Exact-match cache of finished results, kept as JSON text in one or more tiers. Invariant: a hit is a frozen copy that
// nobody else can change, from the same tenant unless the author shares it, and never older than its time to live
// except where a caller asks for stale values.
import type { Clock } from '../clock/index.ts'
import type { Json } from '../failure/index.ts'
import { hashOf } from '../schema/index.ts'

/** Version of the key's recipe: a new one makes old entries unreachable. */
const KEY_VERSION = 1

/** Who a cached value is for. */
export interface CacheScope {
  readonly tenant?: string
  readonly user?: string
}

/** Who shares cached values: everybody of a tenant (default), one user, or all who use the store. */
export type CacheSharing = 'tenant' | 'user' | 'everyone'

/** A value in a store. */
export interface CacheEntry {
  /** The value as JSON. */
  readonly text: string
  /** Milliseconds UTC. */
  readonly storedAtMs: number
  /** Until when it answers calls, milliseconds UTC. */
  readonly freshUntilMs: number
  /** Until when it may stand in for a failed call, milliseconds UTC. */
  readonly staleUntilMs: number
}

/** Where entries are kept. A store may forget any entry at any time. */
export interface CacheStore {
  get(key: string): CacheEntry | undefined | Promise<CacheEntry | undefined>
  set(key: string, entry: CacheEntry): void | Promise<void>
  delete(key: string): void | Promise<void>
}

/** How long a value lives. */
export interface CachePolicy {
  /** How long it answers calls, milliseconds. */
  readonly ttlMs: number
  /** How much longer it may stand in for a failed call, milliseconds. Default 0. */
  readonly staleMs?: number
  /** Default `tenant`. */
  readonly sharing?: CacheSharing
}

/** A value that was found. */
export interface CacheHit {
  /** Deeply frozen. */
  readonly value: Json
  readonly storedAtMs: number
  /** True when its time to live is over. */
  readonly stale: boolean
}

/** Reads and writes finished results. A store that fails counts as one that holds nothing. */
export interface ResponseCache {
  /** The value under a key; with `stale`, also one whose time to live is over, for use after a failure. */
  get(key: string, options?: { readonly stale?: boolean }): Promise<CacheHit | undefined>
  /** Keeps a complete, validated result. Never give it failures or partial results. */
  set(key: string, value: Json, policy: CachePolicy): Promise<void>
}

/**
 * Key of a call: SHA-256 over canonical JSON of who it is for and of everything that decides the answer, hexadecimal.
 * @param parts provider, model, messages, tools, schema, parameters; for a retriever its name, version and query.
 * @throws Error when `parts` is not JSON.
 */
export const cacheKey = (scope: CacheScope, sharing: CacheSharing, parts: Json): string => {
  const { tenant = null, user = null } = scope
  const owner = { everyone: [], tenant: [tenant], user: [tenant, user] }[sharing]
  return hashOf({ version: KEY_VERSION, sharing, owner, parts })
}

const freeze = (value: Json): Json => {
  if (typeof value !== 'object' || value === null) return value
  for (const item of Object.values(value)) freeze(item as Json)
  return Object.freeze(value)
}

const read = (entry: CacheEntry): { readonly value: Json } | undefined => {
  try {
    return { value: freeze(JSON.parse(entry.text) as Json) }
  } catch {
    return undefined
  }
}

/** What a cache needs. */
export interface ResponseCacheOptions {
  readonly clock: Clock
  /** The fastest first; a hit in a slower one is copied into the faster ones. */
  readonly stores: readonly CacheStore[]
  /** Hears what a store threw; the call goes on without it. Must not throw. */
  readonly onError?: (thrown: unknown) => void
}

/** Makes a cache over one or more stores. */
export const responseCache = ({ clock, stores, onError }: ResponseCacheOptions): ResponseCache => {
  const quietly = async <T>(act: () => T | Promise<T>): Promise<T | undefined> => {
    try {
      return await act()
    } catch (thrown) {
      onError?.(thrown)
      return undefined
    }
  }
  return {
    async get(key, { stale = false } = {}) {
      for (const [tier, store] of stores.entries()) {
        const entry = await quietly(() => store.get(key))
        if (entry === undefined) continue
        const now = clock.now()
        const found = entry.staleUntilMs <= now ? undefined : read(entry)
        if (found === undefined) await quietly(() => store.delete(key))
        else if (stale || entry.freshUntilMs > now) {
          for (const faster of stores.slice(0, tier)) await quietly(() => faster.set(key, entry))
          return { value: found.value, storedAtMs: entry.storedAtMs, stale: entry.freshUntilMs <= now }
        }
      }
      return undefined
    },
    async set(key, value, { ttlMs, staleMs = 0 }) {
      const storedAtMs = clock.now()
      const entry = { text: JSON.stringify(value), storedAtMs, freshUntilMs: storedAtMs + ttlMs, staleUntilMs: storedAtMs + ttlMs + staleMs }
      for (const store of stores) await quietly(() => store.set(key, entry))
    },
  }
}
