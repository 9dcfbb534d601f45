// PostgreSQL under the contract suites, and what only a server can do to a journal: go away, and come back.
import { setTimeout as pause } from 'node:timers/promises'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/clock/index.ts'
import { migratePostgres, postgresJournal, postgresStatus } from '../../src/journal/postgres/index.ts'
import { journalContract } from '../contract/journal.ts'
import { chainOf, entryAfter, rejection, sampleUpdate, startRun } from '../contract/journal/sample.ts'
import { sharedJournalContract } from '../contract/shared-journal.ts'
import { journalAt } from './journal-at.ts'
import { startPostgres, type PostgresServer } from './postgres-server.ts'

let server: PostgresServer
let schemas = 0
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server[Symbol.asyncDispose]())

journalContract('PostgreSQL', async ({ clock }) => postgresJournal({ url: server.url, schema: `contract_${++schemas}`, clock }))
sharedJournalContract('PostgreSQL', () => server.newDatabase(), journalAt)

const query = async (url: string, ...statements: readonly string[]): Promise<void> => {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    for (const statement of statements) await client.query(statement)
  } finally {
    await client.end()
  }
}

describe('a PostgreSQL journal and its server', () => {
  test('kill -9 of the server, six times while a thousand runs append, loses nothing acknowledged and doubles nothing', { timeout: 120_000 }, async () => {
    const [RUNS, KILLS, SEED] = [1_000, 6, 11]
    const url = await server.newDatabase()
    const journal = postgresJournal({ url, reconnectMs: 60_000, connections: 20 })
    const random = seededRandom(SEED)
    const acknowledged = new Map<string, number>()
    const posted = new Map<string, number[]>()
    let stop = false
    const live = async (id: string): Promise<void> => {
      const { lease, first } = await startRun(journal, id)
      acknowledged.set(id, 0)
      for (let head = first; !stop;) {
        head = entryAfter(head, JSON.stringify({ id, after: head.seq }))
        await journal.append(lease, head, sampleUpdate())
        acknowledged.set(id, head.seq)
        await pause(random() * 1_000)
        if (random() < 0.2) posted.set(id, [...(posted.get(id) ?? []), await journal.post(id, { type: 'PING' })])
      }
    }
    const runs = Array.from({ length: RUNS }, (_, n) => live(`run-${n}`))
    for (let kill = 0; kill < KILLS; kill++) {
      await pause(300 + random() * 700)
      await server.kill()
      await server.start()
    }
    stop = true
    await Promise.all(runs)
    expect(acknowledged.size).toBe(RUNS)
    expect([...acknowledged.values()].reduce((sum, seq) => sum + seq, 0)).toBeGreaterThan(RUNS)
    for (const [id, seq] of acknowledged) {
      expect(await journal.read(id), `seed ${SEED}`).toHaveLength(seq + 1)
      expect((await journal.inbox(id, 0)).map(({ n }) => n)).toStrictEqual(posted.get(id) ?? [])
    }
    await journal.close()
  })

  test('a server that is away longer than the journal waits is a failure, and the same append works once it is back', async () => {
    const journal = postgresJournal({ url: await server.newDatabase(), reconnectMs: 300 })
    const { lease, first } = await startRun(journal, 'run')
    await server.kill()
    const late = await rejection(journal.append(lease, entryAfter(first), sampleUpdate()), 'journal_unavailable')
    expect(late.message).toContain('Check that the server runs')
    await server.start()
    await journal.append(lease, entryAfter(first), sampleUpdate())
    await journal.append(lease, entryAfter(first), sampleUpdate())
    expect(await journal.read('run')).toStrictEqual(chainOf(2))
    await journal.close()
  })

  test('a server that was never reached is reported at once, without the password', async () => {
    const journal = postgresJournal({ url: 'postgres://ada:secret@127.0.0.1:1/app' })
    const away = await rejection(journal.list(), 'journal_unavailable')
    expect(away.message).toContain('postgres://127.0.0.1:1/app')
    expect(JSON.stringify(away)).not.toContain('secret')
    await journal.close()
  })

  test('a server that took over and is behind is noticed by whoever appends', async () => {
    const url = await server.newDatabase()
    const journal = postgresJournal({ url })
    const { lease, first } = await startRun(journal, 'run')
    const second = entryAfter(first)
    await journal.append(lease, second, sampleUpdate())
    await query(url, 'DELETE FROM stateloop.entries WHERE seq = 1', `UPDATE stateloop.runs SET seq = 0, hash = '${first.hash}'`)
    const behind = await rejection(journal.append(lease, entryAfter(second), sampleUpdate()), 'journal_rolled_back')
    expect(behind.details).toStrictEqual({ run: 'run', have: 1, witnessed: 2 })
    await journal.close()
  })

  test('a lost tail of a run is noticed by whoever reads', async () => {
    const url = await server.newDatabase()
    const journal = postgresJournal({ url })
    const { lease, first } = await startRun(journal, 'run')
    await journal.append(lease, entryAfter(first), sampleUpdate())
    await query(url, 'DELETE FROM stateloop.entries WHERE seq = 1')
    await rejection(journal.read('run'), 'journal_rolled_back')
    await rejection(journal.get('run'), 'journal_corrupt')
    await journal.close()
  })

  test('ten processes that meet an empty database at once make its tables once', async () => {
    const url = await server.newDatabase()
    const journals = Array.from({ length: 10 }, () => postgresJournal({ url, connections: 2 }))
    await Promise.all(journals.map((journal, n) => startRun(journal, `run-${n}`)))
    expect(await journals[0]?.list()).toHaveLength(10)
    await Promise.all(journals.map((journal) => journal.close()))
  })

  test('tables of another version are refused with what to do, and migrated when told', async () => {
    const url = await server.newDatabase()
    const careful = postgresJournal({ url, migrate: false })
    expect((await rejection(careful.list(), 'journal_unavailable')).message).toContain('stateloop db migrate')
    expect(await postgresStatus({ url })).toStrictEqual({ found: 0, known: expect.any(Number) })
    const { known } = await migratePostgres({ url })
    expect(await postgresStatus({ url })).toStrictEqual({ found: known, known })
    expect(await careful.list()).toStrictEqual([])
    await careful.close()
    await query(url, `INSERT INTO stateloop.migrations (version, at) VALUES (${known + 1}, 0)`)
    const older = postgresJournal({ url })
    expect((await rejection(older.list(), 'journal_unavailable')).message).toContain('newer version of Stateloop')
    await older.close()
  })
})
