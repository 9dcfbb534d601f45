// The ledger: charges that came with entries, added up exactly, and only with entries that were written.
import { describe, expect, test } from 'vitest'
import { HOUR_MS, type Charge, type LedgerStore } from '../../../src/cost/index.ts'
import { seededRandom } from '../../../src/clock/index.ts'
import type { Subject } from '../journal.ts'
import { entryAfter, rejection, sampleUpdate, startRun } from './sample.ts'

export const sampleCharge = (more: Partial<Charge> = {}): Charge => ({
  user: 'ada',
  agent: 'support',
  state: 'answering',
  model: 'fake/m',
  at: 10 * HOUR_MS,
  usage: { inputTokens: 100, outputTokens: 20, cachedTokens: 30, reasoningTokens: 5 },
  costNano: 1_000_000,
  latencyMs: 250,
  isCall: true,
  failed: false,
  firstOf: 0,
  ...more,
})

const ledgerOf = ({ journal }: Subject): LedgerStore => {
  if (journal.ledger === undefined) throw new Error(`${journal.name} keeps no ledger`)
  return journal.ledger
}

const DAY = { sinceMs: 0, untilMs: 24 * HOUR_MS }

/** Appends an entry with these charges to a run of its own. */
const charge = async ({ journal }: Subject, run: string, charges: readonly Charge[], update = sampleUpdate()): Promise<void> => {
  const { lease, first } = await startRun(journal, run, { user: 'ada' })
  await journal.append(lease, entryAfter(first), update, { charges })
}

