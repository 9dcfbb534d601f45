import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { limitsOf } from '../../src/cost/index.ts'
import { sqliteJournal } from '../../src/journal/index.ts'
import { createRuntime } from '../../src/run/index.ts'
import { listModel, loopAgent } from '../run/harness.ts'
import { testProject } from './project.ts'

/** A project whose database holds three runs of two users. */
const spentProject = async () => {
  const project = await testProject()
  const runtime = createRuntime({ journal: sqliteJournal({ path: `${project.folder}/.stateloop/stateloop.db` }), providers: [listModel(() => ({ text: 'x' }))] })
  for (const user of ['ada', '=SUM(A1)', 'ada']) await (await runtime.start(loopAgent({}), 'x', { user, route: '/a, "b"' })).outcome()
  await runtime.close()
  return project
}

describe('stateloop costs', () => {
  it('shows groups, totals and the dearest runs', async () => {
    await using project = await spentProject()
    const { code, out } = await project.stateloop(['costs', '--by', 'user', '--since', '1d'])
    expect(code).toBe(0)
    expect(out).toMatch(/\$0\.000060 \(new\) · 3 calls · 30 in, 15 out · 3 runs/)
    expect(out).toMatch(/user +cost +share +change +calls/)
    expect(out).toMatch(/ada +\$0\.000040 +67% +new +2 +20 +10 +2 +\$0\.000020/)
    expect(out).toMatch(/dearest runs\n(?: {2}[0-9a-f-]{36} {2}\$0\.000020 {2}1 call {2}loop .*\n){3}/)
  })

  it('prints JSON with exact sums, and CSV that a spreadsheet reads and does not run', async () => {
    await using project = await spentProject()
    const { value } = await project.json('costs', '--by', 'user,route,model')
    expect(value).toMatchObject({ total: { costUsd: 0.00006, calls: 3 }, groups: [{ key: { user: 'ada', route: '/a, "b"', model: 'fake/m' }, costUsd: 0.00004, inputTokens: 20 }, { calls: 1 }] })
    const { out } = await project.stateloop(['costs', '--by', 'user,route', '--csv'])
    const [head, ...lines] = out.trimEnd().split('\r\n')
    expect(head).toMatch(/^user,route,calls,failedCalls,/)
    expect(lines.map((line) => line.split(',').slice(0, 2).join())).toEqual(['ada,"/a', '\'=SUM(A1),"/a'])
    expect(lines[0]).toContain('"/a, ""b""",2,')
  })

  it('says that a price is unknown, and never that it was nothing', async () => {
    await using project = await testProject()
    const { price: _price, ...unpriced } = listModel(() => ({ text: 'x' }))
    const runtime = createRuntime({ journal: sqliteJournal({ path: `${project.folder}/.stateloop/stateloop.db` }), providers: [unpriced] })
    await (await runtime.start(loopAgent({}), 'x', { user: 'ada' })).outcome()
    await runtime.close()
    const { out } = await project.stateloop(['costs', '--by', 'user'])
    expect(out).toMatch(/\nprice unknown · 1 call/)
    expect(out).toMatch(/\nada +price unknown +/)
    expect((await project.json('costs', '--by', 'user')).value).toMatchObject({
      total: { unpricedCalls: 1, costUsd: null },
      groups: [{ unpricedCalls: 1, costUsd: null, share: null, change: null, costPerRunUsd: null, p50Usd: null }],
    })
    const [head = '', line = ''] = (await project.stateloop(['costs', '--by', 'user', '--csv'])).out.split('\r\n')
    const cell = (name: string): string | undefined => line.split(',')[head.split(',').indexOf(name)]
    expect(['unpricedCalls', 'costUsd', 'share', 'costPerRunUsd', 'p95Usd'].map(cell)).toEqual(['1', 'unknown', 'unknown', 'unknown', ''])
  })

  it('takes a period and filters', async () => {
    await using project = await spentProject()
    const calls = async (...args: readonly string[]) => ((await project.json('costs', ...args)).value as { readonly total: { readonly calls: number } }).total.calls
    expect([await calls('--user', 'ada'), await calls('--model', 'fake/other'), await calls('--since', '2020-01-01', '--until', '2020-02-01')]).toEqual([2, 0, 0])
  })

  it.each([
    [['--by', 'planet'], 'grouped by "planet"'],
    [['--since', 'yesterday'], '--since takes a time ago'],
    [['--since', '1h', '--until', '2h'], 'is not after'],
    [['--runs', 'all'], '--runs must be a number'],
  ])('refuses what it cannot understand: %j', async (args, message) => {
    await using project = await spentProject()
    const { code, err } = await project.stateloop(['costs', ...args])
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
  })

  it('says so when there is no database', async () => {
    await using project = await testProject()
    expect(await project.stateloop(['costs'])).toMatchObject({ code: 2, err: expect.stringContaining('no database') as string })
  })
})

describe('stateloop limit', () => {
  it('sets limits that a runtime on the database takes up, shows what is used, and removes them', async () => {
    await using project = await spentProject()
    expect((await project.stateloop(['limit', 'user:ada', '--calls', '2/m', '--usd', '5/day', '--warn', '80%', '--timezone', 'Europe/Zurich'])).code).toBe(0)
    const { value } = await project.json('limit')
    expect(value).toMatchObject({
      limits: [
        { scope: 'user:ada', unit: 'usd', window: 'day', amount: 5, warnAt: 0.8, timezone: 'Europe/Zurich' },
        { unit: 'calls', window: 'minute', amount: 2, spent: 0 },
      ],
    })
    const journal = sqliteJournal({ path: `${project.folder}/.stateloop/stateloop.db` })
    expect(await journal.budgets?.limits()).toEqual(limitsOf({ scope: 'user:ada', calls: '2/m', usd: '5/day', warnAt: 0.8, timezone: 'Europe/Zurich' }))
    await journal.close()
    expect((await project.stateloop(['limit', 'user:ada', '--remove'])).out).toBe('no limits are set for user:ada\n')
  })

  it('makes no database to look', async () => {
    await using project = await testProject()
    expect((await project.stateloop(['limit'])).out).toBe('no limits are set\n')
    expect((await project.stateloop(['costs'])).code).toBe(2)
  })

  it.each([
    [['user:1', '--usd', '5'], 'an amount and a window'],
    [['bob', '--usd', '5/day'], 'A limit is for'],
    [['--usd', '5/day'], 'Say who the limit is for'],
    [['user:1', '--warn', '80%'], 'name those as well'],
    [['user:1', '--usd', '5/day', '--warn', '120'], 'a percentage'],
    [['user:1', '--usd', '5/day', '--timezone', 'Bern'], 'no time zone'],
    [['user:1', '--remove'], 'No limits are set'],
    [['user:1', '--runs', 'x'], 'takes a whole number, not "x"'],
    [['user:1', '--runs', '-1'], 'takes a whole number'],
    [['user:1', '--calls', '2/m', '--calls', '3/min'], 'twice'],
    [['user:1', '--usd', '5/day', '--remove'], 'set new ones in a second command'],
  ])('refuses what it cannot understand: %j', async (args, message) => {
    await using project = await testProject()
    const { code, err } = await project.stateloop(['limit', ...args])
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
    if (!args.includes('--remove')) expect(existsSync(`${project.folder}/.stateloop`)).toBe(false)
  })
})
