// Microseconds of CPU per step, in one process with the variants taking turns: only the ratios mean anything.
// Run: npm run bench
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryJournal, sqliteJournal, type Journal } from '../src/journal/index.ts'
import { refold } from '../src/run/drive.ts'
import { Fold } from '../src/run/fold.ts'
import { createRuntime } from '../src/run/index.ts'
import { benchAgent, byHand, provider, rawXState } from './scenario.ts'

const folder = mkdtempSync(join(tmpdir(), 'stateloop-bench-'))
const sizes = [10, 100, 1_000, 10_000]
const rounds = 3
const stepsPerRound = 4_000

const withJournal = (journal: Journal) => async (steps: number) => {
  const runtime = createRuntime({ journal, providers: [provider] })
  const run = await runtime.start(benchAgent, { steps })
  const outcome = await run.outcome()
  if (outcome.outcome !== 'done') throw new Error(JSON.stringify(outcome))
  return run.id
}

const sqlitePath = join(folder, 'bench.db')
const sqlite = sqliteJournal({ path: sqlitePath })
const variants: { readonly [name: string]: (steps: number) => Promise<unknown> } = {
  'by hand': byHand,
  'raw XState': rawXState,
  'stateloop, memory': (steps) => withJournal(memoryJournal())(steps),
  'stateloop, SQLite, one run': withJournal(sqlite),
  'stateloop, SQLite, 100 runs': (steps) => Promise.all(Array.from({ length: 100 }, () => withJournal(sqlite)(Math.max(1, Math.round(steps / 100))))),
}

const measure = async (work: (steps: number) => Promise<unknown>, steps: number): Promise<number> => {
  const repeats = Math.max(1, Math.round(stepsPerRound / steps))
  const before = process.cpuUsage()
  for (let repeat = 0; repeat < repeats; repeat++) await work(steps)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / (repeats * steps)
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0
const show = (number: number): string => (number >= 100 ? number.toFixed(0) : number.toFixed(1)).padStart(10)

const table = async (): Promise<void> => {
  for (const work of Object.values(variants)) await work(100)
  console.log(`CPU microseconds per step${' '.repeat(7)}${sizes.map((size) => `N=${size}`.padStart(10)).join('')}`)
  const results = new Map<string, number[][]>(Object.keys(variants).map((name) => [name, sizes.map(() => [])]))
  for (let round = 0; round < rounds; round++) {
    for (const [column, size] of sizes.entries()) {
      for (const [name, work] of Object.entries(variants)) {
        if (name === 'stateloop, SQLite, 100 runs' && size < 1_000) continue
        results.get(name)?.[column]?.push(await measure(work, size))
      }
    }
  }
  for (const [name, columns] of results) console.log(name.padEnd(32) + columns.map((column) => (column.length === 0 ? '-'.padStart(10) : show(median(column)))).join(''))
  const raw = median(results.get('raw XState')?.[1] ?? [])
  const memory = results.get('stateloop, memory') ?? []
  console.log(`memory / raw at N=100: ${(median(memory[1] ?? []) / raw).toFixed(2)}; memory at N=10000 / N=100: ${(median(memory[3] ?? []) / median(memory[1] ?? [])).toFixed(2)}`)
}

const storage = async (): Promise<void> => {
  const path = join(folder, 'bytes.db')
  const journal = sqliteJournal({ path })
  const id = await withJournal(journal)(1_000)
  const entries = await journal.read(id)
  const text = entries.reduce((sum, entry) => sum + entry.text.length, 0)
  await journal.close()
  console.log(`stored per step: ${(statSync(path).size / 1_000).toFixed(0)} B in the database, ${(text / 1_000).toFixed(0)} B of entry text (${entries.length} entries)`)
  const again = sqliteJournal({ path })
  const stored = await again.read(id)
  const fold = new Fold({ agent: benchAgent.id, id, seed: (JSON.parse(stored[0]?.text ?? '{}') as { readonly cause: { readonly seed: number } }).cause.seed }, benchAgent, new Map(), undefined)
  const started = process.cpuUsage()
  refold(fold, stored)
  const { user, system } = process.cpuUsage(started)
  console.log(`resume of a 1,000-step run: ${((user + system) / 1_000).toFixed(1)} ms of CPU to fold ${stored.length} entries again`)
  await again.close()
}

await table()
await storage()
await sqlite.close()
rmSync(folder, { recursive: true, force: true })
