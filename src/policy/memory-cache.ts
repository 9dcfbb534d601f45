// A cache store in memory: least recently used entries go first. Invariant: the texts it holds never exceed its size;
// one that is larger by itself is not kept.
import { createRequire } from 'node:module'
import type { LRUCache } from 'lru-cache'
import type { CacheEntry, CacheStore } from './response-cache.ts'

/** Bytes of an entry beside its text: key, times, bookkeeping. */
const OVERHEAD_BYTES = 256

const load = createRequire(import.meta.url)

/** A store in memory that can be asked how full it is. */
export interface MemoryCacheStore extends CacheStore {
  sizeBytes(): number
}

/** Makes a store. @param maxBytes size of all texts in UTF-8 with their overhead. Default 32 MiB. */
export const memoryCacheStore = ({ maxBytes = 32 * 1024 * 1024 }: { readonly maxBytes?: number } = {}): MemoryCacheStore => {
  let entries: LRUCache<string, CacheEntry> | undefined
  const opened = (): LRUCache<string, CacheEntry> => {
    const { LRUCache: Cache } = load('lru-cache') as typeof import('lru-cache')
    return (entries ??= new Cache<string, CacheEntry>({ maxSize: maxBytes, sizeCalculation: ({ text }) => Buffer.byteLength(text) + OVERHEAD_BYTES }))
  }
  return {
    get: (key) => entries?.get(key),
    set: (key, entry) => void opened().set(key, entry),
    delete: (key) => void entries?.delete(key),
    sizeBytes: () => entries?.calculatedSize ?? 0,
  }
}
