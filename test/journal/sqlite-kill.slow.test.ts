// kill -9 in the middle of group commits: what was acknowledged is there, whole, and the next process goes on.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { seededRandom } from '../../src/clock/index.ts'
import { sqliteJournal } from '../../src/journal/index.ts'
import { databasePaths } from './folder.ts'

const newPath = databasePaths()
const KILLS = 40
const SEED = 5

/** Lets a writer work for a while, kills it, and gives the last acknowledged entry of each run. */
const killed = async (path: string, prefix: string, afterMs: number): Promise<ReadonlyMap<string, number>> => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'kill-writer.ts'), path, prefix], { stdio: ['ignore', 'pipe', 'inherit'] })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  await once(child.stdout, 'data')
  await pause(afterMs)
  child.kill('SIGKILL')
  await once(child, 'close')
  const complete = printed.slice(0, printed.lastIndexOf('\n')).split('\n')
  return new Map(complete.map((line) => [line.split(' ')[0] as string, Number(line.split(' ')[1])]))
}

test(`nothing acknowledged is lost in ${KILLS} kills during group commits (seed ${SEED})`, { timeout: 180_000 }, async () => {
  const path = newPath()
  const random = seededRandom(SEED)
  const acknowledged = new Map<string, number>()
  for (let kill = 0; kill < KILLS; kill++) {
    for (const [id, seq] of await killed(path, `kill-${kill}`, random() * 60)) acknowledged.set(id, seq)
    const journal = sqliteJournal({ path })
    for (const [id, seq] of acknowledged) {
      const entries = await journal.read(id)
      expect(entries.length, `run ${id} after kill ${kill}`).toBeGreaterThan(seq)
      expect((await journal.get(id))?.seq).toBe(entries.length - 1)
    }
    await journal.close()
  }
  expect(acknowledged.size).toBeGreaterThan(KILLS)
  expect(Math.max(...acknowledged.values())).toBeGreaterThan(5)
})
