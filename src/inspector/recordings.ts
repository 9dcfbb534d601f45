// Recordings as a journal in memory, so that a file is looked at like any run. Invariant: entries keep their hashes; a chain
// that does not hold is refused by the journal as it would be on disk.
import { fail } from '../failure/index.ts'
import { memoryJournal, type Journal } from '../journal/index.ts'
import type { Recording } from '../replay/index.ts'
import { entryText } from '../run/index.ts'

/** Long enough that no lease ends while a file is read. */
const LEASE_MS = 3_600_000

/**
 * Puts recordings into a journal of their own. A run that is there twice is kept once.
 * @throws FailureError `journal_corrupt` for a recording without entries.
 */
export const journalOfRecordings = async (recordings: readonly Recording[]): Promise<Journal> => {
  const journal = memoryJournal()
  for (const { row: written, entries, contents } of recordings) {
    // The caller's key and session could meet those of another recording; here they only say who is who.
    const { key: _key, session: _session, ...row } = written
    const stored = entries.map(({ seq, at, hash, body }) => ({ seq, at, hash, text: entryText(body) }))
    const first = stored[0] ?? fail('journal_corrupt', `The recording of run ${row.id} has no entries.`)
    if ((await journal.get(row.id)) !== undefined) continue
    for (const { kind, text } of contents.values()) await journal.putContent(kind, text)
    const last = stored.length === 1
    const made = await journal.create({ ...row, status: last ? row.status : 'running', seq: 0, hash: first.hash }, first, 'recording', LEASE_MS)
    if (!made.created) continue
    for (const entry of stored.slice(1)) await journal.append(made.lease, entry, entry.seq === row.seq ? row : { ...row, status: 'running' })
    await journal.release(made.lease)
  }
  return journal
}