export const ledgerBehaviour = (subject: () => Subject): void => {
  describe('the ledger', () => {
    test('adds charges up by key and hour, tokens of every kind and failed calls included', async () => {
      const two = [sampleCharge(), sampleCharge({ at: 10 * HOUR_MS + 5, failed: true, usage: null, estimatedTokens: 500, costNano: 7 })]
      await charge(subject(), 'a', [...two, sampleCharge({ state: 'triaging' }), sampleCharge({ at: 11 * HOUR_MS })])
      const rows = await ledgerOf(subject()).read({ sinceMs: 10 * HOUR_MS, untilMs: 11 * HOUR_MS })
      expect(rows.map(({ key }) => key.state).toSorted()).toEqual(['answering', 'triaging'])
      const answering = rows.find(({ key }) => key.state === 'answering')
      expect(answering?.key).toStrictEqual({ user: 'ada', agent: 'support', state: 'answering', model: 'fake/m' })
      expect(answering?.windowMs).toBe(10 * HOUR_MS)
      expect(answering?.total).toMatchObject({
        calls: 2,
        failed: 1,
        estimated: 1,
        inputTokens: 100,
        cachedTokens: 30,
        reasoningTokens: 5,
        outputTokens: 20,
        costNano: 1_000_007,
        latencyMs: 500,
        firstAt: 10 * HOUR_MS,
        lastAt: 10 * HOUR_MS + 5,
      })
      expect([...(answering?.total.latencies.values() ?? [])]).toEqual([2])
    })

    test('keeps an unknown price apart from no cost, and answers of the cache apart from calls', async () => {
      await charge(subject(), 'a', [sampleCharge({ costNano: null }), sampleCharge({ costNano: 0, savedNano: 44, usage: { inputTokens: 0, outputTokens: 0 } })])
      const [row] = await ledgerOf(subject()).read(DAY)
      expect(row?.total).toMatchObject({ calls: 1, unpriced: 1, costNano: 0, cacheHits: 1, savedNano: 44 })
      expect(row?.total.costs.size).toBe(0)
    })

    test('is not charged by an entry that was refused, nor twice by one that was appended again', async () => {
      const { journal } = subject()
      const { lease, first } = await startRun(journal, 'a')
      const second = entryAfter(first)
      await journal.append(lease, second, sampleUpdate(), { charges: [sampleCharge()] })
      await journal.append(lease, second, sampleUpdate(), { charges: [sampleCharge()] })
      await rejection(journal.append({ ...lease, epoch: 9 }, entryAfter(second), sampleUpdate(), { charges: [sampleCharge()] }), 'lease_lost')
      expect((await ledgerOf(subject()).read(DAY)).map(({ total }) => total.calls)).toEqual([1])
    })

    test('reads windows of any width, and only what was asked for', async () => {
      const at = (hour: number, user: string) => sampleCharge({ at: hour * HOUR_MS + 1, user, costNano: hour })
      await charge(subject(), 'a', [at(1, 'ada'), at(2, 'ada'), at(3, 'ada'), at(5, 'ada'), at(2, 'bob')])
      const ledger = ledgerOf(subject())
      const rows = await ledger.read({ sinceMs: HOUR_MS, untilMs: 5 * HOUR_MS, widthMs: 2 * HOUR_MS, where: { user: 'ada' }, only: ['costNano'] })
      const sums = rows.map(({ windowMs, total }) => [windowMs / HOUR_MS, total.costNano, total.calls + total.costs.size] as const)
      expect(sums.toSorted(([a], [b]) => a - b)).toEqual([
        [1, 3, 0],
        [3, 3, 0],
      ])
      expect(await ledger.read({ ...DAY, where: { user: 'nobody' } })).toEqual([])
    })

    test('adds up by the fields that are asked for, over days as over hours', async () => {
      const at = (hour: number, user: string, state: string) => sampleCharge({ at: hour * HOUR_MS + 1, user, state, costNano: hour })
      await charge(subject(), 'a', [at(5, 'ada', 'x'), at(30, 'ada', 'y'), at(50, 'ada', 'x'), at(80, 'ada', 'x'), at(31, 'bob', 'x')])
      const ledger = ledgerOf(subject())
      const period = { sinceMs: 20 * HOUR_MS, untilMs: 80 * HOUR_MS }
      const byUser = await ledger.read({ ...period, by: ['user'] })
      expect(byUser.map(({ key, total }) => [key.user, Object.keys(key).length, total.calls, total.costNano, total.latencies.size]).toSorted()).toEqual([
        ['ada', 1, 2, 80, 1],
        ['bob', 1, 1, 31, 1],
      ])
      expect((await ledger.read({ ...period, by: [], where: { state: 'x' } })).map(({ key, total }) => [key, total.costNano])).toEqual([[{}, 81]])
      expect(await ledger.read({ sinceMs: 200 * HOUR_MS, untilMs: 300 * HOUR_MS, by: [] })).toEqual([])
    })

    test('tells names apart that look alike, and a missing name from an empty one', async () => {
      await charge(subject(), 'a', [sampleCharge({ user: '1', route: '2' }), sampleCharge({ user: '12', route: '' }), sampleCharge({ user: '12' }), sampleCharge({ user: '"1","2"' })])
      const rows = await ledgerOf(subject()).read(DAY)
      expect(rows.map(({ key }) => `${key.user} ${key.route}`).toSorted()).toEqual(['"1","2" undefined', '1 2', '12 ', '12 undefined'])
    })

    test('counts runs once in each grouping, whichever way they are grouped later', async () => {
      await charge(subject(), 'a', [sampleCharge({ firstOf: 0b1111_1111 }), sampleCharge({ state: 'triaging', firstOf: 0b1010_1010 }), sampleCharge()])
      const rows = await ledgerOf(subject()).read(DAY)
      const runs = rows.reduce((sum, { total }) => sum.map((count, grouping) => count + (total.runs[grouping] ?? 0)), [0, 0, 0, 0, 0, 0, 0, 0])
      expect(runs).toEqual([1, 2, 1, 2, 1, 2, 1, 2])
    })

    test('counts a call that was not billed by itself, and in no other sum', async () => {
      const turnedAway = sampleCharge({ usage: null, costNano: 0, failed: true, isUnbilled: true, at: 10 * HOUR_MS + 9 })
      await charge(subject(), 'a', [sampleCharge({ firstOf: 1 }), turnedAway, turnedAway])
      const [row] = await ledgerOf(subject()).read(DAY)
      expect(row?.total).toMatchObject({ unbilled: 2, calls: 1, failed: 0, unpriced: 0, costNano: 1_000_000, latencyMs: 250, lastAt: 10 * HOUR_MS + 9 })
      expect(row?.total.runs[0]).toBe(1)
      expect([...(row?.total.latencies.values() ?? [])]).toEqual([1])
    })

    test('gives sums beyond what a number holds exactly as the nearest number there is', async () => {
      const dear = sampleCharge({ costNano: 6_000_000_000_000_001 })
      await charge(subject(), 'a', [dear, dear, dear])
      const [row] = await ledgerOf(subject()).read(DAY)
      // Three times as much is 18,000,000,000,000,003, which lies between two numbers.
      expect(row?.total.costNano).toBeGreaterThanOrEqual(18_000_000_000_000_000)
      expect(row?.total.costNano).toBeLessThanOrEqual(18_000_000_000_000_004)
      expect(row?.total.calls).toBe(3)
    })

    test('agrees with a plain sum over two hundred random charges', async () => {
      const random = seededRandom(7)
      const charges = Array.from({ length: 200 }, () => sampleCharge({ at: Math.floor(random() * 20) * HOUR_MS, user: `u${Math.floor(random() * 5)}`, costNano: Math.floor(random() * 1e9) }))
      await charge(subject(), 'a', charges)
      const total = (rows: Awaited<ReturnType<LedgerStore['read']>>) => rows.reduce((sum, row) => sum + row.total.costNano, 0)
      const ledger = ledgerOf(subject())
      expect(total(await ledger.read(DAY))).toBe(charges.reduce((sum, { costNano }) => sum + (costNano ?? 0), 0))
      const u3 = charges.filter(({ user, at }) => user === 'u3' && at >= 4 * HOUR_MS && at < 9 * HOUR_MS)
      expect(total(await ledger.read({ sinceMs: 4 * HOUR_MS, untilMs: 9 * HOUR_MS, where: { user: 'u3' } }))).toBe(u3.reduce((sum, { costNano }) => sum + (costNano ?? 0), 0))
    })

    test('ranks runs by cost, those at work and those that ended', async () => {
      const run = (id: string, costNano: number, status: 'running' | 'done') => charge(subject(), id, [], sampleUpdate({ costNano, status }))
      await run('cheap', 5, 'done')
      await run('dear', 500, 'running')
      await run('middle', 50, 'done')
      await run('free', 0, 'done')
      const ledger = ledgerOf(subject())
      const period = { sinceMs: 0, untilMs: 2_000, limit: 2 }
      expect((await ledger.dearest(period)).map(({ run: id, costNano }) => [id, costNano])).toEqual([
        ['dear', 500],
        ['middle', 50],
      ])
      expect(await ledger.dearest({ ...period, where: { user: 'bob' } })).toEqual([])
      expect(await ledger.dearest({ ...period, sinceMs: 1_500 })).toEqual([])
    })
  })
}
