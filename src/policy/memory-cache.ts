// A cache store in memory: least recently used entries go first. Invariant: the texts it holds never exceed its size;
// one that is larger by itself is not kept.
import { LRUCache } from 'lru-cache'
import type { CacheEntry, CacheStore } from './response-cache.ts'

/** Bytes of an entry beside its text: key, times, bookkeeping. */
const OVERHEAD_BYTES = 256

/** Makes a store. @param maxBytes size of all texts in UTF-8 with their overhead. Default 32 MiB. */
export const memoryCacheStore = ({ maxBytes = 32 * 1024 * 1024 }: { readonly maxBytes?: number } = {}): CacheStore & { readonly sizeBytes: () => number } => {
  const entries = new LRUCache<string, CacheEntry>({ maxSize: maxBytes, sizeCalculation: ({ text }) => Buffer.byteLength(text) + OVERHEAD_BYTES })
  return {
    get: (key) => entries.get(key),
    set: (key, entry) => void entries.set(key, entry),
    delete: (key) => void entries.delete(key),
    sizeBytes: () => entries.calculatedSize,
  }
}
