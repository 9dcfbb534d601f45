import { describe, expect, it } from 'vitest'
import { HOUR_MS, memoryLedger, reportCosts, type Charge, type DearRun, type LedgerStore } from '../../src/cost/index.ts'
import { sampleCharge } from '../contract/journal/ledger.ts'

const DAY_MS = 24 * HOUR_MS
const WEEK_MS = 7 * DAY_MS
const NOW = 100 * WEEK_MS
const PERIOD = { sinceMs: NOW - WEEK_MS, untilMs: NOW }

const ledgerWith = (charges: readonly Charge[], runs: readonly DearRun[] = []): LedgerStore => {
  const ledger = memoryLedger()
  ledger.add(charges)
  return { read: async (query) => ledger.read(query), dearest: async ({ limit }) => runs.slice(0, limit) }
}

const ago = (weeks: number, more: Partial<Charge>): Charge => sampleCharge({ at: NOW - weeks * WEEK_MS + DAY_MS, ...more })

describe('a cost report', () => {
  it('groups by several fields together, dearest first, with shares, cost per run and the change', async () => {
    const charges = [
      ago(1, { user: 'ada', route: '/a', costNano: 6e9, firstOf: 0xff }),
      ago(1, { user: 'ada', route: '/a', costNano: 2e9 }),
      ago(1, { user: 'bob', route: '/a', costNano: 2e9, firstOf: 0xff }),
      ago(2, { user: 'ada', route: '/a', costNano: 4e9, firstOf: 0xff }),
      ago(3, { user: 'bob', route: '/a', costNano: 9e9 }),
    ]
    const report = await reportCosts(ledgerWith(charges), { by: ['user', 'route'], ...PERIOD })
    expect(report.groups).toMatchObject([
      { key: { user: 'ada', route: '/a' }, costUsd: 8, share: 0.8, calls: 2, runs: 1, costPerRunUsd: 8, previousUsd: 4, change: 1 },
      { key: { user: 'bob', route: '/a' }, costUsd: 2, share: 0.2, calls: 1, runs: 1, costPerRunUsd: 2, previousUsd: 0, change: null },
    ])
    expect(report.total).toMatchObject({ costUsd: 10, calls: 3, runs: 2, costPerRunUsd: 5, previousUsd: 4, change: 1.5 })
  })

  it('counts a run once however its states and models are grouped', async () => {
    const charges = [ago(1, { state: 'a', firstOf: 0b1111_1111 }), ago(1, { state: 'b', firstOf: 0b1010_1010 }), ago(1, { state: 'b', model: 'fake/n', firstOf: 0b1100_1100 })]
    const runs = async (by: Parameters<typeof reportCosts>[1]['by']) => (await reportCosts(ledgerWith(charges), { by: by ?? [], ...PERIOD })).groups.map((group) => [...Object.values(group.key), group.runs]).toSorted()
    expect(await runs(['user'])).toEqual([['ada', 1]])
    expect(await runs(['state'])).toEqual([
      ['a', 1],
      ['b', 1],
    ])
    expect(await runs(['model'])).toEqual([
      ['fake/m', 1],
      ['fake/n', 1],
    ])
  })

  it('says which calls have no known price instead of counting them as free', async () => {
    const report = await reportCosts(ledgerWith([ago(1, { costNano: null }), ago(1, { costNano: 5 })]), { by: ['model'], ...PERIOD })
    expect(report.groups).toMatchObject([{ calls: 2, unpricedCalls: 1, costUsd: 5e-9 }])
  })

  it('holds nothing when nothing was spent', async () => {
    const report = await reportCosts(ledgerWith([]), { by: ['user'], ...PERIOD })
    expect(report).toMatchObject({ groups: [], topRuns: [], surprises: [], total: { costUsd: 0, calls: 0, costPerRunUsd: null, p50Usd: null, change: null } })
  })
})

describe('a surprise', () => {
  const weekly = (user: string, costs: readonly number[]): readonly Charge[] => costs.flatMap((usd, weeks) => (usd === 0 ? [] : [ago(weeks + 1, { user, costNano: usd * 1e9 })]))
  const surprises = async (...all: readonly (readonly Charge[])[]) => (await reportCosts(ledgerWith(all.flat()), PERIOD)).surprises

  it('is a user far above its own history', async () => {
    const found = await surprises(weekly('ada', [50, 10, 11, 9, 10, 10, 12, 9, 10]), weekly('bob', [100, 98, 103, 99, 101, 97, 100, 102, 99]))
    expect(found).toMatchObject([{ dimension: 'user', value: 'ada', costUsd: 50, usualUsd: 10 }])
    expect(found[0]?.thresholdUsd).toBeGreaterThan(12)
    expect(found[0]?.thresholdUsd).toBeLessThan(30)
  })

  it('is a route as well', async () => {
    const routes = [40, 10, 10, 10, 10].map((usd, weeks) => ago(weeks + 1, { user: `u${weeks}`, route: '/chat', costNano: usd * 1e9 }))
    expect(await surprises(routes)).toMatchObject([{ dimension: 'route', value: '/chat' }])
  })

  it('is nobody who was always heavy, always erratic, new, or small beside the whole', async () => {
    expect(await surprises(weekly('heavy', [100, 99, 101, 100, 98, 100]))).toEqual([])
    expect(await surprises(weekly('erratic', [60, 5, 90, 20, 70, 1, 85, 30, 10]))).toEqual([])
    expect(await surprises(weekly('new', [60]))).toEqual([])
    expect(await surprises(weekly('small', [5, 1, 1, 1, 1, 1]), weekly('large', [1_000, 1_000, 1_000, 1_000, 1_000]))).toEqual([])
  })

  it('takes weeks without cost after the first as history', async () => {
    expect(await surprises(weekly('idle', [30, 0, 0, 0, 1]), weekly('other', [30, 30, 30, 30, 30]))).toMatchObject([{ value: 'idle', usualUsd: 0 }])
  })
})
