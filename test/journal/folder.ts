// A folder for one test file, removed when its tests are done.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'

/** @returns gives a new path for a database at each call. */
export const databasePaths = (): (() => string) => {
  const folder = mkdtempSync(join(tmpdir(), 'stateloop-journal-'))
  let count = 0
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return () => join(folder, `${count++}`, 'stateloop.db')
}
