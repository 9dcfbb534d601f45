// The head witness: a small file beside the database that says how far it had come. SQLite drops a damaged tail of its
// write-ahead log without a word; the witness notices. Invariant: it never says more than was committed, only less.
import { closeSync, existsSync, openSync, readFileSync, readSync, writeSync } from 'node:fs'
import { fail } from '../../failure/index.ts'
import { sha256 } from '../../schema/index.ts'

/** How far a database has come: commits ever made, and a hash chained over them. */
export interface Progress {
  readonly commits: number
  readonly hash: string
}

/** Progress of a database without commits. */
export const NO_PROGRESS: Progress = { commits: 0, hash: '' }

/** Where the witness of a database is. */
const witnessPath = (path: string): string => `${path}-head`

// One slot per commit, in turns: a process that is paused between its commit and its note overwrites a slot, not the maximum.
const SLOTS = 16
const SLOT_BYTES = 64
const DIGITS = 16
const HASH_CHARS = 32
const CHECK_CHARS = 8

const check = (text: string): string => sha256(text).slice(0, CHECK_CHARS)

const slotText = ({ commits, hash }: Progress): string => {
  const text = `${String(commits).padStart(DIGITS, '0')} ${hash}`
  return `${text} ${check(text)}`.padEnd(SLOT_BYTES - 1) + '\n'
}

const parseSlot = (slot: string): Progress | undefined => {
  const text = slot.slice(0, DIGITS + 1 + HASH_CHARS)
  if (!/^\d{16} [0-9a-f]{32}$/.test(text) || slot.slice(text.length + 1, text.length + 1 + CHECK_CHARS) !== check(text)) return undefined
  return { commits: Number(text.slice(0, DIGITS)), hash: text.slice(DIGITS + 1) }
}

/** The slot with the highest number that is whole. A torn or damaged slot counts as not written. */
const newest = (file: string): Progress => {
  const starts = Array.from({ length: SLOTS }, (_, slot) => slot * SLOT_BYTES)
  const written = starts.map((start) => file.slice(start, start + SLOT_BYTES)).filter((slot) => slot.trim() !== '')
  for (const slot of written.toSorted().toReversed()) {
    const found = parseSlot(slot)
    if (found !== undefined) return found
  }
  return NO_PROGRESS
}

/** Reads the witness of a database, also when the database is gone. */
export const readWitness = (path: string): Progress => (existsSync(witnessPath(path)) ? newest(readFileSync(witnessPath(path), 'latin1')) : NO_PROGRESS)

/** An open witness. */
export interface Witness {
  /** The furthest progress any process noted. */
  read(): Progress
  /** Notes a commit that has been made. Never throws: a witness that lags is allowed, a commit reported as failed is not. */
  note(progress: Progress): void
  close(): void
}

/** Opens the witness of a database for writing, mode 0600. */
export const openWitness = (path: string): Witness => {
  const file = witnessPath(path)
  closeSync(openSync(file, 'a', 0o600))
  const descriptor = openSync(file, 'r+')
  const buffer = Buffer.alloc(SLOTS * SLOT_BYTES)
  return {
    read: () => newest(buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0))),
    note(progress) {
      try {
        writeSync(descriptor, slotText(progress), (progress.commits % SLOTS) * SLOT_BYTES, 'latin1')
      } catch {
        // The commit stands; the next note catches up.
      }
    },
    close: () => closeSync(descriptor),
  }
}

/** @throws FailureError `journal_rolled_back` { path, have, witnessed } when a database is behind what was witnessed. */
export const compare = (path: string, have: Progress, witnessed: Progress): void => {
  if (have.commits > witnessed.commits || (have.commits === witnessed.commits && (have.hash === witnessed.hash || have.commits === 0))) return
  const seen = have.commits < witnessed.commits ? `only ${have.commits} were found` : 'the last one is another than was acknowledged'
  fail(
    'journal_rolled_back',
    `${witnessed.commits} commits to the journal ${path} were acknowledged, but ${seen}. Restore the database with its -wal file from a backup. ` +
      `To go on with what is there, delete ${witnessPath(path)}; to start an empty journal, delete both the database and that file.`,
    { details: { path, have: have.commits, witnessed: witnessed.commits } },
  )
}
