import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { databasePaths } from '../journal/folder.ts'

const newPath = databasePaths()
const RUNS = 10_000

it('ten thousand waiting runs leave memory, under 200 bytes of heap each, and all go on when told', { timeout: 300_000 }, async () => {
  const worker = join(import.meta.dirname, 'waiting-worker.ts')
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', '--conditions=stateloop-source', worker, newPath(), String(RUNS)])
  const found = JSON.parse(stdout) as { readonly bytesEach: number }
  expect(found).toMatchObject({ waiting: RUNS, ended: RUNS, outputs: RUNS })
  expect(found.bytesEach).toBeLessThan(200)
})
