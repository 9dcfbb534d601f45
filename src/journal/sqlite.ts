// The embedded, durable journal. The only file that touches `node:sqlite`, which is loaded with the first use of a journal
// and not with this module. Invariant: see the Journal contract; what has resolved has been synced to disk.
import type { Journal } from './journal.ts'
import type { Connect } from './sqlite/connection.ts'
import { journalOver, type SqliteJournalOptions } from './sqlite/journal.ts'
import { lookAtFile } from './sqlite/open.ts'

type Sqlite = typeof import('node:sqlite')

/** Node 22 warns that SQLite is experimental when the module loads; users of a journal can do nothing about it. */
const loadQuietly = (): Sqlite => {
  const emitWarning = process.emitWarning.bind(process)
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith('SQLite is an experimental feature')) Reflect.apply(emitWarning, undefined, [warning, ...rest])
  }
  try {
    return process.getBuiltinModule('node:sqlite')
  } finally {
    process.emitWarning = emitWarning
  }
}

let sqlite: Sqlite | undefined

/** Opens a file with `node:sqlite`. */
export const connectNodeSqlite: Connect = (path, { readOnly }) => {
  sqlite ??= loadQuietly()
  return new sqlite.DatabaseSync(path, { readOnly })
}

/**
 * Makes a journal in a SQLite file, which several processes may share. Nothing is opened before its first use.
 * @throws FailureError from its methods: `journal_unavailable` when the file cannot be opened or is of a newer version.
 *
 * @example const runtime = createRuntime({ journal: sqliteJournal({ path: '.stateloop/stateloop.db' }) })
 */
export const sqliteJournal = (options: SqliteJournalOptions): Journal => journalOver(connectNodeSqlite, options)

/**
 * Compares the tables of a file with those of this version, and the file with its head witness. Changes nothing.
 * @throws FailureError `journal_unavailable`, `journal_corrupt`, `journal_rolled_back`.
 */
export const sqliteStatus = ({ path, busyTimeoutMs = 5_000 }: SqliteJournalOptions): { readonly found: number; readonly known: number } => lookAtFile({ path, connect: connectNodeSqlite, busyTimeoutMs })
