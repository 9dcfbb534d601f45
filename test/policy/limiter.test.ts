import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../src/clock/index.ts'
import { FailureError } from '../../src/failure/index.ts'
import { limiter, limiters, type LimiterPolicy, type LimiterRequest, type Permit } from '../../src/policy/index.ts'

const setup = (policy: LimiterPolicy = {}) => {
  const clock = fakeClock()
  const gate = limiter({ clock, key: 'openai/gpt', ...policy })
  /** Names of calls in the order they started, with their permits. */
  const started: string[] = []
  const permits = new Map<string, Permit>()
  const call = (name: string, request?: LimiterRequest): Promise<void> =>
    gate.enter(request).then((permit) => {
      started.push(name)
      permits.set(name, permit)
    })
  const settle = (): Promise<void> => clock.advance(0)
  const release = async (name: string, used?: number): Promise<void> => {
    permits.get(name)?.release(used)
    await settle()
  }
  return { clock, gate, started, permits, call, settle, release }
}

describe('concurrency', () => {
  it('starts as many as allowed and the rest first come first served', async () => {
    const { call, started, settle, release, gate } = setup({ concurrency: 2 })
    for (const name of ['a', 'b', 'c', 'd']) void call(name)
    await settle()
    expect(started).toEqual(['a', 'b'])
    expect(gate.view()).toEqual({ key: 'openai/gpt', active: 2, waiting: 2, concurrency: 2 })
    await release('b')
    expect(started).toEqual(['a', 'b', 'c'])
    await release('a')
    expect(started).toEqual(['a', 'b', 'c', 'd'])
  })

  it('frees a place once, however often it is released', async () => {
    const { call, started, settle, permits } = setup({ concurrency: 1 })
    for (const name of ['a', 'b', 'c']) void call(name)
    await settle()
    permits.get('a')?.release()
    permits.get('a')?.release()
    await settle()
    expect(started).toEqual(['a', 'b'])
  })

  it('says how long a call waited', async () => {
    const { call, settle, clock, release, permits } = setup({ concurrency: 1 })
    void call('a')
    void call('b')
    await settle()
    await clock.advance(250)
    await release('a')
    expect([permits.get('a')?.waitedMs, permits.get('b')?.waitedMs]).toEqual([0, 250])
  })
})

