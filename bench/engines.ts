// Latency and throughput per transition of each engine, beside a raw sync of the disk, all in one run of this script. Every
// run goes round a loop of one journaled step that gives 1 kB. Start it with `node --conditions=stateloop-source bench/engines.ts`.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { setupAgent, type Agent } from '../src/agent/index.ts'
import { restate, restateClient, serveServices } from '../src/engine/index.ts'
import { memoryJournal, sqliteJournal, type Journal } from '../src/journal/index.ts'
import { postgresJournal } from '../src/journal/postgres/index.ts'
import { createRuntime, type StartOptions } from '../src/run/index.ts'
import { startRestate } from '../test/engine/restate-server.ts'
import { startPostgres } from '../test/journal/postgres-server.ts'

const STEPS = 100
const TEXT = 'x'.repeat(1_000)

const t = setupAgent({ id: 'bench', models: {}, input: z.object({}), context: z.object({ count: z.number().optional(), text: z.string().optional() }), limits: { transitions: 10_000 }, onFailure: 'failed' })
const looping = t.createAgent({
  initial: 'stepping',
  states: {
    stepping: t.code({
      run: ({ context }) => `${context.count ?? 0} ${TEXT}`,
      idempotent: true,
      maxVisits: STEPS + 1,
      save: ({ output, context }) => ({ text: output, count: (context.count ?? 0) + 1 }),
      onDone: 'checking',
    }),
    checking: t.choose({ cases: [{ when: ({ context }) => (context.count ?? 0) >= STEPS, label: 'enough', to: 'done' }], else: 'stepping' }),
    done: t.final({}),
    failed: t.final({ outcome: 'failed' }),
  },
}) as unknown as Agent

interface Engine {
  readonly journal: Journal
  readonly start: (options?: StartOptions) => Promise<{ readonly outcome: () => Promise<{ readonly outcome: string }> }>
  readonly close: () => Promise<void>
}

const embedded = (journal: Journal): Engine => {
  const runtime = createRuntime({ journal })
  return { journal, start: (options) => runtime.start(looping, {}, options), close: () => runtime.close() }
}

const onRestate = async (journal: Journal): Promise<Engine> => {
  const server = await startRestate()
  const runtime = createRuntime({ journal })
  const { services } = restate(runtime, { agents: [looping] })
  const { port, close } = await serveServices(services, 0)
  await server.register(port)
  const client = restateClient(runtime, { ingress: server.ingress, pollMs: 20 })
  return {
    journal,
    start: (options) => client.start(looping, {}, options),
    close: async () => {
      await close()
      await server[Symbol.asyncDispose]()
      await runtime.close()
    },
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0

const syncMs = (folder: string): number => {
  const file = openSync(join(folder, 'raw'), 'w')
  const times = Array.from({ length: 300 }, () => {
    const begun = performance.now()
    writeSync(file, TEXT)
    fdatasyncSync(file)
    return performance.now() - begun
  })
  closeSync(file)
  return median(times)
}

/** Waits for a run, which must have done all its steps. */
const finish = async (run: { readonly outcome: () => Promise<{ readonly outcome: string }> }): Promise<void> => {
  const end = await run.outcome()
  if (end.outcome !== 'done') throw new Error(`A run ended as ${JSON.stringify(end)}`)
}

/** Milliseconds per step in one run alone; then steps per second of many runs at once. */
const measure = async (engine: Engine, atOnce: number): Promise<readonly [number, number]> => {
  await finish(await engine.start())
  const begun = performance.now()
  await finish(await engine.start())
  const alone = (performance.now() - begun) / STEPS
  const from = performance.now()
  const runs = await Promise.all(Array.from({ length: atOnce }, () => engine.start()))
  await Promise.all(runs.map(finish))
  return [alone, (atOnce * STEPS * 1_000) / (performance.now() - from)]
}

const folder = mkdtempSync(join(tmpdir(), 'stateloop-bench-'))
await using postgres = await startPostgres()
const engines: readonly (readonly [string, () => Promise<Engine>])[] = [
  ['memory', async () => embedded(memoryJournal())],
  ['SQLite', async () => embedded(sqliteJournal({ path: join(folder, 'sqlite.db') }))],
  ['PostgreSQL, on this machine', async () => embedded(postgresJournal({ url: await postgres.newDatabase() }))],
  ['Restate, rows in SQLite', () => onRestate(sqliteJournal({ path: join(folder, 'restate.db') }))],
]
const raw = syncMs(folder)
console.log(`raw write and fdatasync of 1 kB: ${raw.toFixed(3)} ms`)
console.log('| engine | ms per transition, one run | × fdatasync | transitions per second, 50 runs |\n| --- | --- | --- | --- |')
for (const [name, open] of engines) {
  const engine = await open()
  const [alone, throughput] = await measure(engine, 50)
  console.log(`| ${name} | ${alone.toFixed(2)} | ${(alone / raw).toFixed(1)} | ${Math.round(throughput).toLocaleString('en')} |`)
  await engine.close()
}
rmSync(folder, { recursive: true, force: true })
