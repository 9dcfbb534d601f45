// What the journal needs of a SQLite driver, and how its errors become failures. The shape is that of `node:sqlite`, so
// another driver, or one that injects faults, can stand in. Invariant: a full disk or a damaged file is never a defect.
import { failure, FailureError, type FailureCode } from '../../failure/index.ts'

/** What a parameter or a column holds. */
export type Value = string | number | null | Uint8Array
/** One row of a result. */
export type Columns = Readonly<Record<string, unknown>>

/** A prepared statement with bare `?` parameters. */
export interface Statement {
  get(...parameters: Value[]): Columns | undefined
  all(...parameters: Value[]): Columns[]
  run(...parameters: Value[]): unknown
}

/** An open database file. */
export interface Connection {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

/** Opens a database file. */
export type Connect = (path: string, options: { readonly readOnly: boolean }) => Connection

/** Takes back the open transaction, if SQLite has not done so by itself. */
export const rollback = (connection: Connection | undefined): void => {
  try {
    connection?.exec('ROLLBACK')
  } catch {
    // There is none.
  }
}

/** Primary result codes that say the file cannot be used now. @see https://www.sqlite.org/rescode.html */
const UNAVAILABLE: ReadonlyMap<number, string> = new Map([
  [3, 'Fix its permissions.'],
  [5, 'Another process keeps it locked: find out which, or raise busyTimeoutMs.'],
  [6, 'Another connection keeps it locked.'],
  [7, 'The process is out of memory.'],
  [8, 'It is read-only: fix the permissions of the file and its directory.'],
  [10, 'Check the disk.'],
  [13, 'Free disk space.'],
  [14, 'Check that its directory exists and may be written.'],
  [15, 'Another process keeps it locked.'],
])
/** A database that was whole when it was opened has every table we name, so SQLITE_ERROR (1) is damage as well. */
const CORRUPT: ReadonlySet<number> = new Set([1, 11, 26])

const primaryCode = (thrown: unknown): number | undefined => (thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : undefined)

const made = (code: FailureCode, doing: string, path: string, thrown: unknown, advice: string): FailureError =>
  new FailureError(failure(code, `${doing} the journal ${path} failed: ${(thrown as Error).message}. ${advice}`, { details: { path }, cause: thrown }))

/**
 * The failure that an error of SQLite or of the file system means, or the error itself when it is a bug of ours.
 *
 * @param doing What was attempted: "Writing to".
 */
export const faultOf = (thrown: unknown, doing: string, path: string): unknown => {
  if (thrown instanceof FailureError || !(thrown instanceof Error)) return thrown
  const code = primaryCode(thrown)
  const advice = code === undefined ? undefined : UNAVAILABLE.get(code)
  if (advice !== undefined) return made('journal_unavailable', doing, path, thrown, advice)
  const outOfRange = 'code' in thrown && thrown.code === 'ERR_OUT_OF_RANGE'
  if (outOfRange || (code !== undefined && CORRUPT.has(code))) return made('journal_corrupt', doing, path, thrown, 'The database is damaged: restore it from a backup.')
  return 'syscall' in thrown ? made('journal_unavailable', doing, path, thrown, 'Check the disk, its free space and the permissions.') : thrown
}

/** @throws FailureError `journal_corrupt`: a column holds what was never written there. */
export const damaged = (what: string): never => {
  throw new FailureError(failure('journal_corrupt', `Reading the journal, ${what} is not what was written. The database is damaged: restore it from a backup.`))
}

/** A column that must hold text. */
export const textIn = (value: unknown, what: string): string => (typeof value === 'string' ? value : damaged(what))
/** A column that must hold a number. */
export const numberIn = (value: unknown, what: string): number => (typeof value === 'number' ? value : damaged(what))
/** A column that must hold bytes, as text. */
export const blobIn = (value: unknown, what: string): string => (value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString() : damaged(what))
/** Text that must hold JSON. */
export const jsonIn = (value: unknown, what: string): unknown => {
  try {
    return JSON.parse(textIn(value, what))
  } catch {
    return damaged(what)
  }
}
