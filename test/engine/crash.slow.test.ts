// Every durable engine killed at random more than thirty times, and engines that are broken on purpose, which must be noticed.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { sqliteJournal } from '../../src/journal/index.ts'
import { restateClient } from '../../src/engine/index.ts'
import { createRuntime } from '../../src/run/index.ts'
import { startPostgres } from '../journal/postgres-server.ts'
import { crash, enqueuer, type CrashReport } from './crash.ts'
import { crashAgent } from './crash-agent.ts'
import { freePort, startRestate } from './restate-server.ts'

const folder = mkdtempSync(join(tmpdir(), 'stateloop-engine-crash-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const SEED = 20_261_130
const KILLS = 30
const RUNS = 4
const within = { withinMs: 150_000 }
const limit = { timeout: 180_000 }

const soundly = (report: CrashReport): void => {
  expect(report, `seed ${SEED}`).toMatchObject({ finished: RUNS, lost: 0, unfoldable: 0, repeatedAfterAck: 0 })
  expect(report.kills).toBeGreaterThanOrEqual(KILLS)
}

test('SQLite: nothing acknowledged is lost or performed again in 30 kills of the worker', limit, async () => {
  const place = join(folder, 'sqlite.db')
  const ledger = join(folder, 'sqlite.log')
  const rounds = 36
  soundly(await crash({ seed: SEED, kills: KILLS, runs: RUNS, rounds, place, ledger, engine: 'embedded', begin: enqueuer(place, ledger, rounds), ...within }))
})

test('PostgreSQL: nothing acknowledged is lost or performed again in 30 kills of the worker, the server or both', limit, async () => {
  await using server = await startPostgres()
  const place = await server.newDatabase()
  const ledger = join(folder, 'postgres.log')
  const rounds = 60
  soundly(await crash({ seed: SEED, kills: KILLS, runs: RUNS, rounds, place, ledger, engine: 'embedded', server, begin: enqueuer(place, ledger, rounds), ...within }))
})

test('Restate: nothing acknowledged is lost or performed again in 30 kills of the service, the server or both', limit, async () => {
  await using server = await startRestate()
  const place = join(folder, 'restate.db')
  const ledger = join(folder, 'restate.log')
  const rounds = 36
  const port = await freePort()
  const agent = crashAgent(ledger, rounds)
  let registered = false
  const begin = async (name: string): Promise<string> => {
    if (!registered) await server.register(port)
    registered = true
    const runtime = createRuntime({ journal: sqliteJournal({ path: place }), agents: [agent] })
    const { id } = await restateClient(runtime, { ingress: server.ingress }).start(agent, { run: name })
    await runtime.close(0)
    return id
  }
  soundly(await crash({ seed: SEED, kills: KILLS, runs: RUNS, rounds, place, ledger, engine: 'restate', port, ingress: server.ingress, server, begin, ...within }))
})

test('a journal that says so before it has written is noticed', limit, async () => {
  const place = join(folder, 'early.db')
  const ledger = join(folder, 'early.log')
  const rounds = 40
  const report = await crash({ seed: SEED, kills: 12, runs: RUNS, rounds, place, ledger, engine: 'embedded', fault: 'early', begin: enqueuer(place, ledger, rounds), withinMs: 60_000 })
  expect(report.lost + report.repeatedAfterAck, `seed ${SEED}`).toBeGreaterThan(0)
})

test('two workers whose leases do not exclude each other are noticed', limit, async () => {
  const place = join(folder, 'leaseless.db')
  const ledger = join(folder, 'leaseless.log')
  const rounds = 20
  const report = await crash({ seed: SEED, kills: 2, runs: RUNS, rounds, place, ledger, engine: 'embedded', fault: 'leaseless', workers: 2, begin: enqueuer(place, ledger, rounds), withinMs: 60_000 })
  expect(report.lost + report.repeatedAfterAck + report.unfoldable, `seed ${SEED}`).toBeGreaterThan(0)
})
