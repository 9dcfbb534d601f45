import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../src/clock/index.ts'
import type { FailureCode } from '../../src/failure/index.ts'
import { breaker, breakers, type BreakerPass, type BreakerPolicy, type BreakerView } from '../../src/policy/index.ts'

const setup = (policy: BreakerPolicy = {}) => {
  const clock = fakeClock()
  const changes: BreakerView['state'][] = []
  const circuit = breaker({
    clock,
    key: 'openai/gpt',
    minFailures: 3,
    openMs: 1_000,
    maxOpenMs: 4_000,
    ...policy,
    onChange: ({ state }) => changes.push(state),
  })
  const enter = (): BreakerPass => {
    const admission = circuit.enter()
    if (!admission.ok) throw new Error(`refused: ${admission.failure.message}`)
    return admission
  }
  const call = (code?: FailureCode, retryAfterMs?: number): void => enter().settle(code, retryAfterMs)
  const isOpen = (): boolean => {
    const admission = circuit.enter()
    if (admission.ok) admission.settle('cancelled')
    return !admission.ok
  }
  const trip = (): void => {
    for (let n = 0; n < 3; n++) call('overloaded')
  }
  return { clock, circuit, changes, enter, call, isOpen, trip }
}

describe('a closed circuit', () => {
  it('opens once enough of the recent calls failed', () => {
    const { circuit, call, changes } = setup()
    call('overloaded')
    call('timeout')
    expect(circuit.view()).toMatchObject({ state: 'closed', calls: 2, failures: 2 })
    call('provider_error')
    expect(circuit.view()).toMatchObject({ state: 'open', openedBy: 'provider_error' })
    expect(changes).toEqual(['open'])
  })

  it('stays closed while most calls succeed', () => {
    const { call, circuit } = setup()
    for (let n = 0; n < 20; n++) {
      call()
      call()
      call('overloaded')
    }
    expect(circuit.view()).toMatchObject({ state: 'closed', failures: 20, calls: 60 })
  })

  it('forgets failures older than the window', async () => {
    const { call, circuit, clock } = setup({ windowMs: 1_000 })
    call('overloaded')
    call('overloaded')
    await clock.advance(1_000)
    call('overloaded')
    expect(circuit.view()).toMatchObject({ state: 'closed', calls: 1 })
  })

  it('looks at the latest calls only, however many there were', () => {
    const { call, circuit } = setup({ windowCalls: 4 })
    for (let n = 0; n < 50; n++) call()
    call('overloaded')
    call('overloaded')
    expect(circuit.view()).toMatchObject({ state: 'closed', calls: 4, failures: 2 })
    call('overloaded')
    expect(circuit.view().state).toBe('open')
  })

  it.each<FailureCode>(['rate_limited', 'invalid_request', 'auth_failed', 'refused', 'truncated', 'invalid_output', 'cancelled', 'deadline_exceeded', 'budget_exceeded', 'saturated'])('never counts %s', (code) => {
    const { call, circuit } = setup()
    for (let n = 0; n < 50; n++) call(code)
    expect(circuit.view()).toMatchObject({ state: 'closed', calls: 0, failures: 0 })
  })

  it('opens at once when the quota is used up', () => {
    const { call, circuit } = setup()
    call()
    call('quota_exhausted')
    expect(circuit.view()).toMatchObject({ state: 'open', openedBy: 'quota_exhausted' })
  })
})

describe('an open circuit', () => {
  it('refuses at once and says when to come back', async () => {
    const { circuit, clock, trip } = setup()
    trip()
    await clock.advance(400)
    expect(circuit.enter()).toMatchObject({
      ok: false,
      retryAtMs: clock.now() + 600,
      failure: {
        code: 'circuit_open',
        retryable: false,
        message: expect.stringMatching(/^openai\/gpt was not called: its circuit is open after overloaded/),
        details: { key: 'openai/gpt', openedBy: 'overloaded', retryAtMs: clock.now() + 600 },
      },
    })
    expect(circuit.view()).toMatchObject({ state: 'open', retryAtMs: clock.now() + 600 })
  })

  it('stays open as long as the provider asked, even beyond its own limit', async () => {
    const { call, clock, isOpen } = setup()
    call('overloaded')
    call('overloaded')
    call('overloaded', 10_000)
    await clock.advance(9_999)
    expect(isOpen()).toBe(true)
    await clock.advance(1)
    expect(isOpen()).toBe(false)
  })

  it('is not moved by calls that began before it opened', async () => {
    const { enter, trip, circuit, clock } = setup()
    const [early, late] = [enter(), enter()]
    trip()
    early.settle()
    expect(circuit.view()).toMatchObject({ state: 'open', calls: 0 })
    await clock.advance(1_000)
    const probe = enter()
    late.settle('quota_exhausted')
    expect(circuit.view().state).toBe('half_open')
    probe.settle()
    expect(circuit.view()).toMatchObject({ state: 'closed', calls: 0 })
  })
})

