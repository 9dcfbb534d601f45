// Content under its hash and snapshots: kept exactly, or not at all.
import { describe, expect, test } from 'vitest'
import { sha256 } from '../../../src/schema/index.ts'
import type { StoredEntry } from '../../../src/journal/index.ts'
import type { Subject } from '../journal.ts'
import { appendAll, chainOf, entryAfter, sampleUpdate, startRun } from './sample.ts'

export const contentBehaviour = (subject: () => Subject): void => {
  describe('content and snapshots', () => {
    test('content is found by its SHA-256, and putting it twice keeps the first', async () => {
      const { journal } = subject()
      const hash = await journal.putContent('prompt', 'Answer briefly.')
      expect(hash).toBe(sha256('Answer briefly.'))
      expect(await journal.putContent('other', 'Answer briefly.')).toBe(hash)
      expect(await journal.getContent(hash)).toStrictEqual({ kind: 'prompt', text: 'Answer briefly.' })
      expect(await journal.getContent(sha256('something else'))).toBeUndefined()
    })

    test('content is listed by its kind, oldest first', async () => {
      const { journal } = subject()
      expect(await journal.listContent('prompt')).toStrictEqual([])
      const texts = ['b', 'a', 'c']
      for (const text of texts) await journal.putContent('prompt', text)
      await journal.putContent('thread', '[]')
      await journal.putContent('prompt', 'b')
      expect(await journal.listContent('prompt')).toStrictEqual(texts.map(sha256))
      expect(await journal.listContent('thread')).toStrictEqual([sha256('[]')])
    })

    test('content of 5 MB, with NUL and of every plane of Unicode comes back exactly', async () => {
      const { journal } = subject()
      const texts = ['', 'a\0b', '\ufeffmark first', 'é漢\u{1F600}\u{10FFFF}\u2028\u202e', 'x'.repeat(5_000_000)]
      const hashes = await Promise.all(texts.map((text) => journal.putContent('blob', text)))
      for (const [n, hash] of hashes.entries()) expect((await journal.getContent(hash))?.text === texts[n]).toBe(true)
    })

    test('half a surrogate pair, which has no UTF-8, is kept as U+FFFD under the hash of its UTF-8', async () => {
      const { journal } = subject()
      const hash = await journal.putContent('prompt', 'cut \ud83d')
      expect(hash).toBe(sha256('cut \ufffd'))
      expect(await journal.getContent(hash)).toStrictEqual({ kind: 'prompt', text: 'cut \ufffd' })
    })

    test('content put in the turn of an append is there when the append is', async () => {
      const { journal } = subject()
      const { lease, first } = await startRun(journal, 'run')
      const content = journal.putContent('thread', '[]')
      await journal.append(lease, entryAfter(first), sampleUpdate())
      expect(await journal.getContent(sha256('[]'))).toStrictEqual({ kind: 'thread', text: '[]' })
      await content
    })

    test('a run has one snapshot, the newest', async () => {
      const { journal } = subject()
      const entries = chainOf(9)
      const { lease } = await startRun(journal, 'run')
      await appendAll(journal, lease, entries.slice(1))
      expect(await journal.getSnapshot('run', 'standing')).toBeUndefined()
      const at = (seq: number): { seq: number; hash: string; text: string } => ({
        seq,
        hash: (entries[seq] as StoredEntry).hash,
        text: JSON.stringify({ seq }),
      })
      for (const seq of [2, 6, 4]) await journal.putSnapshot('run', at(seq), 'standing')
      expect(await journal.getSnapshot('run', 'standing')).toStrictEqual(at(6))
    })

    test('snapshots of each kind are kept apart, and go with their run', async () => {
      const { journal } = subject()
      const { lease, first } = await startRun(journal, 'run')
      const at = (text: string): { seq: number; hash: string; text: string } => ({ seq: 0, hash: first.hash, text })
      await journal.putSnapshot('run', at('{"standing":1}'), 'standing')
      expect(await journal.getSnapshot('run', 'fold')).toBeUndefined()
      await journal.putSnapshot('run', at('{"fold":1}'), 'fold')
      expect(await journal.getSnapshot('run', 'standing')).toStrictEqual(at('{"standing":1}'))
      expect(await journal.getSnapshot('run', 'fold')).toStrictEqual(at('{"fold":1}'))
      await journal.release(lease)
      expect(await journal.remove(['run'])).toStrictEqual(['run'])
      await startRun(journal, 'run')
      expect(await journal.getSnapshot('run', 'fold')).toBeUndefined()
    })

    test('a snapshot of other entries than the run has is not given', async () => {
      const { journal } = subject()
      const { first } = await startRun(journal, 'run')
      await journal.putSnapshot('run', { seq: 0, hash: 'f'.repeat(32), text: '{}' }, 'standing')
      expect(await journal.getSnapshot('run', 'standing')).toBeUndefined()
      await journal.putSnapshot('run', { seq: 0, hash: first.hash, text: '{}' }, 'standing')
      expect(await journal.getSnapshot('run', 'standing')).toMatchObject({ seq: 0 })
      await journal.putSnapshot('run', { seq: 5, hash: first.hash, text: '{}' }, 'standing')
      expect(await journal.getSnapshot('run', 'standing')).toBeUndefined()
    })
  })
}
