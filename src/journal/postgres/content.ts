// Content by hash and snapshots in PostgreSQL. Invariant: what is given back is what was put, and an append waits for the
// content that was put before it.
import { sha256 } from '../../schema/index.ts'
import type { Journal } from '../journal.ts'
import { checkText, refuseUnknown } from '../refusal.ts'
import { blobIn, damaged, textIn } from '../sqlite/connection.ts'
import { findSnapshot, PUT_CONTENT, putSnapshot, snapshotIn } from '../sqlite/content.ts'
import type { PgDatabase } from './database.ts'

/** The part of the journal that is about content and snapshots, with what an append waits for. */
export const pgContentOn = (db: PgDatabase): Pick<Journal, 'putContent' | 'getContent' | 'listContent' | 'putSnapshot' | 'getSnapshot'> & { readonly settled: () => Promise<void> } => {
  const pending = new Set<Promise<unknown>>()
  return {
    async settled() {
      if (pending.size > 0) await Promise.all(pending)
    },
    async putContent(kind, text) {
      const hash = sha256(text)
      const put = db.once('Writing to', PUT_CONTENT, hash, kind, Buffer.from(text))
      pending.add(put)
      try {
        await put
      } finally {
        pending.delete(put)
      }
      return hash
    },
    async getContent(hash) {
      const [found] = await db.once('Reading', 'SELECT kind, body FROM content WHERE hash = ?', hash)
      if (found === undefined) return undefined
      const text = blobIn(found['body'], `content ${hash}`)
      if (sha256(text) !== hash) damaged(`content ${hash}`)
      return { kind: textIn(found['kind'], `the kind of content ${hash}`), text }
    },
    async listContent(kind) {
      const found = await db.once('Reading', 'SELECT hash FROM content WHERE kind = ? ORDER BY no', kind)
      return found.map((row) => textIn(row['hash'], 'the hash of content'))
    },
    async putSnapshot(run, { seq, hash, text }, kind) {
      checkText(text)
      const [row] = await db.once('Reading', 'SELECT no FROM runs WHERE id = ?', run)
      if (row === undefined) refuseUnknown(run)
      await db.once('Writing to', putSnapshot(kind, 'SELECT no, ?::bigint, ?, ?, ? FROM runs WHERE id = ?'), seq, hash, text, sha256(text), run)
    },
    async getSnapshot(run, kind) {
      const [found] = await db.once('Reading', findSnapshot(kind), run)
      return snapshotIn(found)
    },
  }
}
