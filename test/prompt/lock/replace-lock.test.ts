import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { formatLock, readLock, replaceLock } from '../../../src/prompt/index.ts'
import { first, released, second, third } from './sample.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stateloop-lock-'))
  path = join(folder, 'prompts.lock.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('replacing a lock', () => {
  it('makes the file, and then replaces what the change began with', async () => {
    expect(await replaceLock(path, undefined, released(first))).toBe(true)
    expect(await replaceLock(path, released(first), released(first, second))).toBe(true)
    expect(readLock(path)).toEqual(released(first, second))
    expect(existsSync(`${path}.new`)).toBe(false)
  })

  it('changes nothing when the file holds something else by now', async () => {
    writeFileSync(path, formatLock(released(first, second)))
    for (const before of [released(first), undefined]) expect(await replaceLock(path, before, released(first, third))).toBe(false)
    expect(readLock(path)).toEqual(released(first, second))
    expect(existsSync(`${path}.new`)).toBe(false)
  })

  it('does not mind how the file is laid out', async () => {
    writeFileSync(path, JSON.stringify(released(first)))
    expect(await replaceLock(path, released(first), released(first, second))).toBe(true)
  })

  it('waits for the change of another process, and takes the turn of one that was killed in the middle', async () => {
    writeFileSync(path, formatLock(released(first)))
    writeFileSync(`${path}.new`, '{ half')
    const waiting = replaceLock(path, released(first), released(first, second))
    await new Promise((resolve) => setTimeout(resolve, 60))
    expect(readFileSync(`${path}.new`, 'utf8')).toBe('{ half')
    utimesSync(`${path}.new`, 1, 1)
    expect(await waiting).toBe(true)
    expect(readLock(path)).toEqual(released(first, second))
  })

  it('is refused, with nothing left behind, when the file is no lock any more', async () => {
    writeFileSync(path, '{')
    await expect(replaceLock(path, released(first), released(second))).rejects.toMatchObject({ code: 'prompt_unusable' })
    expect(existsSync(`${path}.new`)).toBe(false)
  })
})
