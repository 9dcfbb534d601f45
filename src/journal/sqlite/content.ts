// Content by hash and snapshots in SQL. Invariant: what is given back is what was put; content that does not match its
// hash is damage, a snapshot that does not match is only a cache to do without.
import { sha256 } from '../../schema/index.ts'
import type { Journal, SnapshotKind, StoredSnapshot } from '../journal.ts'
import { checkText } from '../refusal.ts'
import { blobIn, damaged, textIn } from './connection.ts'
import type { Database } from './database.ts'
import { runIn } from './runs.ts'

// Content is kept as bytes: text columns end at a NUL when Node 22 reads them, and PostgreSQL takes none.
/** Keeps content under its hash. */
export const PUT_CONTENT = 'INSERT INTO content (hash, kind, body) VALUES (?, ?, ?) ON CONFLICT (hash) DO NOTHING'
/** The table of each kind of snapshot. */
const SNAPSHOTS = { standing: 'snapshots', fold: 'folds' } as const satisfies { readonly [K in SnapshotKind]: string }

/** Keeps the newest snapshot of a run. @param values where its five columns come from. */
export const putSnapshot = (kind: SnapshotKind, values: string): string => `INSERT INTO ${SNAPSHOTS[kind]} (run, seq, hash, body, body_hash) ${values}
  ON CONFLICT (run) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, body = excluded.body, body_hash = excluded.body_hash
  WHERE excluded.seq >= ${SNAPSHOTS[kind]}.seq`

/** Finds the snapshot of a run, if the run has its entry. */
export const findSnapshot = (kind: SnapshotKind): string => `SELECT kept.seq, kept.hash, kept.body, body_hash FROM runs
  JOIN ${SNAPSHOTS[kind]} AS kept ON kept.run = runs.no
  JOIN entries ON entries.run = runs.no AND entries.seq = kept.seq AND entries.hash = kept.hash
  WHERE runs.id = ?`

/** What was found, if it is what was put. */
export const snapshotIn = (found: object | undefined): StoredSnapshot | 'damaged' | undefined => {
  if (found === undefined) return undefined
  const { seq, hash, body, body_hash: bodyHash } = found as StoredSnapshot & { readonly body: unknown; readonly body_hash: unknown }
  return typeof body === 'string' && sha256(body) === bodyHash ? { seq, hash, text: body } : 'damaged'
}

/** The part of the journal that is about content and snapshots. */
export const contentOn = (db: Database): Pick<Journal, 'putContent' | 'getContent' | 'listContent' | 'putSnapshot' | 'getSnapshot'> => ({
  async putContent(kind, text) {
    const hash = sha256(text)
    await db.write((sql) => sql.run(PUT_CONTENT, hash, kind, Buffer.from(text)))
    return hash
  },
  getContent: (hash) =>
    db.read((sql) => {
      const found = sql.get('SELECT kind, body FROM content WHERE hash = ?', hash)
      if (found === undefined) return undefined
      const text = blobIn(found['body'], `content ${hash}`)
      if (sha256(text) !== hash) damaged(`content ${hash}`)
      return { kind: textIn(found['kind'], `the kind of content ${hash}`), text }
    }),
  listContent: (kind) =>
    db.read((sql) => {
      db.verifyTable(sql, 'content')
      return sql.all('SELECT hash FROM content WHERE kind = ? ORDER BY rowid', kind).map((row) => textIn(row['hash'], 'the hash of content'))
    }),
  async putSnapshot(run, { seq, hash, text }, kind) {
    checkText(text)
    return db.write((sql) => sql.run(putSnapshot(kind, 'VALUES (?, ?, ?, ?, ?)'), runIn(db, sql, run).no, seq, hash, text, sha256(text)))
  },
  getSnapshot: (run, kind) => db.read((sql) => snapshotIn(sql.get(findSnapshot(kind), run))),
})
