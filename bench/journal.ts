// What the journal costs: microseconds per append in memory, in SQLite for one run alone and for a hundred runs that
// share each sync, beside a bare fdatasync; and the bytes that an entry takes on disk. Run it with `node bench/journal.ts`.
// Only ratios within one run mean something on another machine.
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chainHash, CHAIN_START, memoryJournal, sqliteJournal, type Journal, type Lease, type RowUpdate, type RunRow, type StoredEntry } from '../src/journal/index.ts'

const BODY_BYTES = 500

interface Measured {
  readonly what: string
  readonly wallMicros: number
  readonly cpuMicros: number
}

const measured = async (what: string, times: number, work: () => Promise<void> | void): Promise<Measured> => {
  const cpu = process.cpuUsage()
  const start = performance.now()
  await work()
  const wall = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  return { what, wallMicros: (wall * 1_000) / times, cpuMicros: (user + system) / times }
}

const row = (id: string): RunRow => ({
  id,
  agent: 'bench',
  agentHash: 'b',
  engine: 'embedded',
  user: 'u1',
  route: '/bench',
  status: 'running',
  startedAt: 1,
  updatedAt: 1,
  seq: 0,
  hash: '',
  state: 'answering',
  taken: 0,
  modelCalls: 0,
  toolCalls: 0,
  inputTokens: 0,
  outputTokens: 0,
  costNano: 0,
  costUnknown: false,
})

const update = (seq: number): RowUpdate => ({
  status: 'running',
  updatedAt: seq,
  state: seq % 2 === 0 ? 'answering' : 'acting',
  taken: 0,
  modelCalls: seq,
  toolCalls: seq,
  inputTokens: seq * 100,
  outputTokens: seq * 10,
  costNano: seq * 1_000,
  costUnknown: false,
})

const entriesOf = (count: number): readonly StoredEntry[] => {
  let hash = CHAIN_START
  return Array.from({ length: count }, (_, seq) => {
    const text = JSON.stringify({ seq, body: 'x'.repeat(BODY_BYTES - 30) }).padEnd(BODY_BYTES)
    hash = chainHash(hash, seq, seq, text)
    return { seq, at: seq, hash, text }
  })
}

const started = async (journal: Journal, id: string, first: StoredEntry): Promise<Lease> => {
  const made = await journal.create(row(id), first, 'bench', 60_000)
  if (!made.created) throw new Error('the run was there before')
  return made.lease
}

const together = async (journal: Journal, runs: number, entries: readonly StoredEntry[], prefix: string): Promise<void> => {
  const [first, ...rest] = entries
  await Promise.all(
    Array.from({ length: runs }, async (_, run) => {
      const lease = await started(journal, `${prefix}${run}`, first as StoredEntry)
      for (const entry of rest) await journal.append(lease, entry, update(entry.seq))
    }),
  )
}

const bareSyncs = (path: string, times: number): void => {
  const file = openSync(path, 'w')
  const body = Buffer.alloc(BODY_BYTES)
  for (let time = 0; time < times; time++) {
    writeSync(file, body)
    fdatasyncSync(file)
  }
  closeSync(file)
}

const main = async (): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'stateloop-bench-'))
  const path = join(folder, 'grouped.db')
  const results: Measured[] = []
  try {
    const [warm, long, short, hundred] = [entriesOf(2_000), entriesOf(100_000), entriesOf(2_000), entriesOf(200)]
    await together(memoryJournal(), 1, warm, 'warm')
    results.push(await measured('memory, one run', long.length, () => together(memoryJournal(), 1, long, 'run')))
    results.push(await measured('bare write + fdatasync', 2_000, () => bareSyncs(join(folder, 'bare'), 2_000)))
    const alone = sqliteJournal({ path: join(folder, 'alone.db') })
    await together(alone, 1, entriesOf(200), 'warm')
    results.push(await measured('SQLite, one run alone', short.length, () => together(alone, 1, short, 'run')))
    await alone.close()
    const grouped = sqliteJournal({ path })
    results.push(await measured('SQLite, 100 runs at once', 100 * hundred.length, () => together(grouped, 100, hundred, 'run')))
    results.push(
      await measured('SQLite, reading and verifying', 100 * hundred.length, async () => {
        for (let run = 0; run < 100; run++) await grouped.read(`run${run}`)
      }),
    )
    await grouped.close()
    for (const { what, wallMicros, cpuMicros } of results) console.log(`${what.padEnd(32)} ${wallMicros.toFixed(1).padStart(8)} µs wall ${cpuMicros.toFixed(1).padStart(8)} µs CPU per entry`)
    const perEntry = statSync(path).size / (100 * hundred.length)
    console.log(`${'SQLite, bytes per entry'.padEnd(32)} ${perEntry.toFixed(0).padStart(8)} for ${BODY_BYTES} bytes of JSON (${(perEntry / BODY_BYTES).toFixed(2)}×)`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

await main()
