// Real processes on one lock: several that edit it at once, and one that makes calls while another rolls back.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { definePrompt, emptyLock, readLock, release, replaceLock, rollBack, type Prompt } from '../../../src/prompt/index.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stateloop-lock-'))
  path = join(folder, 'prompts.lock.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

const worker = (file: string, ...args: readonly string[]): ChildProcess => spawn(process.execPath, [join(import.meta.dirname, file), path, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })

describe('processes on one lock', { timeout: 60_000 }, () => {
  it('that edit it at the same time lose no change of each other', async () => {
    const editors = ['a', 'b', 'c'].map((name) => worker('edit-worker.ts', name, '12'))
    for (const [code] of await Promise.all(editors.map((child) => once(child, 'exit')))) expect(code).toBe(0)
    const { prompts } = readLock(path)
    expect(Object.entries(prompts).map(([id, { versions, previous }]) => [id, Object.keys(versions).length, previous.length])).toEqual(['a', 'b', 'c'].map((id) => [id, 12, 11]))
    expect(readdirSync(folder)).toEqual(['prompts.lock.json'])
  })

  it('take a rollback of another process with the next run, without a restart', async () => {
    const version = (text: string): Prompt => definePrompt({ id: 'greet', vars: z.object({ input: z.string() }), messages: `${text} {{input}}` as string })
    const [first, second] = [version('One'), version('Two')]
    const lock = release(release(emptyLock, 'greet', first.document), 'greet', second.document)
    await replaceLock(path, undefined, lock)
    const caller = worker('watch-worker.ts')
    const lines = createInterface({ input: caller.stdout! })[Symbol.asyncIterator]()
    const next = async (): Promise<unknown> => JSON.parse(((await lines.next()) as { readonly value: string }).value)
    const two = { text: 'Two Ada', hash: second.hash.slice(0, 16) }
    expect([await next(), await next()]).toEqual([two, two])
    await replaceLock(path, lock, rollBack(lock, 'greet'))
    // A run that had begun when the file changed keeps its version.
    let seen = await next()
    for (let runs = 0; runs < 3 && JSON.stringify(seen) === JSON.stringify(two); runs++) seen = await next()
    const one = { text: 'One Ada', hash: first.hash.slice(0, 16) }
    expect([seen, await next()]).toEqual([one, one])
    caller.kill()
  })
})
