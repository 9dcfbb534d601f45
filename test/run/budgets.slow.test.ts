// Budgets between processes: two of them spend from one, and one is killed with a call under way.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, test } from 'vitest'
import { accountsOf, limitsOf, reportCosts } from '../../src/cost/index.ts'
import { endOf, testProject } from '../cli/project.ts'
import { sqliteJournal, type Journal } from '../../src/journal/index.ts'
import { createRuntime } from '../../src/run/index.ts'
import { listModel, loopAgent } from './harness.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})
const newDatabase = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'stateloop-budget-'))
  folders.push(folder)
  return join(folder, 'stateloop.db')
}

const worker = (...args: readonly string[]): ChildProcess => spawn(process.execPath, [join(import.meta.dirname, 'budget-worker.ts'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })

const resultOf = async (child: ChildProcess): Promise<{ readonly [code: string]: number }> => {
  let out = ''
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()))
  await once(child, 'close')
  return JSON.parse(out.trim().split('\n').at(-1) ?? '{}') as { readonly [code: string]: number }
}

const SPENDER = { run: 'r', agent: 'loop', tenant: 'acme' }
const standings = async (journal: Journal): Promise<{ readonly [unit: string]: readonly [spent: number, reserved: number] }> => {
  const accounts = accountsOf(limitsOf({ scope: 'tenant:acme', usd: '0.5/total', calls: '100000/total' }), SPENDER, Date.now())
  const found = (await journal.budgets?.standing(accounts)) ?? []
  return Object.fromEntries(found.map(({ limit, spent, reserved }) => [limit.unit, [spent, reserved] as const]))
}
const ledgerOf = async (journal: Journal) => {
  if (journal.ledger === undefined) throw new Error('no ledger')
  const { total } = await reportCosts(journal.ledger, { sinceMs: Date.now() - 86_400_000, untilMs: Date.now() + 3_600_000 })
  return total
}

test('two processes with a thousand calls each stay under one budget together, and their counts agree to the nano-dollar', { timeout: 170_000 }, async () => {
  const path = newDatabase()
  const [one, two] = await Promise.all([resultOf(worker(path, '1000')), resultOf(worker(path, '1000'))])
  const done = (one['done'] ?? 0) + (two['done'] ?? 0)
  expect(done + (one['budget_exceeded'] ?? 0) + (two['budget_exceeded'] ?? 0)).toBe(2_000)
  // A call costs 580,000 nano-dollars and holds some 732,000, so 500 million are room for 860 calls and a few less.
  expect(done).toBeGreaterThan(600)
  expect(done).toBeLessThanOrEqual(862)
  const journal = sqliteJournal({ path })
  expect(await standings(journal)).toEqual({ usd: [done * 580_000, 0], calls: [done, 0] })
  expect(await ledgerOf(journal)).toMatchObject({ calls: done, costUsd: (done * 580_000) / 1e9 })
  await journal.close()
})

test('a limit that is set on the command line holds in another process within seconds, and goes when it is removed', { timeout: 60_000 }, async () => {
  await using project = await testProject()
  const spender = worker(join(project.folder, '.stateloop', 'stateloop.db'), 'on')
  const lines = createInterface({ input: spender.stdout! })
  const until = (code: string): Promise<void> => new Promise((resolve) => lines.on('line', (line) => (line === code ? resolve() : undefined)))
  await until('done')
  const limit = async (...args: readonly string[]): Promise<void> => expect(await endOf(project.begin(['limit', 'tenant:acme', ...args]))).toMatchObject({ code: 0 })
  await limit('--calls', '0/day')
  await until('budget_exceeded')
  await limit('--remove')
  await until('done')
  spender.kill()
  await once(spender, 'close')
})

test('kill -9 between reserve and settle loses neither what was spent nor what was held', { timeout: 60_000 }, async () => {
  const path = newDatabase()
  expect(await resultOf(worker(path, '20'))).toEqual({ done: 20 })
  const stuck = worker(path, '3', 'stuck')
  let asked = 0
  await new Promise<void>((resolve) => stuck.stdout?.on('data', (chunk: Buffer) => ((asked += chunk.toString().split('asked').length - 1) >= 3 ? resolve() : undefined)))
  const journal = sqliteJournal({ path })
  const held = (await standings(journal))['usd']?.[1] ?? 0
  expect(await standings(journal)).toEqual({ usd: [20 * 580_000, held], calls: [20, 3] })
  expect(held).toBeGreaterThan(3 * 580_000)
  stuck.kill('SIGKILL')
  await once(stuck, 'close')
  // Killed: what was spent is there, and what was held is held until the runs go on or it lapses.
  expect(await standings(journal)).toEqual({ usd: [20 * 580_000, held], calls: [20, 3] })
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  const agent = loopAgent({}, {}, { retry: { attempts: 1 }, timeout: { totalMs: 2_000 } })
  const runtime = createRuntime({ journal, providers: [listModel(() => ({ text: 'x' }))], agents: [agent], budgets: [{ scope: 'tenant:acme', usd: '0.5/total', calls: '100000/total' }] })
  const left = await journal.list({ status: ['running'] })
  expect(left).toHaveLength(3)
  for (const { id } of left) expect((await (await runtime.resume(id)).outcome()).outcome).toMatch(/done|failed/)
  const end = await standings(journal)
  const total = await ledgerOf(journal)
  expect(end['usd']).toEqual([Math.round((total.costUsd ?? 0) * 1e9), 0])
  expect(end['calls']?.[1]).toBe(0)
  await runtime.close()
})
