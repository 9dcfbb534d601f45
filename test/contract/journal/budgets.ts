// Budgets: what is held and spent never passes a limit together, and nothing is held for ever.
import { describe, expect, test } from 'vitest'
import { accountsOf, limitsOf, type Account, type BudgetStore, type LimitDefinition, type Reserved, type Settlement, type Spender } from '../../../src/cost/index.ts'
import type { Subject } from '../journal.ts'
import { sampleCharge } from './ledger.ts'
import { entryAfter, sampleUpdate, startRun } from './sample.ts'

const ADA: Spender = { run: 'run', agent: 'support', user: 'ada' }

const budgetsOf = ({ journal }: Subject): BudgetStore => {
  if (journal.budgets === undefined) throw new Error(`${journal.name} keeps no budgets`)
  return journal.budgets
}

const accountFor = ({ clock }: Subject, definition: Partial<LimitDefinition>, spender = ADA): Account => {
  const [account] = accountsOf(limitsOf({ scope: 'user:*', ...definition }), spender, clock.now())
  if (account === undefined) throw new Error('the limit meets nobody')
  return account
}

/** Asks one account for an amount, for a call of its own. */
const ask = (subject: Subject, account: Account, call: string, amount: number, lastsMs = 60_000): Promise<Reserved> =>
  budgetsOf(subject).reserve({ attempt: `run/a#1.${call}`, call, expiresAtMs: subject.clock.now() + lastsMs, asks: [{ account, amount }] })

const standing = async (subject: Subject, account: Account): Promise<readonly [spent: number, reserved: number]> => {
  const [found] = await budgetsOf(subject).standing([account])
  return [found?.spent ?? -1, found?.reserved ?? -1]
}

/** Appends an entry that settles this to a run of its own. */
const settle = async ({ journal, clock }: Subject, run: string, settlement: Settlement): Promise<void> => {
  const { lease, first } = await startRun(journal, run)
  await journal.append(lease, { ...entryAfter(first), at: clock.now() }, sampleUpdate(), settlement)
}

