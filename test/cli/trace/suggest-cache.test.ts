import { describe, expect, it } from 'vitest'
import type { RunCall } from '../../../src/cli/trace/calls.ts'
import { suggestCaches } from '../../../src/cli/trace/suggest-cache.ts'
import { testProject } from '../project.ts'

const call = (more: Partial<RunCall>): RunCall => ({
  run: 'r',
  agent: 'faq',
  key: '/a#1',
  actor: '',
  state: 'searching',
  kind: 'retrieve',
  name: 'kb',
  identity: 'q1',
  args: null,
  at: 0,
  durationMs: 100,
  costUsd: 0,
  failed: undefined,
  result: 'x',
  cached: false,
  ...more,
})

describe('what a cache would have saved', () => {
  it('is the time and cost of every equal call but the first, the most time first', () => {
    const model = { state: 'asking', kind: 'model', name: 'p/m', costUsd: 0.01, durationMs: 400 }
    const found = suggestCaches([call({ at: 0 }), call({ at: 1_000 }), call({ at: 61_000 }), call({ identity: 'q2' }), call({ ...model, at: 5 }), call({ ...model, at: 10 })])
    expect(found).toEqual([
      { agent: 'faq', state: 'asking', kind: 'model', name: 'p/m', calls: 2, repeats: 1, savedMs: 400, savedUsd: 0.01, withinMs: 5 },
      { agent: 'faq', state: 'searching', kind: 'retrieve', name: 'kb', calls: 4, repeats: 2, savedMs: 200, savedUsd: 0, withinMs: 60_000 },
    ])
  })

  it('is nothing for calls that failed, that a cache answered, that ask something else, or that cannot be cached', () => {
    expect(
      suggestCaches([
        call({}),
        call({ cached: true, at: 1 }),
        call({ failed: 'timeout', at: 2 }),
        call({ identity: 'q2' }),
        call({ kind: 'code', identity: undefined }),
        call({ kind: 'decide' }),
        call({ kind: 'decide', at: 9 }),
      ]),
    ).toEqual([])
  })

  it('is unknown where a price is', () => {
    expect(suggestCaches([call({}), call({ at: 1, costUsd: null })])[0]?.savedUsd).toBeNull()
  })
})

describe('stateloop cache suggest', () => {
  it('ranks the calls of past runs', async () => {
    await using project = await testProject()
    expect((await project.stateloop(['cache', 'suggest'])).out).toContain('nothing to cache')
    for (let time = 0; time < 3; time++) await project.stateloop(['run', 'desk', '--question', 'Open on Sunday?'])
    const { code, out } = await project.stateloop(['cache', 'suggest'])
    expect(code).toBe(0)
    expect(out).toMatch(/desk · .+: 2 of 3 calls were repeats, .* Put cache: \{ ttlMs \} on state \w+; equal calls came within/)
    const { value } = await project.json('cache', 'suggest', '--agent', 'desk')
    expect(value).toMatchObject({ runs: { read: 3, of: 3 } })
    expect((await project.stateloop(['cache', 'suggest', '--limit', 'all'])).code).toBe(2)
  })
})
