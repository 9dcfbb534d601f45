// What a worker can take up: free runs that could go on, in the order a worker should take them.
import { describe, expect, test } from 'vitest'
import type { ClaimQuery, Journal, RunRow } from '../../../src/journal/index.ts'
import type { Subject } from '../journal.ts'
import { entryAfter, LEASE_MS, sampleUpdate, startRun } from './sample.ts'

/** A run that nobody holds. */
const freeRun = async (journal: Journal, id: string, more: Partial<RunRow> = {}): Promise<void> => {
  const { lease } = await startRun(journal, id, more)
  await journal.release(lease)
}

const offered = async (journal: Journal, query: Partial<ClaimQuery> = {}): Promise<readonly string[]> => (await journal.claimable({ engine: 'embedded', limit: 100, ...query })).runs.map((row) => row.id)

export const claimBehaviour = (subject: () => Subject): void => {
  describe('what a worker can take up', () => {
    test('a run at work is offered once nobody holds it, not before', async () => {
      const { journal, clock } = subject()
      await startRun(journal, 'crashed')
      await freeRun(journal, 'handed-over')
      expect(await offered(journal)).toStrictEqual(['handed-over'])
      await clock.advance(LEASE_MS)
      expect(new Set(await offered(journal))).toStrictEqual(new Set(['crashed', 'handed-over']))
    })

    test('a waiting run is offered when its timer is due, and the next timer is named before', async () => {
      const { journal, clock } = subject()
      await freeRun(journal, 'soon', { status: 'waiting', dueAt: clock.now() + 50 })
      await freeRun(journal, 'later', { status: 'waiting', dueAt: clock.now() + 90 })
      await freeRun(journal, 'never', { status: 'waiting' })
      expect(await journal.claimable({ engine: 'embedded', limit: 10 })).toStrictEqual({ runs: [], nextDueAt: clock.now() + 50 })
      await clock.advance(50)
      expect(await journal.claimable({ engine: 'embedded', limit: 10 })).toMatchObject({ runs: [{ id: 'soon' }], nextDueAt: clock.now() + 40 })
    })

    test('a waiting run is offered until it has taken every event of its inbox', async () => {
      const { journal } = subject()
      const { lease, first } = await startRun(journal, 'run', { status: 'waiting' })
      await journal.release(lease)
      expect(await offered(journal)).toStrictEqual([])
      await journal.post('run', { type: 'GO' })
      await journal.post('run', { type: 'GO' })
      expect(await offered(journal)).toStrictEqual(['run'])
      const again = await journal.acquire('run', 'worker-2', LEASE_MS)
      const second = entryAfter(first)
      await journal.append(again, second, sampleUpdate({ status: 'waiting', taken: 1 }))
      await journal.append(again, entryAfter(second), sampleUpdate({ status: 'waiting', taken: 2 }))
      await journal.release(again)
      expect(await offered(journal)).toStrictEqual([])
    })

    test('runs that have ended and runs of another engine are not offered', async () => {
      const { journal } = subject()
      for (const status of ['done', 'failed', 'limited', 'cancelled'] as const) await freeRun(journal, status, { status })
      await freeRun(journal, 'elsewhere', { engine: 'restate' })
      expect(await offered(journal)).toStrictEqual([])
      expect(await offered(journal, { engine: 'restate' })).toStrictEqual(['elsewhere'])
    })

    test('only agents that the worker has are offered, and only from code it can go on from', async () => {
      const { journal } = subject()
      await freeRun(journal, 'old', { agent: 'support', agentHash: 'a0' })
      await freeRun(journal, 'new', { agent: 'support', agentHash: 'a1' })
      await freeRun(journal, 'other', { agent: 'billing' })
      expect(await offered(journal, { agents: [{ id: 'support', hashes: ['a1', 'a2'] }] })).toStrictEqual(['new'])
      expect(await offered(journal, { agents: [{ id: 'support', hashes: [] }, { id: 'billing' }] })).toStrictEqual(['other'])
      expect(await offered(journal, { agents: [] })).toStrictEqual([])
    })

    test('what was at work comes first, then what is due, then what has an event, then the queue, and never more than asked', async () => {
      const { journal, clock } = subject()
      await freeRun(journal, 'queued', { status: 'queued' })
      await freeRun(journal, 'told', { status: 'waiting' })
      await journal.post('told', { type: 'GO' })
      await freeRun(journal, 'due', { status: 'waiting', dueAt: clock.now() })
      await freeRun(journal, 'crashed')
      expect(await offered(journal)).toStrictEqual(['crashed', 'due', 'told', 'queued'])
      expect(await offered(journal, { limit: 3 })).toStrictEqual(['crashed', 'due', 'told'])
    })

    test('one may ask for runs that could go on for one reason only', async () => {
      const { journal } = subject()
      await freeRun(journal, 'crashed')
      await freeRun(journal, 'told')
      await journal.post('told', { type: 'GO' })
      await freeRun(journal, 'queued', { status: 'queued' })
      expect(await offered(journal, { only: ['event'] })).toStrictEqual(['told'])
      expect(await offered(journal, { only: ['queue', 'event'] })).toStrictEqual(['told', 'queued'])
    })

    test('a run that is due and has an event is offered once', async () => {
      const { journal, clock } = subject()
      await freeRun(journal, 'both', { status: 'waiting', dueAt: clock.now() })
      await journal.post('both', { type: 'GO' })
      expect(await offered(journal)).toStrictEqual(['both'])
    })

    test('the queue goes by priority, and users take turns within one', async () => {
      const { journal } = subject()
      const line: readonly (readonly [string, Partial<RunRow>])[] = [
        ['ann-1', { user: 'ann' }],
        ['ann-2', { user: 'ann' }],
        ['ann-3', { user: 'ann' }],
        ['bob-1', { user: 'bob' }],
        ['urgent', { user: 'ann', priority: 5 }],
        ['someday', { user: 'cid', priority: -1 }],
        ['nobody', {}],
      ]
      for (const [n, [id, more]] of line.entries()) await freeRun(journal, id, { status: 'queued', startedAt: 1_000 + n, ...more })
      expect(await offered(journal)).toStrictEqual(['urgent', 'ann-1', 'bob-1', 'nobody', 'ann-2', 'ann-3', 'someday'])
    })

    test('a user with runs at work waits for those who have none', async () => {
      const { journal } = subject()
      await startRun(journal, 'ann-at-work', { user: 'ann' })
      await freeRun(journal, 'ann-queued', { user: 'ann', status: 'queued', startedAt: 1 })
      await freeRun(journal, 'bob-queued', { user: 'bob', status: 'queued', startedAt: 2 })
      expect(await offered(journal)).toStrictEqual(['bob-queued', 'ann-queued'])
    })
  })
}
