// Creating, appending and reading: what is acknowledged is there, in order, under the hash it was given.
import { describe, expect, test } from 'vitest'
import { chainHash, CHAIN_START, type StoredEntry } from '../../../src/journal/index.ts'
import { seededRandom } from '../../../src/clock/index.ts'
import type { Subject } from '../journal.ts'
import { appendAll, chainOf, entryAfter, LEASE_MS, rejection, sampleRow, sampleUpdate, startRun } from './sample.ts'

export const runBehaviour = (subject: () => Subject): void => {
  describe('runs and entries', () => {
    test('a created run reads back with its first entry as its head', async () => {
      const { journal } = subject()
      const row = sampleRow('run', {
        agentVersion: '2',
        source: 'agents/support/agent.ts',
        user: 'u1',
        route: '/chat',
        tenant: 't1',
        session: 's1',
        key: 'k1',
        state: { asking: 'twice' },
        waiting: [{ for: 'event', state: 'asking', accepts: ['REPLY'], show: { text: 'Which order?' } }],
        dueAt: 9_000,
      })
      const first = entryAfter(undefined)
      expect(await journal.create(row, first, 'worker-1', LEASE_MS)).toMatchObject({ created: true })
      expect(await journal.get('run')).toStrictEqual({ ...row, seq: 0, hash: first.hash })
      expect(await journal.read('run')).toStrictEqual([first])
    })

    test('appended entries read back in order and the row shows the last update', async () => {
      const { journal } = subject()
      const entries = chainOf(20)
      const { lease } = await startRun(journal, 'run', { user: 'u1' })
      await appendAll(journal, lease, entries.slice(1, 19))
      const last = sampleUpdate({ status: 'done', output: null, updatedAt: 3_000 })
      await journal.append(lease, entries[19] as StoredEntry, last)
      expect(await journal.read('run')).toStrictEqual(entries)
      expect(await journal.get('run')).toStrictEqual({ ...sampleRow('run', { user: 'u1' }), ...last, seq: 19, hash: entries[19]?.hash })
    })

    test('what an update leaves out is gone from the row', async () => {
      const { journal } = subject()
      const [, second, third] = chainOf(3)
      const { lease } = await startRun(journal, 'run', { waiting: [{ for: 'timer', state: 'waiting', accepts: [] }], dueAt: 5 })
      await journal.append(lease, second as StoredEntry, sampleUpdate({ status: 'failed', failureCode: 'timeout', defect: true, output: { a: 1 }, dueAt: 7 }))
      expect(await journal.get('run')).toMatchObject({ failureCode: 'timeout', defect: true, output: { a: 1 }, dueAt: 7 })
      expect(await journal.get('run')).not.toHaveProperty('waiting')
      await journal.append(lease, third as StoredEntry, sampleUpdate())
      for (const field of ['failureCode', 'defect', 'output', 'dueAt']) expect(await journal.get('run')).not.toHaveProperty(field)
    })

    test('a migrated run shows its new agent, with or without a version, and keeps it', async () => {
      const { journal } = subject()
      const [, second, third] = chainOf(3)
      const { lease } = await startRun(journal, 'run', { agentVersion: '1' })
      await journal.append(lease, second as StoredEntry, sampleUpdate({ agentHash: 'a2' }))
      expect(await journal.get('run')).not.toHaveProperty('agentVersion')
      await journal.append(lease, third as StoredEntry, sampleUpdate())
      expect(await journal.get('run')).toMatchObject({ agentHash: 'a2' })
    })

    test('reading from a position gives the tail, nothing at or after the end', async () => {
      const { journal } = subject()
      const entries = chainOf(6)
      const { lease } = await startRun(journal, 'run')
      await appendAll(journal, lease, entries.slice(1))
      for (const from of [0, 1, 3, 5, 6, 9]) expect(await journal.read('run', from)).toStrictEqual(entries.slice(from))
    })

    test('a chain that does not fit is reported with the run and the entry', async () => {
      const { journal } = subject()
      const [, second, third] = chainOf(3)
      const { lease } = await startRun(journal, 'run')
      await journal.append(lease, { ...(second as StoredEntry), text: '{"after":"something else"}' }, sampleUpdate())
      await journal.append(lease, third as StoredEntry, sampleUpdate())
      expect(await rejection(journal.read('run'), 'journal_corrupt')).toMatchObject({ details: { run: 'run', seq: 1 } })
      expect(await journal.read('run', 2)).toStrictEqual([third])
    })

    test('the head appended again changes nothing, any other position is a bug', async () => {
      const { journal } = subject()
      const [, second, third, fourth] = chainOf(4)
      const { lease } = await startRun(journal, 'run')
      await journal.append(lease, second as StoredEntry, sampleUpdate())
      await journal.append(lease, second as StoredEntry, sampleUpdate())
      await expect(journal.append(lease, fourth as StoredEntry, sampleUpdate())).rejects.toThrow('Entry 3')
      await expect(journal.append(lease, { ...(second as StoredEntry), hash: third?.hash as string }, sampleUpdate())).rejects.toThrow('Entry 1')
      expect(await journal.read('run')).toHaveLength(2)
    })

    test('a run that is not there is undefined to get and a failure to everything else', async () => {
      const { journal } = subject()
      expect(await journal.get('nobody')).toBeUndefined()
      expect(await journal.getSnapshot('nobody', 'standing')).toBeUndefined()
      const lease = { run: 'nobody', owner: 'worker-1', epoch: 1, expiresAt: 0 }
      await rejection(journal.read('nobody'), 'run_not_found')
      await rejection(journal.append(lease, entryAfter(entryAfter(undefined)), sampleUpdate()), 'run_not_found')
      await rejection(journal.inbox('nobody', 0), 'run_not_found')
      await rejection(journal.putSnapshot('nobody', { seq: 0, hash: '', text: '{}' }, 'standing'), 'run_not_found')
    })

    test('a second run with the same id is refused and leaves the first alone', async () => {
      const { journal } = subject()
      const { first } = await startRun(journal, 'run')
      await expect(journal.create(sampleRow('run', { agent: 'other' }), entryAfter(undefined, '{"other":1}'), 'worker-2', LEASE_MS)).rejects.toThrow(/run/)
      expect(await journal.get('run')).toMatchObject({ agent: 'support' })
      expect(await journal.read('run')).toStrictEqual([first])
    })

    test('an entry of 5 MB and one of every plane of Unicode read back exactly', async () => {
      const { journal } = subject()
      const texts = ['{}', JSON.stringify('x'.repeat(5_000_000)), JSON.stringify('\0\u0001é漢\u{1F600}\u{10FFFF}\ud800\udc00 \ud800 \udfff \u2028\u202e\ufeff')]
      const entries = chainOf(3, (seq) => texts[seq] as string)
      const made = await journal.create(sampleRow('run'), entries[0] as StoredEntry, 'worker-1', LEASE_MS)
      if (made.created) await appendAll(journal, made.lease, entries.slice(1))
      expect((await journal.read('run')).every((entry, seq) => entry.text === texts[seq] && entry.hash === entries[seq]?.hash)).toBe(true)
    })

    test('text that is not JSON text is refused instead of being changed', async () => {
      const { journal } = subject()
      const { lease, first } = await startRun(journal, 'run')
      for (const text of ['"\ud800"', '"\0"']) await expect(journal.append(lease, entryAfter(first, text), sampleUpdate())).rejects.toThrow(TypeError)
      expect(await journal.read('run')).toStrictEqual([first])
    })

    test('a name that a database cannot keep is refused with the field', async () => {
      const { journal } = subject()
      const made = journal.create(sampleRow('run', { user: 'u\0' }), entryAfter(undefined), 'worker-1', LEASE_MS)
      expect(await rejection(made, 'invalid_input')).toMatchObject({ details: { field: 'user' } })
      await rejection(startRun(journal, 'run', { tenant: '\ud800' }), 'invalid_input')
      expect(await journal.list()).toStrictEqual([])
    })

    test('strings in a row come back as they were, whatever they hold', async () => {
      const { journal } = subject()
      const odd = `'; DROP TABLE runs; -- \u{1F600} \ud800 \0 "`
      await startRun(journal, 'run', { user: odd.replace(/[\0\ud800]/gu, ''), state: odd, output: { [odd]: [odd, null, 0.1] }, status: 'done' })
      expect(await journal.get('run')).toMatchObject({ user: odd.replace(/[\0\ud800]/gu, ''), state: odd, output: { [odd]: [odd, null, 0.1] } })
    })

    test('a thousand runs interleaved at random each keep their own chain', async () => {
      const { journal } = subject()
      const random = seededRandom(7)
      const runs = await Promise.all(Array.from({ length: 1_000 }, async (_, n) => ({ id: `run-${n}`, ...(await startRun(journal, `run-${n}`)) })))
      const heads = new Map(runs.map(({ id, first }) => [id, first]))
      const pending: Promise<void>[] = []
      for (let step = 0; step < 4_000; step++) {
        const { id, lease } = runs[Math.floor(random() * runs.length)] as (typeof runs)[number]
        const next = entryAfter(heads.get(id), JSON.stringify({ id, step }))
        heads.set(id, next)
        pending.push(journal.append(lease, next, sampleUpdate()))
        if (random() < 0.01) await Promise.all(pending.splice(0))
      }
      await Promise.all(pending)
      for (const { id } of runs) {
        const entries = await journal.read(id)
        expect(entries.at(-1)).toStrictEqual(heads.get(id))
        expect(entries.slice(1).every(({ text }) => (JSON.parse(text) as { id: string }).id === id)).toBe(true)
      }
    })

    test('the chain hash covers the position, the time, the text and all before it', () => {
      const hash = chainHash(CHAIN_START, 0, 1, '{}')
      expect(hash).toMatch(/^[0-9a-f]{32}$/)
      for (const other of [chainHash('0', 0, 1, '{}'), chainHash(CHAIN_START, 1, 1, '{}'), chainHash(CHAIN_START, 0, 2, '{}'), chainHash(CHAIN_START, 0, 1, '{} ')]) expect(other).not.toBe(hash)
    })

    test('a closed journal says so', async () => {
      const { journal } = subject()
      const { lease, first } = await startRun(journal, 'run')
      await journal.close()
      expect((await rejection(journal.append(lease, entryAfter(first), sampleUpdate()), 'journal_unavailable')).message).toContain('was closed')
      await rejection(journal.list(), 'journal_unavailable')
      await rejection(startRun(journal, 'other'), 'journal_unavailable')
    })
  })
}