export const budgetBehaviour = (subject: () => Subject): void => {
  describe('budgets', () => {
    test('hold an amount as long as there is room, and say what there was when there is none', async () => {
      const account = accountFor(subject(), { tokens: '100/day' })
      expect(await ask(subject(), account, 'a', 60)).toEqual({ ok: true, warned: [] })
      expect(await ask(subject(), account, 'b', 50)).toMatchObject({ ok: false, asked: 50, first: true, standing: { spent: 0, reserved: 60, limit: { amount: 100 } } })
      expect(await ask(subject(), account, 'c', 50)).toMatchObject({ ok: false, first: false })
      expect(await ask(subject(), account, 'd', 40)).toMatchObject({ ok: true })
    })

    test('hold all that is asked or nothing', async () => {
      const wide = accountFor(subject(), { tokens: '100/day' })
      const narrow = accountFor(subject(), { calls: '0/day' })
      const asks = [
        { account: wide, amount: 10 },
        { account: narrow, amount: 1 },
      ]
      expect(await budgetsOf(subject()).reserve({ attempt: 'x', call: 'x', expiresAtMs: subject().clock.now() + 1_000, asks })).toMatchObject({ ok: false, standing: { limit: { unit: 'calls' } } })
      expect(await standing(subject(), wide)).toEqual([0, 0])
    })

    test('count what calls came to once their entry is written, and hold it no longer', async () => {
      const usd = accountFor(subject(), { usd: '1/day' })
      const calls = accountFor(subject(), { calls: '10/day' })
      await ask(subject(), usd, 'a', 900_000_000)
      await ask(subject(), calls, 'a', 1)
      await settle(subject(), 'run', { charges: [sampleCharge({ at: subject().clock.now(), costNano: 250 })], attempt: 'run/a#1.a' })
      expect([await standing(subject(), usd), await standing(subject(), calls)]).toEqual([
        [250, 0],
        [1, 0],
      ])
    })

    test('count a call that was sent and that nobody billed as a call, and a call without usage as what was held', async () => {
      const tokens = accountFor(subject(), { tokens: '1000/day' })
      const calls = accountFor(subject(), { calls: '10/day' })
      await ask(subject(), calls, 'a', 1)
      await settle(subject(), 'one', { charges: [], attempt: 'run/a#1.a' })
      await ask(subject(), tokens, 'b', 300)
      await settle(subject(), 'two', { charges: [sampleCharge({ at: subject().clock.now(), usage: null, estimatedTokens: 300 })], attempt: 'run/a#1.b' })
      expect([await standing(subject(), calls), await standing(subject(), tokens)]).toEqual([
        [2, 0],
        [300, 0],
      ])
    })

    test('hold for calls of the same name in other attempts apart', async () => {
      const account = accountFor(subject(), { tokens: '100/day' })
      const reserve = (attempt: string) => budgetsOf(subject()).reserve({ attempt, call: '/asking#1', expiresAtMs: subject().clock.now() + 1_000, asks: [{ account, amount: 40 }] })
      expect([(await reserve('one/asking#1.1')).ok, (await reserve('two/asking#1.1')).ok, (await reserve('three/asking#1.1')).ok]).toEqual([true, true, false])
    })

    test('replace what a call held when it is asked for again, as after a crash', async () => {
      const account = accountFor(subject(), { tokens: '100/day' })
      await ask(subject(), account, 'a', 80)
      expect(await ask(subject(), account, 'a', 90)).toMatchObject({ ok: true })
      expect(await standing(subject(), account)).toEqual([0, 90])
    })

    test('let go of what was never sent, and forget what lapsed', async () => {
      const account = accountFor(subject(), { tokens: '100/day' })
      const store = budgetsOf(subject())
      await ask(subject(), account, 'a', 30)
      await store.end('run/a#1.a', 'a')
      expect(await standing(subject(), account)).toEqual([0, 0])
      await ask(subject(), account, 'c', 70, 5_000)
      expect(await ask(subject(), account, 'd', 70)).toMatchObject({ ok: false })
      await subject().clock.advance(5_000)
      expect(await ask(subject(), account, 'd', 70)).toMatchObject({ ok: true })
    })

    test('and the ledger take charges that no entry settles, those of an attempt that its run had left', async () => {
      const { journal, clock } = subject()
      if (journal.settle === undefined) throw new Error(`${journal.name} keeps no ledger`)
      const account = accountFor(subject(), { usd: '1/day' })
      await ask(subject(), account, 'a', 30)
      await ask(subject(), account, 'b', 40)
      await journal.settle('run', { charges: [sampleCharge({ at: clock.now(), costNano: 21 })], attempt: 'run/a#1.a' })
      expect(await standing(subject(), account)).toEqual([21, 40])
      const rows = await journal.ledger?.read({ sinceMs: clock.now(), untilMs: clock.now() + 1 })
      expect(rows?.map(({ total }) => [total.calls, total.costNano])).toEqual([[1, 21]])
    })

    test('begin with what the ledger has of the window, so that a new limit knows the day so far', async () => {
      await settle(subject(), 'a', { charges: [sampleCharge({ at: subject().clock.now(), costNano: 700, user: 'ada' }), sampleCharge({ at: subject().clock.now(), costNano: 5, user: 'bob' })] })
      const account = accountFor(subject(), { usd: '0.000001/day' })
      expect(await standing(subject(), account)).toEqual([700, 0])
      expect(await ask(subject(), account, 'a', 301)).toMatchObject({ ok: false, standing: { spent: 700 } })
      expect(await ask(subject(), account, 'a', 300)).toMatchObject({ ok: true })
    })

    test('count a charge that nothing was held for, once', async () => {
      const account = accountFor(subject(), { usd: '1/day' })
      await ask(subject(), account, 'a', 10)
      await settle(subject(), 'one', { charges: [sampleCharge({ at: subject().clock.now(), costNano: 7 })] })
      expect(await standing(subject(), account)).toEqual([7, 10])
    })

    test('keep users of two tenants apart, and begin anew with each window', async () => {
      const of = (tenant: string) => accountFor(subject(), { calls: '1/m' }, { ...ADA, tenant })
      expect(await ask(subject(), of('a'), 'a', 1)).toMatchObject({ ok: true })
      expect(await ask(subject(), of('b'), 'b', 1)).toMatchObject({ ok: true })
      expect(await ask(subject(), of('a'), 'c', 1)).toMatchObject({ ok: false })
      await subject().clock.advance(60_000)
      expect(await ask(subject(), of('a'), 'c', 1)).toMatchObject({ ok: true })
    })

    test('warn once in a window when spending passes the share', async () => {
      const account = accountFor(subject(), { tokens: '100/day', warnAt: 0.5 })
      expect(await ask(subject(), account, 'a', 60)).toEqual({ ok: true, warned: [] })
      await settle(subject(), 'one', { charges: [sampleCharge({ at: subject().clock.now(), usage: { inputTokens: 50, outputTokens: 10 } })], attempt: 'run/a#1.a' })
      expect(await ask(subject(), account, 'b', 10)).toMatchObject({ ok: true, warned: [{ spent: 60, limit: { amount: 100 } }] })
      expect(await ask(subject(), account, 'c', 10)).toEqual({ ok: true, warned: [] })
    })

    test('warn and tell of a limit on runs at work anew once nobody was at work', async () => {
      const account = accountFor(subject(), { runs: 2, warnAt: 0.5 })
      const { journal, clock } = subject()
      const admit = (run: string) => budgetsOf(subject()).reserve({ attempt: run, call: '', expiresAtMs: clock.now() + 1_000, asks: [{ account, amount: 1 }] })
      for (const round of [1, 2]) {
        const { lease, first } = await startRun(journal, `first ${round}`, { user: 'ada' })
        expect(await admit(`second ${round}`)).toMatchObject({ ok: true, warned: [{ spent: 1, limit: { amount: 2 } }] })
        expect(await admit(`third ${round}`)).toMatchObject({ ok: false, first: true })
        expect(await admit(`third ${round}`)).toMatchObject({ ok: false, first: false })
        await budgetsOf(subject()).end(`second ${round}`, '')
        await journal.append(lease, entryAfter(first), sampleUpdate({ status: 'done' }))
        await journal.release(lease)
        expect(await admit(`last ${round}`)).toMatchObject({ ok: true, warned: [] })
        await budgetsOf(subject()).end(`last ${round}`, '')
      }
    })

    test('count runs at work by their leases, and places held for their start', async () => {
      const account = accountFor(subject(), { runs: 2 })
      const { journal } = subject()
      await startRun(journal, 'one', { user: 'ada' })
      await startRun(journal, 'waiting', { user: 'ada', status: 'waiting' })
      await startRun(journal, 'other', { user: 'bob' })
      const admit = (run: string) => budgetsOf(subject()).reserve({ attempt: run, call: '', expiresAtMs: subject().clock.now() + 1_000, asks: [{ account, amount: 1 }] })
      expect(await admit('two')).toMatchObject({ ok: true })
      expect(await admit('three')).toMatchObject({ ok: false, standing: { spent: 1, reserved: 1 } })
      await startRun(journal, 'two', { user: 'ada' })
      expect(await standing(subject(), account)).toEqual([1, 1])
      await budgetsOf(subject()).end('two', '')
      expect(await standing(subject(), account)).toEqual([2, 0])
    })

    test('keep limits by scope, unit and window, and forget them by scope', async () => {
      const store = budgetsOf(subject())
      await store.putLimits(limitsOf({ scope: 'user:42', usd: ['5/day', '50/month'], calls: '60/m', warnAt: 0.8, timezone: 'Europe/Zurich' }))
      await store.putLimits(limitsOf({ scope: 'user:42', usd: '7/day' }))
      await store.putLimits(limitsOf({ scope: 'all', runs: 9 }))
      expect(await store.limits()).toEqual([
        { scope: 'user:42', unit: 'usd', window: 'day', amount: 7e9 },
        { scope: 'user:42', unit: 'usd', window: 'month', amount: 50e9, warnAt: 0.8, timezone: 'Europe/Zurich' },
        { scope: 'user:42', unit: 'calls', window: 'minute', amount: 60, warnAt: 0.8, timezone: 'Europe/Zurich' },
        { scope: 'all', unit: 'runs', window: 'now', amount: 9 },
      ])
      expect([await store.removeLimits('user:42'), await store.removeLimits('user:42')]).toEqual([3, 0])
      expect(await store.limits()).toHaveLength(1)
    })

    test('of a hundred calls that ask at once, no more get room than there is', async () => {
      const account = accountFor(subject(), { tokens: '1000/day' })
      const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => ask(subject(), account, `c${n}`, 30)))
      expect(answers.filter(({ ok }) => ok)).toHaveLength(33)
      expect(await standing(subject(), account)).toEqual([0, 990])
    })
  })
}