describe('the queue', () => {
  it('refuses a call beyond its length at once', async () => {
    const { call, settle, gate } = setup({ concurrency: 1, queue: 1 })
    void call('a')
    void call('b')
    await settle()
    const error = await gate.enter().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(FailureError)
    expect(error).toMatchObject({
      failure: { code: 'saturated', message: expect.stringMatching(/^openai\/gpt was not called: 1 calls are waiting/), details: { active: 1, waiting: 1 } },
    })
  })

  it('lets a call leave when its signal aborts, and keeps the order of the others', async () => {
    const { call, settle, release, started, gate } = setup({ concurrency: 1 })
    const controller = new AbortController()
    void call('a')
    const left = call('b', { signal: controller.signal })
    void call('c')
    await settle()
    controller.abort(new Error('cancelled'))
    await expect(left).rejects.toThrow('cancelled')
    expect(gate.view().waiting).toBe(1)
    await release('a')
    expect(started).toEqual(['a', 'c'])
  })

  it('does not take in a call whose signal has aborted already', async () => {
    const { gate } = setup()
    await expect(gate.enter({ signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
    expect(gate.view().active).toBe(0)
  })

  it('leaves the permit with a call that started, whatever its signal does later', async () => {
    const { call, settle, gate } = setup({ concurrency: 1 })
    const controller = new AbortController()
    await call('a', { signal: controller.signal })
    controller.abort()
    await settle()
    expect(gate.view().active).toBe(1)
  })
})

describe('an own rate', () => {
  it('lets a burst through and then as many as the rate allows', async () => {
    const { call, started, clock, gate } = setup({ requestsPerMinute: 2 })
    for (const name of ['a', 'b', 'c', 'd']) void call(name)
    await clock.advance(0)
    expect(started).toEqual(['a', 'b'])
    expect(gate.view().heldUntilMs).toBe(clock.now() + 30_000)
    await clock.advance(29_999)
    expect(started).toEqual(['a', 'b'])
    await clock.advance(1)
    expect(started).toEqual(['a', 'b', 'c'])
    await clock.advance(30_000)
    expect(started).toEqual(['a', 'b', 'c', 'd'])
    expect(gate.view().heldUntilMs).toBeUndefined()
  })

  it('counts tokens, gives back what was not used, and takes what was used beyond', async () => {
    const { call, started, clock, release } = setup({ tokensPerMinute: 600 })
    for (const name of ['a', 'b', 'c']) void call(name, { tokens: 400 })
    await clock.advance(0)
    expect(started).toEqual(['a'])
    await release('a', 100)
    expect(started).toEqual(['a', 'b'])
    await release('b', 500)
    await clock.advance(39_999)
    expect(started).toEqual(['a', 'b'])
    await clock.advance(1)
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('lets a call that is larger than the whole rate go once nothing is used', async () => {
    const { call, started, clock } = setup({ tokensPerMinute: 600 })
    void call('small', { tokens: 300 })
    void call('huge', { tokens: 10_000 })
    await clock.advance(29_999)
    expect(started).toEqual(['small'])
    await clock.advance(1)
    expect(started).toEqual(['small', 'huge'])
  })

  it('holds later small calls behind an earlier large one', async () => {
    const { call, started, clock } = setup({ tokensPerMinute: 600 })
    void call('a', { tokens: 600 })
    void call('large', { tokens: 600 })
    void call('small', { tokens: 1 })
    await clock.advance(30_000)
    expect(started).toEqual(['a'])
    await clock.advance(30_200)
    expect(started).toEqual(['a', 'large', 'small'])
  })

  it('does not begin a wait that is known to pass the deadline', async () => {
    const { call, gate, clock } = setup({ requestsPerMinute: 1 })
    await call('a')
    await expect(gate.enter({ leftMs: 59_000 })).rejects.toMatchObject({
      failure: { code: 'saturated', message: expect.stringContaining('used up for another 60000 ms, and the call has 59000 ms left') },
    })
    const waited = gate.enter({ leftMs: 60_000 })
    await clock.advance(60_000)
    expect((await waited).waitedMs).toBe(60_000)
  })

  it('moves on to the next call when the held one leaves', async () => {
    const { call, started, clock } = setup({ tokensPerMinute: 600 })
    const controller = new AbortController()
    void call('a', { tokens: 500 })
    void call('large', { tokens: 600, signal: controller.signal }).catch(() => started.push('large left'))
    void call('small', { tokens: 100 })
    await clock.advance(0)
    controller.abort()
    await clock.advance(0)
    expect(started).toEqual(['a', 'small', 'large left'])
  })
})

describe("a provider's headers", () => {
  it('hold calls back until what is left fits', async () => {
    const { call, started, clock, permits } = setup()
    await call('a')
    permits.get('a')?.observe({ limitRequests: 10, remainingRequests: 1, resetRequestsMs: 9_000 })
    for (const name of ['b', 'c']) void call(name)
    await clock.advance(999)
    expect(started).toEqual(['a', 'b'])
    await clock.advance(1)
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('count calls that the provider may not have seen yet', async () => {
    const { call, started, settle, permits } = setup()
    for (const name of ['a', 'b', 'c']) await call(name)
    permits.get('a')?.observe({ limitRequests: 10, remainingRequests: 3, resetRequestsMs: 7_000 })
    void call('d')
    void call('e')
    await settle()
    expect(started).toEqual(['a', 'b', 'c', 'd'])
  })

  it('correct the estimate of tokens, in both directions', async () => {
    const { call, started, settle, permits, clock } = setup()
    await call('a', { tokens: 100 })
    permits.get('a')?.observe({ limitTokens: 1_000, remainingTokens: 0, resetTokensMs: 10_000 })
    void call('b', { tokens: 500 })
    await clock.advance(100)
    expect(started).toEqual(['a'])
    permits.get('a')?.observe({ limitTokens: 1_000, remainingTokens: 900, resetTokensMs: 1_000 })
    await settle()
    expect(started).toEqual(['a', 'b'])
  })

  it('get back what a call the provider has not counted yet did not use', async () => {
    const { call, started, release, permits } = setup()
    await call('a', { tokens: 10 })
    permits.get('a')?.observe({ limitTokens: 1_000, remainingTokens: 1_000, resetTokensMs: 0 })
    await call('b', { tokens: 900 })
    void call('c', { tokens: 800 })
    await release('b', 100)
    expect(started).toEqual(['a', 'b', 'c'])
  })

  it('never widen a rate the author set', async () => {
    const { call, started, settle, permits } = setup({ requestsPerMinute: 1 })
    await call('a')
    permits.get('a')?.observe({ limitRequests: 5_000, remainingRequests: 4_999, resetRequestsMs: 12 })
    void call('b')
    await settle()
    expect(started).toEqual(['a'])
  })

  it.each([
    ['without a limit', { remainingRequests: 0, resetRequestsMs: 1_000 }, 1_000],
    ['without a reset', { remainingRequests: 0, limitRequests: 60 }, 1_000],
    ['with a reset of nothing', { remainingRequests: 0, limitRequests: 60, resetRequestsMs: 0 }, 1_000],
    ['of a limit of zero', { remainingRequests: 0, limitRequests: 0, resetRequestsMs: 1_000 }, 1_000],
  ])('%s still let the next call go in the end', async (_what, observation, waitMs) => {
    const { call, started, permits, clock } = setup()
    await call('a')
    permits.get('a')?.observe(observation)
    void call('b')
    await clock.advance(waitMs - 1)
    expect(started).toEqual(['a'])
    await clock.advance(1)
    expect(started).toEqual(['a', 'b'])
  })
})

describe('limiters by key', () => {
  it('are independent, visible and forgotten when idle', async () => {
    const all = limiters({ clock: fakeClock(), concurrency: 1 })
    const held = await all.enter('a')
    await all.enter('b')
    expect(all.views().map(({ key, active }) => [key, active])).toEqual([
      ['a', 1],
      ['b', 1],
    ])
    for (let n = 0; n < 1_500; n++) (await all.enter(`m${n}`)).release()
    expect(all.views()).toHaveLength(1_000)
    expect(
      all
        .views()
        .filter(({ active }) => active > 0)
        .map(({ key }) => key),
    ).toEqual(['a', 'b'])
    held.release()
  })
})

describe('any limiter, whatever happens', () => {
  it('keeps its bounds, keeps the order, and strands nobody', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('enter' as const), tokens: fc.integer({ min: 0, max: 400 }) }),
      fc.record({ do: fc.constant('abort' as const), which: fc.nat(30) }),
      fc.record({ do: fc.constant('release' as const), used: fc.option(fc.integer({ min: 0, max: 500 }), { nil: undefined }) }),
      fc.record({ do: fc.constant('observe' as const), remaining: fc.integer({ min: 0, max: 600 }), resetMs: fc.integer({ min: 0, max: 60_000 }) }),
      fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const clock = fakeClock()
        const gate = limiter({ clock, key: 'k', concurrency: 3, queue: 5, tokensPerMinute: 600 })
        const calls: { readonly controller: AbortController; state: 'waiting' | 'started' | 'gone'; permit?: Permit }[] = []
        const order: number[] = []
        const enter = (tokens: number): void => {
          const call: (typeof calls)[number] = { controller: new AbortController(), state: 'waiting' }
          const index = calls.push(call) - 1
          gate.enter({ tokens, signal: call.controller.signal }).then(
            (permit) => {
              Object.assign(call, { state: 'started', permit })
              order.push(index)
            },
            () => (call.state = 'gone'),
          )
        }
        const running = (): (typeof calls)[number] | undefined => calls.find(({ state }) => state === 'started')
        const finish = (used?: number): void => {
          const call = running()
          call?.permit?.release(used)
          if (call !== undefined) call.state = 'gone'
        }
        for (const action of steps) {
          if (action.do === 'enter') enter(action.tokens)
          else if (action.do === 'abort') calls[action.which]?.controller.abort()
          else if (action.do === 'release') finish(action.used)
          else if (action.do === 'observe') running()?.permit?.observe({ limitTokens: 600, remainingTokens: action.remaining, resetTokensMs: action.resetMs })
          await clock.advance(action.do === 'advance' ? action.ms : 0)
          expect(gate.view().active).toBeLessThanOrEqual(3)
          expect(gate.view().waiting).toBeLessThanOrEqual(5)
          expect(gate.view().active).toBe(calls.filter(({ state }) => state === 'started').length)
        }
        for (let round = 0; round < 20; round++) {
          finish()
          await clock.advance(600_000)
        }
        expect(gate.view()).toMatchObject({ active: 0, waiting: 0 })
        expect(order).toEqual(order.toSorted((a, b) => a - b))
      }),
      { seed: 51, numRuns: 60 },
    )
  })
})
