// Microseconds of CPU per step, in one process with the variants taking turns: only the ratios mean anything.
// Run: npm run bench
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { memoryJournal, sqliteJournal, type Journal } from '../src/journal/index.ts'
import type { ModelProvider } from '../src/model/index.ts'
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
}

/** Takes a run of so many steps up in its middle, as after a crash: the CPU until it is at work again, milliseconds. */
const resume = async (steps: number, snapshotEvery: number): Promise<number> => {
  const journal: Journal = { ...memoryJournal(), close: async () => {} }
  const first = createRuntime({ journal, providers: [stoppingAt(steps)], snapshotEvery })
  const { id } = await first.start(benchAgent, { steps: 2 * steps })
  while (((await first.get(id))?.modelCalls ?? 0) <= steps) await new Promise((resolve) => setTimeout(resolve, 20))
  await first.close(0)
  const times: number[] = []
  for (let round = 0; round < 5; round++) {
    const again = createRuntime({ journal, providers: [stoppingAt(steps)], snapshotEvery: Infinity })
    const started = process.cpuUsage()
    await again.resume(id, { agent: benchAgent })
    const { user, system } = process.cpuUsage(started)
    times.push((user + system) / 1_000)
    await again.close(0)
  }
  return median(times)
}

/** The bench's model, which does not answer any more once it was asked so often. */
const stoppingAt = (steps: number): ModelProvider => ({
  ...provider,
  call: (request, context) =>
    (request.messages.length - 1) >> 1 < steps
      ? provider.call(request, context)
      : new Promise<never>((_resolve, reject) => context.signal.addEventListener('abort', () => reject(context.signal.reason as Error), { once: true })),
})

const resumes = async (): Promise<void> => {
  for (const steps of [1_000, 10_000]) {
    const [whole, snapshot] = [await resume(steps, Infinity), await resume(steps, 1_000)]
    console.log(`resume after ${steps} steps: ${whole.toFixed(1)} ms of CPU folding all entries, ${snapshot.toFixed(1)} ms from a snapshot`)
  }
}

await table()
await storage()
await resumes()
await sqlite.close()
rmSync(folder, { recursive: true, force: true })
