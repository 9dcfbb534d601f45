// A disk that is full, read-only, locked or failing: every call says so, nothing acknowledged is lost, and work goes on
// when the cause is gone. The faults are made by the driver in between, so they are the same on every machine.
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectNodeSqlite } from '../../src/journal/sqlite.ts'
import type { Connection } from '../../src/journal/sqlite/connection.ts'
import { journalOver } from '../../src/journal/sqlite/journal.ts'
import type { Journal, Lease, StoredEntry } from '../../src/journal/index.ts'
import { entryAfter, rejection, sampleRow, sampleUpdate, startRun } from '../contract/journal/sample.ts'
import { databasePaths } from './folder.ts'

const newPath = databasePaths()
/** What `node:sqlite` throws. @see https://www.sqlite.org/rescode.html */
const sqliteError = (errcode: number, message: string): Error => Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode })

describe('a SQLite journal whose disk fails', () => {
  let journal: Journal
  let path: string
  let connection: Connection
  let lease: Lease
  let first: StoredEntry
  let interfere: (sql: string, proceed: () => void) => void

  beforeEach(async () => {
    path = newPath()
    interfere = (_, proceed) => proceed()
    journal = journalOver(
      (file, options) => {
        connection = connectNodeSqlite(file, options)
        const real = connection
        return { exec: (sql) => interfere(sql, () => real.exec(sql)), prepare: (sql) => real.prepare(sql), close: () => real.close() }
      },
      { path, busyTimeoutMs: 20 },
    )
    ;({ lease, first } = await startRun(journal, 'run'))
  })
  afterEach(() => journal.close())

  test('a full disk is journal_unavailable, and the same entry goes in once there is room', async () => {
    connection.exec('PRAGMA max_page_count = 60')
    const [second, third] = [entryAfter(first), entryAfter(entryAfter(first), JSON.stringify('x'.repeat(1_000_000)))]
    await journal.append(lease, second, sampleUpdate())
    const failure = await rejection(journal.append(lease, third, sampleUpdate()), 'journal_unavailable')
    expect(failure.message).toMatch(/database or disk is full.*Free disk space/)
    expect(await journal.read('run')).toStrictEqual([first, second])
    expect(await journal.get('run')).toMatchObject({ seq: 1, hash: second.hash })
    connection.exec('PRAGMA max_page_count = 10000')
    await journal.append(lease, third, sampleUpdate())
    expect(await journal.read('run')).toStrictEqual([first, second, third])
  })

  test('a read-only database can be read, and refuses all that writes', async () => {
    connection.exec('PRAGMA query_only = ON')
    const failure = await rejection(journal.append(lease, entryAfter(first), sampleUpdate()), 'journal_unavailable')
    expect(failure.message).toMatch(/readonly database.*permissions/)
    await rejection(startRun(journal, 'other'), 'journal_unavailable')
    await rejection(journal.post('run', { type: 'REPLY' }), 'journal_unavailable')
    await rejection(journal.putContent('blob', 'x'), 'journal_unavailable')
    expect(await journal.read('run')).toStrictEqual([first])
    connection.exec('PRAGMA query_only = OFF')
    await journal.append(lease, entryAfter(first), sampleUpdate())
  })

  test('a lock that is not given in time is journal_unavailable, and nothing is lost when it is given', async () => {
    const other = connectNodeSqlite(path, { readOnly: false })
    other.exec('BEGIN IMMEDIATE')
    const failure = await rejection(journal.append(lease, entryAfter(first), sampleUpdate()), 'journal_unavailable')
    expect(failure.message).toMatch(/locked.*busyTimeoutMs/)
    expect(await journal.read('run')).toStrictEqual([first])
    other.exec('ROLLBACK')
    other.close()
    await journal.append(lease, entryAfter(first), sampleUpdate())
  })

  test('a commit that fails fails everyone in it, and leaves nothing behind', async () => {
    const second = await startRun(journal, 'second')
    interfere = (sql, proceed) => {
      if (sql === 'COMMIT') throw sqliteError(10, 'disk I/O error')
      proceed()
    }
    const outcomes = await Promise.allSettled([journal.append(lease, entryAfter(first), sampleUpdate()), journal.append(second.lease, entryAfter(second.first), sampleUpdate())])
    expect(outcomes).toMatchObject([{ reason: { code: 'journal_unavailable' } }, { reason: { code: 'journal_unavailable' } }])
    interfere = (_, proceed) => proceed()
    for (const run of ['run', 'second']) expect(await journal.read(run)).toStrictEqual([first])
    await journal.append(lease, entryAfter(first), sampleUpdate())
    expect(await journal.read('run')).toHaveLength(2)
  })

  test('an append whose commit held although it was reported as failed can be repeated', async () => {
    interfere = (sql, proceed) => {
      proceed()
      if (sql === 'COMMIT') throw sqliteError(10, 'disk I/O error')
    }
    await rejection(journal.append(lease, entryAfter(first), sampleUpdate()), 'journal_unavailable')
    interfere = (_, proceed) => proceed()
    await journal.append(lease, entryAfter(first), sampleUpdate())
    expect(await journal.read('run')).toHaveLength(2)
  })

  test('damage that SQLite sees is journal_corrupt for the call that met it', async () => {
    interfere = (sql, proceed) => {
      if (sql === 'BEGIN') throw sqliteError(11, 'database disk image is malformed')
      proceed()
    }
    const failure = await rejection(journal.read('run'), 'journal_corrupt')
    expect(failure.message).toMatch(/malformed.*restore it from a backup/)
    expect(failure.cause?.message).toBe('database disk image is malformed')
  })

  test('a bug in one write takes back that write only', async () => {
    const runs = await Promise.all(['a', 'b', 'c'].map((id) => startRun(journal, id)))
    const appends = runs.map((run, n) => journal.append(run.lease, entryAfter(run.first), sampleUpdate(n === 1 ? { costNano: 0.5 } : {})))
    const outcomes = await Promise.allSettled(appends)
    expect(outcomes.map(({ status }) => status)).toStrictEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(outcomes[1]).toMatchObject({ reason: { message: expect.stringContaining('cannot store REAL value') } })
    for (const [id, length] of Object.entries({ a: 2, b: 1, c: 2 })) expect(await journal.read(id)).toHaveLength(length)
  })

  test('a create that fails leaves neither run, nor key, nor session behind', async () => {
    const row = sampleRow('other', { key: 'k', session: 's', modelCalls: 0.5 })
    await expect(journal.create(row, entryAfter(undefined), 'worker-1', 1)).rejects.toThrow('cannot store REAL value')
    expect(await journal.get('other')).toBeUndefined()
    await startRun(journal, 'other', { key: 'k', session: 's' })
  })
})
