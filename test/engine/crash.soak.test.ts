// The crash test at length: hundreds of kills under several seeds, with the server killed as well where there is one.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startPostgres } from '../journal/postgres-server.ts'
import { crash, enqueuer } from './crash.ts'

const folder = mkdtempSync(join(tmpdir(), 'stateloop-engine-soak-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const KILLS = Number(process.env['CRASH_KILLS'] ?? 200)
const common = { kills: KILLS, runs: 8, rounds: Math.ceil(KILLS * 1.2), engine: 'embedded', withinMs: 1_500_000 } as const
const sound = { finished: common.runs, lost: 0, unfoldable: 0, repeatedAfterAck: 0 }

test.each([1, 2, 3])('SQLite: nothing acknowledged is lost or performed again in hundreds of kills (seed %i)', async (seed) => {
  const place = join(folder, `sqlite-${seed}.db`)
  const ledger = join(folder, `sqlite-${seed}.log`)
  const report = await crash({ ...common, seed, place, ledger, begin: enqueuer(place, ledger, common.rounds) })
  expect(report, `seed ${seed}`).toMatchObject(sound)
  expect(report.kills).toBeGreaterThanOrEqual(KILLS)
})

test.each([1, 2, 3])('PostgreSQL: nothing acknowledged is lost or performed again in hundreds of kills of worker and server (seed %i)', async (seed) => {
  await using server = await startPostgres()
  const place = await server.newDatabase()
  const ledger = join(folder, `postgres-${seed}.log`)
  const report = await crash({ ...common, seed, place, ledger, server, begin: enqueuer(place, ledger, common.rounds) })
  expect(report, `seed ${seed}`).toMatchObject(sound)
  expect(report.kills).toBeGreaterThanOrEqual(KILLS)
})
