import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { seededRandom } from '../../src/clock/index.ts'
import { sqliteJournal } from '../../src/journal/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'stateloop-crash-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const worker = join(import.meta.dirname, 'crash-worker.ts')

/** Runs the worker until it ends or until the ledger has grown by `lines`, then kills it. */
const live = (db: string, ledger: string, run: string, lines: number): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--conditions=stateloop-source', worker, db, ledger, run], { stdio: ['ignore', 'ignore', 'inherit'] })
    const before = linesOf(ledger).length
    const watch = setInterval(() => {
      if (linesOf(ledger).length - before >= lines) child.kill('SIGKILL')
    }, 1)
    child.once('error', reject)
    child.once('exit', () => {
      clearInterval(watch)
      resolve()
    })
  })

const linesOf = (ledger: string): readonly string[] => (existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n').filter(Boolean) : [])

it('loses nothing and doubles no keyed call when killed at more than 100 moments of 30-step runs', { timeout: 400_000 }, async () => {
  const seed = 20_261_123
  const random = seededRandom(seed)
  let kills = 0
  for (let round = 0; kills < 105; round++) {
    const db = join(folder, `${round}.db`)
    const ledger = join(folder, `${round}.log`)
    let run = ''
    for (let life = 0; life < 60; life++) {
      const lines = 1 + Math.floor(random() * 10)
      await live(db, ledger, run, lines)
      run =
        linesOf(ledger)
          .find((line) => line.startsWith('run '))
          ?.slice(4) ?? run
      if (linesOf(ledger).some((line) => line.startsWith('outcome '))) break
      kills += 1
    }
    const lines = linesOf(ledger)
    expect(
      lines.filter((line) => line.startsWith('outcome ')),
      `seed ${seed}, round ${round}`,
    ).toEqual(['outcome done'])
    const journal = sqliteJournal({ path: db })
    const entries = await journal.read(run)
    // Every acknowledged transition is still there, at its place.
    for (const line of lines.filter((text) => text.startsWith('ack '))) {
      const [, seq = '', ...to] = line.split(' ')
      const moves = (JSON.parse(entries[Number(seq)]?.text ?? '{"moves":[]}') as { readonly moves: readonly { readonly value: unknown }[] }).moves
      expect(
        moves.some((move) => JSON.stringify(move.value) === to.join(' ')),
        `seed ${seed}: ${line}`,
      ).toBe(true)
    }
    // A call may be performed again only under the key it had: the tool sees one key for each of the 15 calls.
    expect(new Set(lines.filter((line) => line.startsWith('tool '))).size).toBe(15)
    const results = entries.filter((entry) => (JSON.parse(entry.text) as { readonly cause: { readonly key?: string } }).cause.key?.startsWith('/acting'))
    expect(results).toHaveLength(15)
    await journal.close()
  }
  expect(kills).toBeGreaterThanOrEqual(100)
})
