// Keys, sessions and lists: who may start what, and how runs are found again.
import { describe, expect, test } from 'vitest'
import type { RunFilter, RunRow, RunStatus } from '../../../src/journal/index.ts'
import type { Subject } from '../journal.ts'
import { entryAfter, LEASE_MS, rejection, sampleRow, sampleUpdate, startRun } from './sample.ts'

export const listBehaviour = (subject: () => Subject): void => {
  describe('keys, sessions and lists', () => {
    test('starting with a key that is taken gives the run that has it', async () => {
      const { journal } = subject()
      const { first } = await startRun(journal, 'one', { key: 'k' })
      const again = await journal.create(sampleRow('two', { key: 'k' }), entryAfter(undefined), 'worker-2', LEASE_MS)
      expect(again).toStrictEqual({ created: false, row: sampleRow('one', { key: 'k', hash: first.hash }) })
      expect(await journal.get('two')).toBeUndefined()
    })

    test('a key belongs to one agent of one tenant', async () => {
      const { journal } = subject()
      const others: readonly Partial<RunRow>[] = [{}, { tenant: 't1' }, { tenant: 't2' }, { agent: 'billing' }, { agent: 'billing', tenant: 't1' }]
      for (const [n, other] of others.entries()) await startRun(journal, `run-${n}`, { key: 'k', ...other })
      expect(await journal.list({ key: 'k' })).toHaveLength(others.length)
    })

    test('of twenty that start with one key at once exactly one is created', async () => {
      const { journal } = subject()
      const starts = Array.from({ length: 20 }, (_, n) => journal.create(sampleRow(`run-${n}`, { key: 'k' }), entryAfter(undefined), `worker-${n}`, LEASE_MS))
      const outcomes = await Promise.all(starts)
      const [row] = await journal.list()
      expect(outcomes.filter(({ created }) => created)).toHaveLength(1)
      expect(outcomes.flatMap((outcome) => (outcome.created ? [] : [outcome.row]))).toStrictEqual(Array(19).fill(row))
    })

    test('a key stays taken when its run has ended', async () => {
      const { journal } = subject()
      await startRun(journal, 'one', { key: 'k', status: 'failed' })
      expect(await journal.create(sampleRow('two', { key: 'k' }), entryAfter(undefined), 'worker-1', LEASE_MS)).toMatchObject({
        created: false,
        row: { id: 'one' },
      })
    })

    test('a session has one run that has not ended', async () => {
      const { journal } = subject()
      const { lease, first } = await startRun(journal, 'one', { session: 's' })
      const busy = await rejection(startRun(journal, 'two', { session: 's' }), 'session_busy')
      expect(busy.details).toStrictEqual({ session: 's', run: 'one' })
      await journal.append(lease, entryAfter(first), sampleUpdate({ status: 'waiting' }))
      await rejection(startRun(journal, 'two', { session: 's' }), 'session_busy')
      await journal.append(lease, entryAfter(entryAfter(first)), sampleUpdate({ status: 'cancelled' }))
      await startRun(journal, 'two', { session: 's' })
      await rejection(startRun(journal, 'three', { session: 's' }), 'session_busy')
    })

    test('sessions of two tenants do not meet, and other runs do not wait for a session', async () => {
      const { journal } = subject()
      await startRun(journal, 'one', { session: 's', tenant: 't1' })
      await startRun(journal, 'two', { session: 's', tenant: 't2' })
      await startRun(journal, 'three', { session: 's' })
      await startRun(journal, 'four')
      await startRun(journal, 'five', { session: 's', tenant: 't3', status: 'done' })
      await startRun(journal, 'six', { session: 's', tenant: 't3' })
      expect(await journal.list({ session: 's' })).toHaveLength(5)
    })

    test('of ten that start in one session at once one is created and nine are told', async () => {
      const { journal } = subject()
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => startRun(journal, `run-${n}`, { session: 's' })))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
      expect(await journal.list({ session: 's' })).toHaveLength(1)
    })

    test('the same key in a busy session gives the run, not a refusal', async () => {
      const { journal } = subject()
      await startRun(journal, 'one', { session: 's', key: 'k' })
      expect(await journal.create(sampleRow('two', { session: 's', key: 'k' }), entryAfter(undefined), 'worker-1', LEASE_MS)).toMatchObject({ created: false })
    })

    test('runs are listed newest first, a hundred unless told', async () => {
      const { journal } = subject()
      for (let n = 0; n < 120; n++) await startRun(journal, `run-${n}`, { startedAt: 1_000 + Math.floor(n / 2) })
      const ids = Array.from({ length: 120 }, (_, n) => `run-${119 - n}`)
      expect((await journal.list()).map(({ id }) => id)).toStrictEqual(ids.slice(0, 100))
      expect((await journal.list({ limit: 3 })).map(({ id }) => id)).toStrictEqual(ids.slice(0, 3))
      expect(await journal.list({ limit: 500 })).toHaveLength(120)
    })

    test('the fields of a filter are combined with "and"', async () => {
      const { journal } = subject()
      const runs: Readonly<Record<string, Partial<RunRow>>> = {
        a: { user: 'u1', route: '/a', status: 'done', startedAt: 1 },
        b: { user: 'u1', route: '/b', tenant: 't', status: 'waiting', startedAt: 2 },
        c: { user: 'u2', agent: 'other', session: 's', status: 'failed', startedAt: 3 },
        d: { user: 'u2', route: '/a', key: 'k', status: 'running', startedAt: 4 },
      }
      for (const [id, more] of Object.entries(runs)) await startRun(journal, id, more)
      const found = async (filter: RunFilter): Promise<string> => (await journal.list(filter)).map(({ id }) => id).join('')
      expect(await found({})).toBe('dcba')
      expect(await found({ user: 'u1' })).toBe('ba')
      expect(await found({ route: '/a' })).toBe('da')
      expect(await found({ route: '/a', user: 'u2' })).toBe('d')
      expect(await found({ tenant: 't' })).toBe('b')
      expect(await found({ agent: 'other' })).toBe('c')
      expect(await found({ session: 's' })).toBe('c')
      expect(await found({ key: 'k' })).toBe('d')
      expect(await found({ since: 2 })).toBe('dcb')
      expect(await found({ since: 2, status: ['done', 'failed'] })).toBe('c')
      expect(await found({ status: ['waiting', 'running'] })).toBe('db')
      expect(await found({ status: [] })).toBe('')
      expect(await found({ user: 'nobody' })).toBe('')
    })

    test('a list shows every status as it is now', async () => {
      const { journal } = subject()
      const statuses: readonly RunStatus[] = ['queued', 'running', 'waiting', 'done', 'failed', 'limited', 'cancelled']
      for (const status of statuses) {
        const { lease, first } = await startRun(journal, status)
        await journal.append(lease, entryAfter(first), sampleUpdate({ status }))
      }
      for (const status of statuses) expect((await journal.list({ status: [status] })).map(({ id }) => id)).toStrictEqual([status])
    })
  })
}
