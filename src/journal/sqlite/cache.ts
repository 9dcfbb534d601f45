// Cached responses in SQL, shared by the processes on one database. Invariant: an entry past its last use answers nobody,
// and a few such entries go with each one that comes, so that the table does not grow for ever.
import type { Clock } from '../../clock/index.ts'
import type { CacheEntry, CacheStore } from '../../policy/index.ts'
import { sha256 } from '../../schema/index.ts'
import { blobIn, numberIn, type Columns } from './connection.ts'
import type { Database } from './database.ts'

/** Finds a response that may still be used. */
export const GET_CACHED = 'SELECT body, stored_at, fresh_until, stale_until FROM cache WHERE key = ? AND stale_until > ?'
/** Keeps a response. */
export const SET_CACHED = `INSERT INTO cache (key, body, stored_at, fresh_until, stale_until) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET body = excluded.body, stored_at = excluded.stored_at, fresh_until = excluded.fresh_until, stale_until = excluded.stale_until`
/** Two for each that comes: the table shrinks to what is alive even while it is used. */
export const SWEEP_CACHED = 'DELETE FROM cache WHERE key IN (SELECT key FROM cache WHERE stale_until <= ? LIMIT 2)'

/** A response as it was kept. */
export const cachedIn = (row: Columns): CacheEntry => ({
  text: blobIn(row['body'], 'a cached response'),
  storedAtMs: numberIn(row['stored_at'], 'the time of a cached response'),
  freshUntilMs: numberIn(row['fresh_until'], 'the life of a cached response'),
  staleUntilMs: numberIn(row['stale_until'], 'the life of a cached response'),
})

/** The cache on a database. */
export const cacheOn = (db: Database, clock: Clock): CacheStore => ({
  get: (key) =>
    db.read((sql) => {
      const row = sql.get(GET_CACHED, key, clock.now())
      return row === undefined ? undefined : cachedIn(row)
    }),
  set: (key, { text, storedAtMs, freshUntilMs, staleUntilMs }) =>
    db.write((sql) => {
      sql.run(SWEEP_CACHED, clock.now())
      sql.run(SET_CACHED, key, Buffer.from(text), storedAtMs, freshUntilMs, staleUntilMs)
      sql.seal(sha256(key))
    }),
  delete: (key) => db.write((sql) => sql.run('DELETE FROM cache WHERE key = ?', key)),
})
