// How long `stateloop costs` takes on a database of many attempts: ten million over sixty days, of a thousand users with
// a few heavy ones among them. Run it with `node --conditions=stateloop-source bench/costs.ts [attempts] [folder]`; the
// database is made first, which takes minutes. A folder keeps it, and is used again when it holds one.
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../src/clock/index.ts'
import { HOUR_MS, reportCosts, type Charge, type CostDimension, type LedgerStore } from '../src/cost/index.ts'
import { chainHash, CHAIN_START, sqliteJournal, type Journal, type RowUpdate } from '../src/journal/index.ts'

const ATTEMPTS = Number(process.argv[2] ?? 10_000_000)
const KEPT = process.argv[3]
const USERS = 1_000
const HOURS = 60 * 24
const ROUTES = ['/chat', '/search', '/help']
const STEPS = ['triaging', 'searching', 'answering', 'answering'].map((state, index) => ({ state, model: index < 2 ? 'openai/gpt-5-mini' : 'openai/gpt-5', promptHash: `hash-of-${state}` }))
const CHARGES_PER_ENTRY = 2_000
const END = Date.UTC(2026, 5, 1)

const random = seededRandom(5)
/** A few users make most of the runs. */
const someUser = (): string => `user-${Math.floor(USERS * random() ** 3)}`

/** The calls of one run: a user's few steps within a minute. @param progress how much of the sixty days has passed, 0 to 1. */
const runOf = (progress: number): readonly Charge[] => {
  const at = Math.floor(END - (1 - progress) * HOURS * HOUR_MS)
  const who = { user: someUser(), route: ROUTES[Math.floor(random() * ROUTES.length)] ?? '', tenant: 'acme', agent: 'support' }
  return STEPS.map((step, index) => ({
    ...who,
    ...step,
    prompt: step.state,
    at,
    usage: { inputTokens: 200 + Math.floor(random() * 4_000), outputTokens: Math.floor(random() * 800) },
    costNano: Math.floor(100_000 + random() * 9_000_000),
    latencyMs: 200 + Math.floor(random() * 9_000),
    isCall: true,
    failed: random() < 0.02,
    firstOf: index === 0 ? 255 : 0,
  }))
}

const UPDATE: RowUpdate = { status: 'running', updatedAt: END, state: 'answering', taken: 0, modelCalls: 1, toolCalls: 0, inputTokens: 1, outputTokens: 1, costNano: 1, costUnknown: false }

const fill = async (journal: Journal): Promise<void> => {
  let entry = { seq: 0, at: END, text: '{}', hash: chainHash(CHAIN_START, 0, END, '{}') }
  const made = await journal.create({ ...UPDATE, id: 'bench', agent: 'support', agentHash: 'b', engine: 'embedded', startedAt: END, seq: 0, hash: '' }, entry, 'bench', 3_600_000)
  if (!made.created) throw new Error('the run was there before')
  for (let count = 0; count < ATTEMPTS; count += CHARGES_PER_ENTRY) {
    const seq = entry.seq + 1
    entry = { seq, at: END, text: '{}', hash: chainHash(entry.hash, seq, END, '{}') }
    const charges = Array.from({ length: CHARGES_PER_ENTRY / STEPS.length }, (_, index) => runOf((count + index * STEPS.length) / ATTEMPTS)).flat()
    await journal.append(made.lease, entry, UPDATE, { charges })
  }
}

const timed = async (ledger: LedgerStore, by: readonly CostDimension[], days: number): Promise<void> => {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const { total, groups } = await reportCosts(ledger, { by, sinceMs: END - days * 24 * HOUR_MS, untilMs: END })
  console.log(
    `--by ${by.join(',')} --since ${days}d: ${((performance.now() - start) / 1_000).toFixed(2)} s, ${(process.cpuUsage(cpu).user / 1e6 + process.cpuUsage(cpu).system / 1e6).toFixed(2)} s of CPU (${total.calls} calls, ${groups.length} groups)`,
  )
}

const folder = KEPT ?? mkdtempSync(join(tmpdir(), 'stateloop-bench-'))
mkdirSync(folder, { recursive: true })
const path = join(folder, 'stateloop.db')
const isFilled = existsSync(path)
const journal = sqliteJournal({ path })
if (!isFilled) {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  await fill(journal)
  const { user, system } = process.cpuUsage(cpu)
  console.log(`${ATTEMPTS} attempts written in ${((performance.now() - start) / 1_000).toFixed(0)} s, ${((user + system) / ATTEMPTS).toFixed(1)} µs of CPU each; ${(statSync(path).size / 1e6).toFixed(0)} MB`)
}
if (journal.ledger === undefined) throw new Error('no ledger')
for (const days of [1, 7, 30]) for (const by of [['user'], ['route', 'model'], ['user', 'route', 'model', 'agent', 'state', 'prompt']] as const) await timed(journal.ledger, by, days)
await journal.close()
if (KEPT === undefined) rmSync(folder, { recursive: true })
