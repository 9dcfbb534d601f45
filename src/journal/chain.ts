// Verifies what was read: entries follow one another, each hash covers its text and the hash before it, and the last one
// is the head that the run's row names. Invariant: a run is never read as shorter than it was acknowledged to be.
import { fail } from '../failure/index.ts'
import { chainHash, type StoredEntry } from './entry.ts'
import type { Head } from './refusal.ts'

const corrupt = (run: string, seq: number, seen: string): never => fail('journal_corrupt', `Reading run ${run}, entry ${seq} ${seen}. The database is damaged: restore it from a backup.`, { details: { run, seq } })

/**
 * Checks entries that follow one with hash `before` (CHAIN_START for none) and should reach `head`.
 * @param from `seq` of the first one.
 * @throws FailureError `journal_corrupt` { run, seq }, `journal_rolled_back` { run, have, witnessed }.
 */
export const verifyChain = (run: string, entries: readonly StoredEntry[], from: number, before: string, head: Head): void => {
  let previous = before
  for (const [offset, entry] of entries.entries()) {
    const seq = from + offset
    if (entry.seq !== seq) corrupt(run, seq, `is missing: ${entry.seq} comes next`)
    if (seq > head.seq) corrupt(run, seq, `comes after the head of the run, ${head.seq}`)
    if (chainHash(previous, seq, entry.at, entry.text) !== entry.hash) corrupt(run, seq, 'does not match its hash')
    previous = entry.hash
  }
  const have = from + entries.length
  const witnessed = head.seq + 1
  if (have < witnessed) {
    fail('journal_rolled_back', `Reading run ${run}, ${have} entries were found, but ${witnessed} were acknowledged. Restore the database and its write-ahead log.`, { details: { run, have, witnessed } })
  }
  if (have === witnessed && previous !== head.hash) corrupt(run, head.seq, 'is not the head that the run names')
}
