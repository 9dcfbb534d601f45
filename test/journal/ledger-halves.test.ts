// A long period of many rows is read in halves, so that no text of histograms grows beyond what a string may hold.
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/clock/index.ts'
import { HOUR_MS, type LedgerQuery, type LedgerRow } from '../../src/cost/index.ts'
import { sqliteJournal } from '../../src/journal/index.ts'
import { readLedger } from '../../src/journal/sql/ledger.ts'
import { perform } from '../../src/journal/sql/script.ts'
import { sampleCharge } from '../contract/journal/ledger.ts'
import { entryAfter, sampleUpdate, startRun } from '../contract/journal/sample.ts'
import { databasePaths } from './folder.ts'

const newPath = databasePaths()
const HOURS = 24 * 40

/** Rows in an order of their own, histograms as plain pairs. */
const sorted = (rows: readonly LedgerRow[]): readonly unknown[] =>
  rows
    .map(({ key, windowMs, total }) => ({ key, windowMs, total: { ...total, costs: [...total.costs].toSorted(), latencies: [...total.latencies].toSorted() } }))
    .toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))

test('reading in halves gives what reading at once gives, histograms included', async () => {
  const seed = 3
  const random = seededRandom(seed)
  const below = (limit: number): number => Math.floor(random() * limit)
  const path = newPath()
  const journal = sqliteJournal({ path })
  const { lease, first } = await startRun(journal, 'a', { user: 'ada' })
  const charges = Array.from({ length: 400 }, () => sampleCharge({ at: below(HOURS) * HOUR_MS + below(HOUR_MS), user: `u${below(4)}`, state: `s${below(3)}`, costNano: below(1e9), latencyMs: below(10_000) }))
  await journal.append(lease, entryAfter(first), sampleUpdate(), { charges })
  await journal.close()

  const db = new DatabaseSync(path, { readOnly: true })
  let statements = 0
  const sql = {
    all: (text: string, ...parameters: (string | number | bigint | null | Uint8Array)[]) => {
      statements += 1
      return db.prepare(text).all(...parameters)
    },
  }
  const read = (query: LedgerQuery, mostJoined?: number): { readonly rows: readonly unknown[]; readonly statements: number } => {
    statements = 0
    return { rows: sorted(perform(sql, readLedger(query, mostJoined))), statements }
  }
  for (let round = 0; round < 30; round++) {
    const from = below(HOURS)
    const query = { sinceMs: from * HOUR_MS, untilMs: (from + 1 + below(HOURS)) * HOUR_MS, by: round % 2 === 0 ? (['user'] as const) : [], ...(round % 3 === 0 ? { where: { state: 's1' } } : {}) }
    expect(read(query, 5).rows, `seed ${seed}, round ${round}`).toEqual(read(query).rows)
  }
  const all = { sinceMs: 0, untilMs: HOURS * HOUR_MS, by: [] }
  expect(read(all).statements).toBe(2)
  expect(read(all, 50).statements).toBeGreaterThan(10)
  db.close()
})
