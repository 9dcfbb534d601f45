// Cached responses in PostgreSQL, shared by all machines on the database. Invariant: an entry past its last use answers
// nobody, and a few such entries go with each one that comes.
import type { Clock } from '../../clock/index.ts'
import type { CacheStore } from '../../policy/index.ts'
import { cachedIn, GET_CACHED, SET_CACHED, SWEEP_CACHED } from '../sqlite/cache.ts'
import type { PgDatabase } from './database.ts'

/** The cache on a database. */
export const pgCacheOn = (db: PgDatabase, clock: Clock): CacheStore => ({
  get: async (key) => {
    const [row] = await db.once('Reading', GET_CACHED, key, clock.now())
    return row === undefined ? undefined : cachedIn(row)
  },
  set: async (key, { text, storedAtMs, freshUntilMs, staleUntilMs }) => {
    await db.once('Writing to', SWEEP_CACHED, clock.now())
    await db.once('Writing to', SET_CACHED, key, Buffer.from(text), storedAtMs, freshUntilMs, staleUntilMs)
  },
  delete: async (key) => void (await db.once('Writing to', 'DELETE FROM cache WHERE key = ?', key)),
})
