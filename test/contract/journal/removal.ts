// Removing runs and users: everything of theirs goes, nothing of anybody else's does.
import { describe, expect, test } from 'vitest'
import { accountsOf, limitsOf, type Account, type LedgerStore } from '../../../src/cost/index.ts'
import type { Journal } from '../../../src/journal/index.ts'
import type { Subject } from '../journal.ts'
import { entryAfter, LEASE_MS, rejection, sampleUpdate, startRun } from './sample.ts'

/** An ended run whose last entry names content. */
const endedRun = async (journal: Journal, id: string, names: readonly string[], more: Parameters<typeof startRun>[2] = {}): Promise<void> => {
  const { lease, first } = await startRun(journal, id, more)
  await journal.append(lease, entryAfter(first, JSON.stringify({ end: { session: { threads: names } } })), sampleUpdate({ status: 'done' }))
  await journal.release(lease)
}

export const removalBehaviour = (subject: () => Subject): void => {
  describe('removing', () => {
    test('a removed run is gone with its entries and its key, others stay', async () => {
      const { journal } = subject()
      await endedRun(journal, 'one', [], { key: 'k', session: 's' })
      await endedRun(journal, 'two', [])
      expect(await journal.remove(['one', 'nobody'])).toStrictEqual(['one'])
      expect(await journal.get('one')).toBeUndefined()
      await rejection(journal.read('one'), 'run_not_found')
      expect((await journal.list()).map(({ id }) => id)).toStrictEqual(['two'])
      await startRun(journal, 'three', { key: 'k', session: 's' })
      expect(await journal.read('two')).toHaveLength(2)
    })

    test('a run at work stays, a waiting one that nobody drives goes, one of another engine stays until it has ended', async () => {
      const { journal, clock } = subject()
      await startRun(journal, 'at-work')
      const { lease } = await startRun(journal, 'waiting', { status: 'waiting' })
      await journal.release(lease)
      await startRun(journal, 'elsewhere', { engine: 'restate' })
      expect(await journal.remove(['at-work', 'waiting', 'elsewhere'])).toStrictEqual(['waiting'])
      await clock.advance(LEASE_MS)
      expect(await journal.remove(['at-work', 'elsewhere'])).toStrictEqual(['at-work'])
    })

    test('threads go with the last run that needs them, also those that a later thread goes on from', async () => {
      const { journal } = subject()
      const first = await journal.putContent('thread', JSON.stringify({ previous: null, messages: ['a'] }))
      const second = await journal.putContent('thread', JSON.stringify({ previous: first, messages: ['b'] }))
      const prompt = await journal.putContent('prompt', 'Answer.')
      await endedRun(journal, 'one', [first, prompt])
      await endedRun(journal, 'two', [second])
      await journal.remove(['one'])
      expect(await journal.getContent(first)).toBeDefined()
      await journal.remove(['two'])
      for (const hash of [first, second]) expect(await journal.getContent(hash)).toBeUndefined()
      expect(await journal.getContent(prompt)).toBeDefined()
    })

    test('what the journal holds is counted', async () => {
      const { journal } = subject()
      const empty = await journal.sizes()
      await endedRun(journal, 'one', [])
      await journal.putContent('blob', 'äb')
      const full = await journal.sizes()
      expect(full).toMatchObject({ runs: empty.runs + 1, entries: empty.entries + 2, contents: empty.contents + 1, contentBytes: empty.contentBytes + 3 })
      expect(full.entryBytes).toBeGreaterThan(20)
      await journal.remove(['one'])
      expect(await journal.sizes()).toMatchObject({ runs: 0, entries: 0, entryBytes: 0 })
    })

    test("a forgotten user's name is in no sum of cost, and the sums stay", async () => {
      const { journal, clock } = subject()
      const { lease, first } = await startRun(journal, 'run', { user: 'ann' })
      const charge = { at: clock.now(), user: 'ann', agent: 'support', state: 'asking', model: 'p/m', usage: null, costNano: 7_000, latencyMs: 1, isCall: true, failed: false, firstOf: 255 }
      await journal.append(lease, entryAfter(first), sampleUpdate({ status: 'done' }), { charges: [charge] })
      const sums = async () => (await (journal.ledger as LedgerStore).read({ sinceMs: 0, untilMs: clock.now() + 3_600_000 })).map(({ key, total }) => [key.user, total.costNano])
      expect(await sums()).toStrictEqual([['ann', 7_000]])
      await journal.forgetUser('ann')
      expect(await sums()).toStrictEqual([[undefined, 7_000]])
    })

    test('a user who is forgotten is forgotten by budgets too, and nobody whose name begins alike', async () => {
      const { journal, clock } = subject()
      const accountOf = (user: string, tenant?: string): Account => {
        const [account] = accountsOf(limitsOf({ scope: 'user:*', tokens: '100/minute' }), { run: 'r', agent: 'a', user, ...(tenant === undefined ? {} : { tenant }) }, clock.now())
        if (account === undefined) throw new Error('no account')
        return account
      }
      const all = [accountOf('ann'), accountOf('ann', 'acme'), accountOf('ann', 'other'), accountOf('ann😀')]
      const { budgets } = journal
      if (budgets === undefined) throw new Error('no budgets')
      const held = async () => (await budgets.standing(all)).map(({ reserved }) => reserved)
      await budgets.reserve({ attempt: 'x', call: '', expiresAtMs: clock.now() + 60_000, asks: all.map((account) => ({ account, amount: 5 })) })
      await journal.forgetUser('ann', 'acme')
      expect(await held()).toStrictEqual([5, 0, 5, 5])
      await journal.forgetUser('ann')
      expect(await held()).toStrictEqual([0, 0, 0, 5])
    })

    test('runs that started before a time are listed', async () => {
      const { journal } = subject()
      await endedRun(journal, 'old', [], { startedAt: 10 })
      await endedRun(journal, 'new', [], { startedAt: 20 })
      expect((await journal.list({ before: 20 })).map(({ id }) => id)).toStrictEqual(['old'])
    })
  })
}
