// Opens a database file: makes it where there is none, compares it with its witness, sets how it syncs and migrates it.
// Invariant: a database that is behind its witness is reported before anything touches the file or its write-ahead log.
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { fail } from '../../failure/index.ts'
import { faultOf, numberIn, rollback, textIn, type Connect, type Connection, type Columns, type Statement, type Value } from './connection.ts'
import { MIGRATIONS, MIGRATIONS_TABLE } from './schema.ts'
import { compare, NO_PROGRESS, openWitness, readWitness, type Progress, type Witness } from './witness.ts'

/** Statements by their SQL, each prepared once. */
export interface Sql {
  get(sql: string, ...parameters: Value[]): Columns | undefined
  all(sql: string, ...parameters: Value[]): Columns[]
  run(sql: string, ...parameters: Value[]): void
}

/** Where and how to open. */
export interface OpenOptions {
  readonly path: string
  readonly connect: Connect
  /** How long to wait for another process's commit, milliseconds. */
  readonly busyTimeoutMs: number
  /** Milliseconds UTC. */
  readonly now: () => number
}

/** An open database. */
export interface Handle {
  readonly connection: Connection
  readonly sql: Sql
  readonly witness: Witness
}

const statements = (connection: Connection): Sql => {
  const prepared = new Map<string, Statement>()
  const statement = (sql: string): Statement => {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const made = connection.prepare(sql)
    prepared.set(sql, made)
    return made
  }
  return {
    get: (sql, ...parameters) => statement(sql).get(...parameters),
    all: (sql, ...parameters) => statement(sql).all(...parameters),
    run: (sql, ...parameters) => void statement(sql).run(...parameters),
  }
}

/** How far the database has come, in its own words. */
export const progressOf = (sql: Sql): Progress => {
  const row = sql.get('SELECT commits, hash FROM progress WHERE id = 1')
  return { commits: numberIn(row?.['commits'], 'the number of commits'), hash: textIn(row?.['hash'], 'the hash of commits') }
}

const hasTable = (sql: Sql, name: string): boolean => sql.get(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name = ?`, name) !== undefined

const compareWithWitness = (path: string, sql: Sql): void => {
  const witnessed = readWitness(path)
  compare(path, hasTable(sql, 'progress') ? progressOf(sql) : NO_PROGRESS, witnessed)
}

/** Makes directories durable: a synced file in a directory that was never synced can vanish with it. */
const syncDirectories = (first: string, last: string): void => {
  if (process.platform === 'win32') return
  for (let directory = last; ; directory = dirname(directory)) {
    const descriptor = openSync(directory, 'r')
    fsyncSync(descriptor)
    closeSync(descriptor)
    if (directory === dirname(first)) return
  }
}

const makeFile = (path: string): void => {
  const directory = dirname(path)
  const created = mkdirSync(directory, { recursive: true, mode: 0o700 })
  // SQLite gives its -wal and -shm files the mode of the database.
  closeSync(openSync(path, 'a', 0o600))
  if (created !== undefined) syncDirectories(created, directory)
}

const connectTo = ({ path, connect, busyTimeoutMs }: Omit<OpenOptions, 'now'>, readOnly: boolean): Connection => {
  const connection = connect(path, { readOnly })
  connection.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
  return connection
}

/**
 * A connection that writes takes over a left-behind log and cuts what it cannot read; one that only reads leaves
 * everything as it is for whoever wants to save it.
 */
const probe = (options: OpenOptions): void => {
  const connection = connectTo(options, true)
  try {
    compareWithWitness(options.path, statements(connection))
  } finally {
    connection.close()
  }
}

/** Two or three steps of some 2 kB waste half of SQLite's own 4 kB; pages of 16 kB make a lone commit dearer. */
const PAGE_BYTES = 8_192

const WAL_ATTEMPTS = 100

/** Changing to WAL needs the file alone and fails at once when another process has it, so this waits for its turn by a lock that waits. */
const useWal = (connection: Connection): void => {
  for (let attempt = 1; ; attempt++) {
    try {
      connection.exec('PRAGMA journal_mode = WAL')
      return
    } catch (thrown) {
      const busy = thrown instanceof Error && 'errcode' in thrown && thrown.errcode === 5
      if (!busy || attempt === WAL_ATTEMPTS) throw thrown
      connection.exec('BEGIN IMMEDIATE; ROLLBACK')
    }
  }
}

const versionOf = (sql: Sql): number => (hasTable(sql, 'migrations') ? numberIn(sql.get('SELECT coalesce(max(version), 0) AS version FROM migrations')?.['version'], 'the schema version') : 0)

const migrate = (path: string, connection: Connection, sql: Sql, nowMs: number): void => {
  const found = versionOf(sql)
  if (found > MIGRATIONS.length) {
    fail('journal_unavailable', `The journal ${path} was written by a newer version of Stateloop: it has schema ${found}, this version knows ${MIGRATIONS.length}. Upgrade Stateloop.`, {
      details: { path, schema: found, known: MIGRATIONS.length },
    })
  }
  if (found === MIGRATIONS.length) return
  connection.exec('BEGIN IMMEDIATE')
  try {
    connection.exec(MIGRATIONS_TABLE)
    // Another process may have migrated while this one waited for the lock.
    for (let version = versionOf(sql); version < MIGRATIONS.length; version++) {
      connection.exec(MIGRATIONS[version] as string)
      sql.run('INSERT INTO migrations (version, at) VALUES (?, ?)', version + 1, nowMs)
    }
    connection.exec('COMMIT')
  } catch (thrown) {
    rollback(connection)
    throw thrown
  }
}

const prepareHandle = (options: OpenOptions, connection: Connection): Handle => {
  const { path } = options
  const sql = statements(connection)
  compareWithWitness(path, sql)
  connection.exec(`PRAGMA page_size = ${PAGE_BYTES}`)
  useWal(connection)
  // fullfsync: on macOS, where fsync leaves data in the drive's cache. cell_size_check: damage is found sooner.
  connection.exec('PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON; PRAGMA cell_size_check = ON; PRAGMA trusted_schema = OFF')
  migrate(path, connection, sql, options.now())
  const have = progressOf(sql)
  const witness = openWitness(path)
  if (have.commits > witness.read().commits) witness.note(have)
  return { connection, sql, witness }
}

/** Looks at a file without changing it. @returns its schema version and the one of this Stateloop. @throws FailureError `journal_unavailable`, `journal_corrupt`, `journal_rolled_back`. */
export const lookAtFile = (options: Omit<OpenOptions, 'now'>): { readonly found: number; readonly known: number } => {
  try {
    const connection = connectTo(options, true)
    try {
      const sql = statements(connection)
      compareWithWitness(options.path, sql)
      return { found: versionOf(sql), known: MIGRATIONS.length }
    } finally {
      connection.close()
    }
  } catch (thrown) {
    throw faultOf(thrown, 'Looking at', options.path)
  }
}

/** Opens. @throws FailureError `journal_unavailable`, `journal_corrupt`, `journal_rolled_back`. */
export const openFile = (options: OpenOptions): Handle => {
  const { path } = options
  try {
    // Read before looking at the file, which another process may be making.
    const witnessed = readWitness(path)
    const empty = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0
    if (empty) {
      compare(path, NO_PROGRESS, witnessed)
      makeFile(path)
    } else if (existsSync(`${path}-wal`)) probe(options)
    const connection = connectTo(options, false)
    try {
      return prepareHandle(options, connection)
    } catch (thrown) {
      connection.close()
      throw thrown
    }
  } catch (thrown) {
    throw faultOf(thrown, 'Opening', path)
  }
}