describe('a half-open circuit', () => {
  const halfOpen = async (policy?: BreakerPolicy) => {
    const all = setup(policy)
    all.trip()
    await all.clock.advance(1_000)
    return all
  }

  it('lets exactly one probe through and refuses the others at once', async () => {
    const { circuit } = await halfOpen()
    const admissions = Array.from({ length: 20 }, () => circuit.enter())
    expect(admissions.filter((admission) => admission.ok)).toEqual([expect.objectContaining({ probe: true })])
    expect(admissions.at(-1)).toMatchObject({ ok: false, failure: { code: 'circuit_open', message: expect.stringContaining('half-open') } })
  })

  it('closes when the probe succeeds, with a clean slate', async () => {
    const { enter, circuit, changes, call } = await halfOpen()
    enter().settle()
    expect(circuit.view()).toEqual({ key: 'openai/gpt', state: 'closed', calls: 0, failures: 0 })
    expect(changes).toEqual(['open', 'half_open', 'closed'])
    call('overloaded')
    call('overloaded')
    expect(circuit.view().state).toBe('closed')
  })

  it.each<FailureCode>(['rate_limited', 'refused', 'invalid_request'])('closes when the probe ends as %s, since the provider answered', async (code) => {
    const { enter, circuit } = await halfOpen()
    enter().settle(code)
    expect(circuit.view().state).toBe('closed')
  })

  it.each<FailureCode>(['cancelled', 'deadline_exceeded', 'saturated'])('lets the next call probe when the probe ended as %s, which says nothing', async (code) => {
    const { enter, circuit } = await halfOpen()
    enter().settle(code)
    expect(circuit.view().state).toBe('half_open')
    expect(enter().probe).toBe(true)
    expect(circuit.enter().ok).toBe(false)
  })

  it('opens again for twice as long with each probe that fails, up to the longest time', async () => {
    const { enter, clock, isOpen } = await halfOpen()
    for (const openMs of [2_000, 4_000, 4_000]) {
      enter().settle('connection_failed')
      await clock.advance(openMs - 1)
      expect(isOpen()).toBe(true)
      await clock.advance(1)
    }
    enter().settle()
    expect(isOpen()).toBe(false)
  })

  it('takes the result of a probe once', async () => {
    const { enter, circuit } = await halfOpen()
    const probe = enter()
    probe.settle('cancelled')
    probe.settle()
    expect(circuit.view().state).toBe('half_open')
  })
})

describe('circuits by key', () => {
  it('are independent and all visible', () => {
    const all = breakers({ clock: fakeClock(), minFailures: 1 })
    const first = all.enter('a')
    if (first.ok) first.settle('overloaded')
    expect(all.enter('a').ok).toBe(false)
    expect(all.enter('b').ok).toBe(true)
    expect(all.views().map(({ key, state }) => [key, state])).toEqual([
      ['a', 'open'],
      ['b', 'closed'],
    ])
  })

  it('forget quiet circuits beyond a thousand and keep open ones', () => {
    const all = breakers({ clock: fakeClock(), minFailures: 1 })
    const first = all.enter('broken')
    if (first.ok) first.settle('overloaded')
    for (let n = 0; n < 1_500; n++) all.enter(`model-${n}`)
    expect(all.views()).toHaveLength(1_000)
    expect(all.enter('broken').ok).toBe(false)
  })
})

describe('any circuit, whatever happens', () => {
  it('never has two probes under way, never lets a call through while open, and always comes back', async () => {
    const step = fc.oneof(
      fc.constant({ do: 'enter' as const }),
      fc.record({
        do: fc.constant('settle' as const),
        which: fc.nat(20),
        code: fc.constantFrom<(FailureCode | undefined)[]>(undefined, 'overloaded', 'timeout', 'quota_exhausted', 'rate_limited', 'cancelled'),
      }),
      fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 1, max: 1_500 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { circuit, clock } = setup()
        const passes: BreakerPass[] = []
        const probes = new Set<BreakerPass>()
        for (const action of steps) {
          if (action.do === 'advance') await clock.advance(action.ms)
          else if (action.do === 'settle') {
            const pass = passes[action.which]
            pass?.settle(action.code)
            if (pass !== undefined) probes.delete(pass)
          } else {
            const before = circuit.view()
            const admission = circuit.enter()
            if (before.state === 'open' && (before.retryAtMs ?? 0) > clock.now()) expect(admission.ok).toBe(false)
            if (!admission.ok) continue
            passes.push(admission)
            if (admission.probe) probes.add(admission)
            expect(probes.size).toBeLessThanOrEqual(1)
          }
        }
        for (const pass of passes) pass.settle('cancelled')
        await clock.advance(4_000)
        expect(circuit.enter().ok).toBe(true)
      }),
      { seed: 41, numRuns: 150 },
    )
  })
})
