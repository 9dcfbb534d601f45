// Leases: one writer per run, and an earlier one is fenced for good.
import { describe, expect, test } from 'vitest'
import type { Subject } from '../journal.ts'
import { entryAfter, LEASE_MS, rejection, sampleUpdate, startRun } from './sample.ts'

export const leaseBehaviour = (subject: () => Subject): void => {
  describe('leases', () => {
    test('a held lease is refused to everyone, its owner included, with who holds it and until when', async () => {
      const { journal, clock } = subject()
      await startRun(journal, 'run')
      for (const owner of ['worker-2', 'worker-1']) {
        const refused = await rejection(journal.acquire('run', owner, LEASE_MS), 'lease_held')
        expect(refused.details).toStrictEqual({ run: 'run', owner: 'worker-1', expiresAt: clock.now() + LEASE_MS })
      }
    })

    test('an expired lease goes to the next with a higher epoch, not a moment earlier', async () => {
      const { journal, clock } = subject()
      const { lease } = await startRun(journal, 'run')
      await clock.advance(LEASE_MS - 1)
      await rejection(journal.acquire('run', 'worker-2', LEASE_MS), 'lease_held')
      await clock.advance(1)
      expect(await journal.acquire('run', 'worker-2', LEASE_MS)).toStrictEqual({
        run: 'run',
        owner: 'worker-2',
        epoch: lease.epoch + 1,
        expiresAt: clock.now() + LEASE_MS,
      })
    })

    test('the earlier holder can no longer append, renew or release', async () => {
      const { journal, clock } = subject()
      const { lease, first } = await startRun(journal, 'run')
      await clock.advance(LEASE_MS)
      const next = await journal.acquire('run', 'worker-2', LEASE_MS)
      const lost = await rejection(journal.append(lease, entryAfter(first), sampleUpdate()), 'lease_lost')
      expect(lost.details).toStrictEqual({ run: 'run', owner: 'worker-1', epoch: 1, current: 2 })
      await rejection(journal.renew(lease, LEASE_MS), 'lease_lost')
      await journal.release(lease)
      await rejection(journal.acquire('run', 'worker-3', LEASE_MS), 'lease_held')
      await journal.append(next, entryAfter(first), sampleUpdate())
      expect(await journal.read('run')).toHaveLength(2)
    })

    test('the same owner under a later epoch is fenced from its earlier self', async () => {
      const { journal, clock } = subject()
      const { lease, first } = await startRun(journal, 'run')
      await clock.advance(LEASE_MS)
      await journal.acquire('run', 'worker-1', LEASE_MS)
      expect((await rejection(journal.append(lease, entryAfter(first), sampleUpdate()), 'lease_lost')).details).toMatchObject({ epoch: 1, current: 2 })
    })

    test('an expired lease that nobody took still appends and can be renewed', async () => {
      const { journal, clock } = subject()
      const { lease, first } = await startRun(journal, 'run')
      await clock.advance(LEASE_MS * 3)
      await journal.append(lease, entryAfter(first), sampleUpdate())
      expect(await journal.renew(lease, LEASE_MS)).toStrictEqual({ ...lease, expiresAt: clock.now() + LEASE_MS })
      await rejection(journal.acquire('run', 'worker-2', LEASE_MS), 'lease_held')
    })

    test('a renewed lease outlives its first term', async () => {
      const { journal, clock } = subject()
      const { lease } = await startRun(journal, 'run')
      await clock.advance(LEASE_MS / 2)
      await journal.renew(lease, LEASE_MS)
      await clock.advance(LEASE_MS / 2)
      expect((await rejection(journal.acquire('run', 'worker-2', LEASE_MS), 'lease_held')).details).toMatchObject({ expiresAt: clock.now() + LEASE_MS / 2 })
    })

    test('a lease given back is free at once and no longer appends', async () => {
      const { journal } = subject()
      const { lease, first } = await startRun(journal, 'run')
      await journal.release(lease)
      await journal.release(lease)
      await rejection(journal.append(lease, entryAfter(first), sampleUpdate()), 'lease_lost')
      await rejection(journal.renew(lease, LEASE_MS), 'lease_lost')
      expect(await journal.acquire('run', 'worker-2', LEASE_MS)).toMatchObject({ owner: 'worker-2', epoch: 2 })
    })

    test('a lease of an unknown run is refused, and giving it back does nothing', async () => {
      const { journal } = subject()
      const lease = { run: 'nobody', owner: 'worker-1', epoch: 1, expiresAt: 0 }
      await rejection(journal.acquire('nobody', 'worker-1', LEASE_MS), 'run_not_found')
      await rejection(journal.renew(lease, LEASE_MS), 'run_not_found')
      await expect(journal.release(lease)).resolves.toBeUndefined()
    })

    test('of ten that want a free run at once one gets it', async () => {
      const { journal } = subject()
      const { lease } = await startRun(journal, 'run')
      await journal.release(lease)
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => journal.acquire('run', `worker-${n}`, LEASE_MS)))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    })

    test('one lost lease fails its own append and no other of the same moment', async () => {
      const { journal, clock } = subject()
      const runs = await Promise.all(['a', 'b', 'c', 'd'].map((id) => startRun(journal, id)))
      await clock.advance(LEASE_MS)
      await journal.acquire('c', 'worker-2', LEASE_MS)
      const outcomes = await Promise.allSettled(runs.map(({ lease, first }) => journal.append(lease, entryAfter(first), sampleUpdate())))
      expect(outcomes.map(({ status }) => status)).toStrictEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled'])
      for (const [id, length] of Object.entries({ a: 2, b: 2, c: 1, d: 2 })) expect(await journal.read(id)).toHaveLength(length)
    })
  })
}
