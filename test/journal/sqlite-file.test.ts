// The file itself: when it is made, who may read it, what shares a commit, which versions open.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sqliteJournal } from '../../src/journal/index.ts'
import { connectNodeSqlite } from '../../src/journal/sqlite.ts'
import { MIGRATIONS, MIGRATIONS_TABLE } from '../../src/journal/sqlite/schema.ts'
import { journalOver } from '../../src/journal/sqlite/journal.ts'
import { appendAll, chainOf, entryAfter, rejection, sampleUpdate, startRun } from '../contract/journal/sample.ts'
import { databasePaths } from './folder.ts'

const newPath = databasePaths()
const front = join(import.meta.dirname, '../../src/journal/index.ts')

describe('the file of a SQLite journal', () => {
  test('nothing is made before the first use', async () => {
    const path = newPath()
    const journal = sqliteJournal({ path })
    journal.watch('run', () => {})
    expect(existsSync(dirname(path))).toBe(false)
    await startRun(journal, 'run')
    expect(existsSync(path)).toBe(true)
    await journal.close()
  })

  test.skipIf(process.platform === 'win32')('only its owner may read it, its log and its folder', async () => {
    const path = newPath()
    const mask = process.umask(0)
    const journal = sqliteJournal({ path })
    await startRun(journal, 'run')
    process.umask(mask)
    const modes = readdirSync(dirname(path)).map((file) => [file, statSync(join(dirname(path), file)).mode & 0o777])
    expect(Object.fromEntries(modes)).toStrictEqual({ 'stateloop.db': 0o600, 'stateloop.db-head': 0o600, 'stateloop.db-shm': 0o600, 'stateloop.db-wal': 0o600 })
    expect(statSync(dirname(path)).mode & 0o777).toBe(0o700)
    await journal.close()
  })

  test('what was acknowledged is there after closing and opening again', async () => {
    const path = newPath()
    const entries = chainOf(50)
    const before = sqliteJournal({ path })
    const { lease } = await startRun(before, 'run', { key: 'k', session: 's' })
    await appendAll(before, lease, entries.slice(1))
    await before.post('run', { type: 'REPLY' })
    await before.close()
    await before.close()
    const after = sqliteJournal({ path })
    expect(await after.read('run')).toStrictEqual(entries)
    expect(await after.inbox('run', 0)).toMatchObject([{ n: 0, event: { type: 'REPLY' } }])
    expect(await after.list({ key: 'k' })).toHaveLength(1)
    await rejection(startRun(after, 'other', { session: 's' }), 'session_busy')
    await after.close()
  })

  test('closing writes what is pending', async () => {
    const path = newPath()
    const journal = sqliteJournal({ path })
    const { lease, first } = await startRun(journal, 'run')
    const pending = journal.append(lease, entryAfter(first), sampleUpdate())
    await journal.close()
    await pending
    const again = sqliteJournal({ path })
    expect(await again.read('run')).toHaveLength(2)
    await again.close()
  })

  test('all that is written in one turn shares one commit, and refusals make none', async () => {
    let commits = 0
    const journal = journalOver(
      (path, options) => {
        const connection = connectNodeSqlite(path, options)
        const counted = (sql: string): void => {
          if (sql === 'COMMIT') commits++
          connection.exec(sql)
        }
        return { exec: counted, prepare: (sql) => connection.prepare(sql), close: () => connection.close() }
      },
      { path: newPath() },
    )
    const runs = await Promise.all(Array.from({ length: 100 }, (_, n) => startRun(journal, `run-${n}`)))
    commits = 0
    await Promise.all(runs.map(({ lease, first }) => journal.append(lease, entryAfter(first), sampleUpdate())))
    expect(commits).toBe(1)
    await Promise.allSettled(runs.map(({ lease }) => journal.acquire(lease.run, 'worker-2', 1)))
    expect(commits).toBe(1)
    await Promise.all(Array.from({ length: 1_500 }, (_, n) => journal.putContent('blob', `${n}`)))
    expect(commits).toBe(3)
    await journal.close()
  })

  test('commits are synced in full', async () => {
    const path = newPath()
    let synchronous: unknown
    const journal = journalOver(
      (file, options) => {
        const connection = connectNodeSqlite(file, options)
        const exec = (sql: string): void => {
          connection.exec(sql)
          synchronous = [connection.prepare('PRAGMA synchronous').get(), connection.prepare('PRAGMA journal_mode').get()]
        }
        return { exec, prepare: (sql) => connection.prepare(sql), close: () => connection.close() }
      },
      { path },
    )
    await startRun(journal, 'run')
    expect(synchronous).toMatchObject([{ synchronous: 2 }, { journal_mode: 'wal' }])
    await journal.close()
  })

  test('a database of an older version becomes one of today, with its sums', async () => {
    const path = newPath()
    mkdirSync(dirname(path), { recursive: true })
    const older = connectNodeSqlite(path, { readOnly: false })
    older.exec(MIGRATIONS_TABLE)
    for (const [index, migration] of MIGRATIONS.slice(0, 5).entries()) older.exec(`${migration}; INSERT INTO migrations (version, at) VALUES (${index + 1}, 0)`)
    older.exec(`INSERT INTO ledger_keys (no, id, user_id, agent, state, model) VALUES (1, 'k', 'ada', 'support', 'answering', 'fake/m')`)
    older.exec(`INSERT INTO ledger VALUES (1, 30, 7, 1, 0, 0, 0, 0, 700, 70, 0, 0, 0, 9000, 500, 2, 2, 2, 2, 2, 2, 2, 2, 108000000, 108000001, '2s:7 ', '2t:7 ')`)
    older.close()
    const journal = sqliteJournal({ path })
    const rows = await journal.ledger?.read({ sinceMs: 0, untilMs: 48 * 3_600_000 })
    expect(rows).toMatchObject([{ key: { user: 'ada', state: 'answering' }, total: { calls: 7, failed: 1, unbilled: 0, inputTokens: 700, costNano: 9_000, runs: [2, 2, 2, 2, 2, 2, 2, 2] } }])
    await journal.close()
  })

  test('a database of a newer version is refused in words, untouched', async () => {
    const path = newPath()
    const journal = sqliteJournal({ path })
    await startRun(journal, 'run')
    await journal.close()
    const newer = connectNodeSqlite(path, { readOnly: false })
    newer.exec('INSERT INTO migrations (version, at) VALUES (99, 0)')
    newer.close()
    const bytes = readFileSync(path)
    const old = sqliteJournal({ path })
    const refused = await rejection(old.list(), 'journal_unavailable')
    expect(refused.message).toContain('newer version of Stateloop')
    expect(refused.details).toMatchObject({ schema: 99 })
    await old.close()
    expect(readFileSync(path).equals(bytes)).toBe(true)
  })

  test('a folder in the place of the file, or no right to make it, is journal_unavailable, and goes away with its cause', async () => {
    const path = newPath()
    mkdirSync(path, { recursive: true })
    const journal = sqliteJournal({ path })
    expect((await rejection(startRun(journal, 'run'), 'journal_unavailable')).message).toContain(path)
    await rejection(journal.get('run'), 'journal_unavailable')
    rmSync(path, { recursive: true })
    await startRun(journal, 'run')
    await journal.close()
    await rejection(sqliteJournal({ path: join(path, 'below', 'a-file.db') }).list(), 'journal_unavailable')
  })

  test('importing the journal loads no SQLite, and using it prints no warning', () => {
    const script = `
      import { sqliteJournal } from ${JSON.stringify(front)}
      const loaded = () => process.moduleLoadList.some((name) => /sqlite/i.test(name))
      const before = loaded()
      const journal = sqliteJournal({ path: ${JSON.stringify(newPath())} })
      await journal.list()
      await journal.close()
      process.emitWarning('still heard')
      console.log(JSON.stringify([before, loaded()]))`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(JSON.parse(stdout)).toStrictEqual([false, true])
    expect(stderr).toContain('still heard')
    expect(stderr).not.toContain('SQLite')
  })
})
