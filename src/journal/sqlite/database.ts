// One database file, shared by everything that is stored: reads see one snapshot, writes are grouped.
// Invariant: all that is written in one turn of the event loop shares one transaction and one sync, yet each write
// succeeds or fails alone, and none resolves before the commit.
import { FailureError } from '../../failure/index.ts'
import { sha256 } from '../../schema/index.ts'
import { refuseClosed } from '../refusal.ts'
import { damaged, faultOf, rollback } from './connection.ts'
import { openFile, progressOf, type Handle, type OpenOptions, type Sql } from './open.ts'
import { compare, NO_PROGRESS, type Progress } from './witness.ts'

/** What a write can do beside SQL. */
export interface WriteSql extends Sql {
  /** Ties a hash of what was written into the hash of the commit. */
  seal(hash: string): void
}

/** A database file. It opens with its first use. */
export interface Database {
  readonly path: string
  /** Performs `job`, which must not write, in a snapshot that holds all that was ever witnessed. */
  read<T>(job: (sql: Sql) => T): Promise<T>
  /**
   * Performs `job` in the next commit. A job that throws a FailureError must do so before its first write; any other error
   * takes back what it wrote and leaves the rest of the group alone. A job may be called more than once.
   */
  write<T>(job: (sql: WriteSql) => T): Promise<T>
  /** Looks once in the life of this database at a table and its indexes as a whole. @throws FailureError `journal_corrupt`. */
  verifyTable(sql: Sql, table: string): void
  close(): Promise<void>
}

interface Job {
  readonly perform: (sql: WriteSql) => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (reason: unknown) => void
}

/** Bounds how long one group keeps the event loop; the rest goes into the next. */
const MOST_IN_GROUP = 1_000

/** Performs the jobs of a group in the open transaction. @returns what to call once it is committed, and the progress to note. */
const performGroup = (handle: Handle, before: Progress, group: readonly Job[], entering: (job: Job) => void): { readonly settle: readonly (() => void)[]; readonly after: Progress } => {
  const sealed: string[] = []
  const settle: (() => void)[] = []
  const sql: WriteSql = { ...handle.sql, seal: (hash) => void sealed.push(hash) }
  let wrote = false
  for (const job of group) {
    entering(job)
    try {
      const value = job.perform(sql)
      wrote = true
      settle.push(() => job.resolve(value))
    } catch (thrown) {
      if (!(thrown instanceof FailureError)) throw thrown
      settle.push(() => job.reject(thrown))
    }
  }
  if (!wrote) return { settle, after: before }
  const commits = before.commits + 1
  return { settle, after: { commits, hash: sha256(`${before.hash} ${commits} ${sealed.join(' ')}`).slice(0, 32) } }
}

interface State {
  readonly path: string
  /** @throws FailureError when the file cannot be opened, or was closed. */
  use(): Handle
  /** The furthest progress this process has seen. */
  seen: Progress
}

/** Commits what a group writes and lets each job know. @returns the jobs to try again, without the one that spoiled it. */
const commitGroup = (state: State, group: readonly Job[]): readonly Job[] => {
  const { path } = state
  let handle: Handle | undefined
  let current: Job | undefined
  let settle: readonly (() => void)[]
  try {
    handle = state.use()
    handle.connection.exec('BEGIN IMMEDIATE')
    const before = progressOf(handle.sql)
    compare(path, before, state.seen)
    const done = performGroup(handle, before, group, (job) => (current = job))
    current = undefined
    settle = done.settle
    if (done.after === before) rollback(handle.connection)
    else {
      handle.sql.run('UPDATE progress SET commits = ?, hash = ? WHERE id = 1', done.after.commits, done.after.hash)
      handle.connection.exec('COMMIT')
      state.seen = done.after
      handle.witness.note(done.after)
    }
  } catch (thrown) {
    rollback(handle?.connection)
    const fault = faultOf(thrown, 'Writing to', path)
    const spoiler = fault instanceof FailureError && fault.code === 'journal_unavailable' ? undefined : current
    for (const job of spoiler === undefined ? group : [spoiler]) job.reject(fault)
    return spoiler === undefined ? [] : group.filter((job) => job !== spoiler)
  }
  for (const done of settle) done()
  return []
}

/** Describes a database file; nothing is opened yet. */
export const database = (options: OpenOptions): Database => {
  const { path } = options
  const verified = new Set<string>()
  let handle: Handle | undefined
  let closed = false
  let waiting: Job[] = []
  const state: State = { path, seen: NO_PROGRESS, use: () => (closed ? refuseClosed(path) : (handle ??= openFile(options))) }

  const flush = (): void => {
    let group: readonly Job[] = waiting.slice(0, MOST_IN_GROUP)
    waiting = waiting.slice(MOST_IN_GROUP)
    if (waiting.length > 0) setImmediate(flush)
    while (group.length > 0) group = commitGroup(state, group)
  }

  return {
    path,
    async read(job) {
      const { connection, sql, witness } = state.use()
      try {
        const witnessed = witness.read()
        connection.exec('BEGIN')
        compare(path, progressOf(sql), witnessed)
        const found = job(sql)
        connection.exec('COMMIT')
        return found
      } catch (thrown) {
        rollback(connection)
        throw faultOf(thrown, 'Reading', path)
      }
    },
    write: <T>(perform: (sql: WriteSql) => T) =>
      new Promise<T>((resolve, reject) => {
        if (closed) refuseClosed(path)
        if (waiting.length === 0) setImmediate(flush)
        waiting.push({ perform, resolve: resolve as Job['resolve'], reject })
      }),
    verifyTable(sql, table) {
      if (verified.has(table)) return
      const [first] = sql.all(`PRAGMA integrity_check(${table})`)
      if (first?.['integrity_check'] !== 'ok') damaged(`the table of ${table} (${String(first?.['integrity_check'])})`)
      verified.add(table)
    },
    async close() {
      while (waiting.length > 0) flush()
      closed = true
      handle?.witness.close()
      handle?.connection.close()
      handle = undefined
    },
  }
}
