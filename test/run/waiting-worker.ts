// A process of a test that brings ten thousand runs to where they wait, on SQLite, and says how much heap each holds once
// it has left memory; then all of them go on. Needs --expose-gc. Started by the test; never imported.
import { z } from 'zod'
import { setupAgent } from '../../src/agent/index.ts'
import { sqliteJournal } from '../../src/journal/index.ts'
import { createRuntime } from '../../src/run/index.ts'

const [path = '', count = '0'] = process.argv.slice(2)
const RUNS = Number(count)
const BATCH = 500

const t = setupAgent({ id: 'waiter', models: {}, input: z.object({ n: z.number() }), events: { GO: z.object({}) }, onFailure: 'failed' })
const waiter = t.createAgent({
  initial: 'asking',
  // With an expiry, so that each run also has a timer.
  states: { asking: t.human({ on: { GO: 'done' }, expiresMs: 86_400_000 }), done: t.final({ output: ({ context }) => context.n }), failed: t.final({ outcome: 'failed' }) },
})

const heapBytes = async (): Promise<number> => {
  for (let pass = 0; pass < 5; pass++) {
    await new Promise((resolve) => setImmediate(resolve))
    globalThis.gc?.()
  }
  return process.memoryUsage().heapUsed
}

const inBatches = async (act: (n: number) => Promise<unknown>): Promise<void> => {
  for (let from = 0; from < RUNS; from += BATCH) await Promise.all(Array.from({ length: Math.min(BATCH, RUNS - from) }, (_, n) => act(from + n)))
}

const main = async (): Promise<void> => {
  const runtime = createRuntime({ journal: sqliteJournal({ path }), agents: [waiter] })
  const concurrency = 200
  // Everything that is made once is made before the first measurement.
  const warm = await runtime.enqueue(waiter, { n: -1 })
  await runtime.drive({ concurrency })
  await runtime.cancel(warm.id)
  await runtime.outcome(warm.id)
  await inBatches((n) => runtime.enqueue(waiter, { n }, { key: `${n}` }))
  const before = await heapBytes()
  const waited = await runtime.drive({ concurrency })
  const after = await heapBytes()
  const rows = await runtime.list({ status: ['waiting'], limit: RUNS + 1 })
  const ids = rows.map((row) => row.id)
  await inBatches((n) => runtime.journal.post(ids[n] ?? '', { type: 'GO' }))
  const woken = await runtime.drive({ concurrency })
  const done = await runtime.list({ status: ['done'], limit: RUNS + 1 })
  const outputs = new Set(done.map((row) => row.output))
  process.stdout.write(JSON.stringify({ waiting: waited.waiting, bytesEach: (after - before) / RUNS, ended: woken.ended, outputs: outputs.size }))
  await runtime.close()
}
void main()
