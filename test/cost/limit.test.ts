import { describe, expect, it } from 'vitest'
import { accountsOf, limitsOf, showLimit, type LimitDefinition, type Spender } from '../../src/cost/index.ts'

const ADA: Spender = { run: 'r1', agent: 'support', user: 'ada', tenant: 'acme' }
const amounts = (definitions: readonly LimitDefinition[], spender = ADA) => accountsOf(definitions.flatMap(limitsOf), spender, 0).map(({ limit }) => `${limit.scope} ${showLimit(limit)}`)

describe('limits', () => {
  it('are read as people write them', () => {
    expect(limitsOf({ scope: 'user:*', usd: '0.000000001/day', calls: ['60/m', '500/h'], tokens: '1000000/month', runs: 3 }).map(showLimit)).toEqual([
      '1e-9 usd/day',
      '1000000 tokens/month',
      '60 calls/minute',
      '500 calls/hour',
      '3 runs at the same time',
    ])
  })

  it.each([
    [{ scope: 'users:1', usd: '1/day' }, 'A limit is for'],
    [{ scope: 'user:', usd: '1/day' }, 'A limit is for'],
    [{ scope: 'all', usd: '1' }, 'must be an amount and a window'],
    [{ scope: 'all', usd: '1/week' }, 'must be an amount and a window'],
    [{ scope: 'all', usd: 'x/day' }, 'is not an amount of dollars'],
    [{ scope: 'all', usd: '-1/day' }, 'is not an amount of dollars'],
    [{ scope: 'all', calls: '1.5/day' }, 'is not a whole number'],
    [{ scope: 'all', runs: Number.NaN }, 'is not a whole number'],
    [{ scope: 'all', usd: '1/day', warnAt: 80 }, 'must be a share'],
    [{ scope: 'all', usd: '1/day', timezone: 'Mars/Olympus' }, 'no time zone'],
    [{ scope: 'all', usd: '0x10/day' }, 'is not an amount of dollars'],
    [{ scope: 'all', usd: ['5/day', '6/d'] }, 'twice'],
    [{ scope: 'all' }, 'limits nothing'],
  ])('that say nothing sensible are refused: %j', (definition, message) => {
    expect(() => limitsOf(definition as LimitDefinition)).toThrow(message)
  })

  it('meet whoever they name, everybody of a kind, or all', () => {
    const all: readonly LimitDefinition[] = [
      { scope: 'user:bob', usd: '1/day' },
      { scope: 'route:*', usd: '2/day' },
      { scope: 'tenant:acme', usd: '3/day' },
      { scope: 'run:*', usd: '4/run' },
      { scope: 'agent:support', calls: '5/h' },
      { scope: 'all', usd: '6/month' },
    ]
    expect(amounts(all).toSorted()).toEqual(['agent:support 5 calls/hour', 'all 6 usd/month', 'run:* 4 usd/run', 'tenant:acme 3 usd/day'])
  })

  it('that name somebody win over those for each, and later ones over earlier ones', () => {
    const each: LimitDefinition = { scope: 'user:*', usd: '1/day' }
    const ada: LimitDefinition = { scope: 'user:ada', usd: '9/day' }
    expect([amounts([each, ada]), amounts([ada, each]), amounts([each, { ...each, usd: '2/day' }]), amounts([ada, { ...ada, usd: '8/day' }])]).toEqual([
      ['user:ada 9 usd/day'],
      ['user:ada 9 usd/day'],
      ['user:* 2 usd/day'],
      ['user:ada 8 usd/day'],
    ])
  })
})
