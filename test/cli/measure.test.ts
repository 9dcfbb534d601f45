import { describe, expect, it } from 'vitest'
import type { PromptCall, PromptRun } from '../../src/cli/prompts/calls.ts'
import { differenceFrom, measure } from '../../src/cli/prompts/measure.ts'

const call = (latencyMs: number, costNano: number | null = 1_000_000, failed = false, billed = true): PromptCall => ({ billed, latencyMs, costNano, failed })
const run = (unit: string, calls: readonly PromptCall[], ok: boolean | undefined = true): PromptRun => ({ run: unit, startedAt: 0, assignment: { hash: 'h' }, unit, ok, calls })

describe('measures of a version', () => {
  it('add up the calls of a run and take the mean of the runs', () => {
    const { units, runs, calls, costUsdPerRun } = measure([run('a', [call(1, 1e9), call(1, 2e9)]), run('b', [call(1, 5e9)])])
    expect({ units, runs, calls, cost: costUsdPerRun.value }).toEqual({ units: 2, runs: 2, calls: 3, cost: 4 })
    // Two observations, 3 and 5: mean 4, standard error 1, Student's t at one degree of freedom 12.706.
    expect(costUsdPerRun.interval?.map((end) => end.toFixed(2))).toEqual(['-8.71', '16.71'])
  })

  it('count a user who runs a lot as one observation', () => {
    const even = Array.from({ length: 40 }, (_, index) => run(`u${index}`, [call(1, (index % 2) * 1e9)]))
    const busy = [...Array.from({ length: 39 }, () => run('busy', [call(1, 1e9)])), run('quiet', [call(1, 0)])]
    const widthOf = (runs: readonly PromptRun[]): number => {
      const [low, high] = measure(runs).costUsdPerRun.interval!
      return high - low
    }
    expect(widthOf(even)).toBeCloseTo(2 * 2.0227 * (0.5 / Math.sqrt(39)), 3)
    expect(widthOf(busy)).toBeGreaterThan(widthOf(even))
  })

  it('leave out what is not known: prices, and runs that have not ended', () => {
    const { costUsdPerRun, failedRuns } = measure([run('a', [call(1, null)]), { ...run('b', [call(1, 2e9)]), ok: undefined }, run('c', [call(1, 4e9)], false)])
    expect([costUsdPerRun.value, failedRuns.value]).toEqual([3, 0.5])
  })

  it('stay honest where nothing failed: no failure in ten users is up to 27.8 %', () => {
    const { failedRuns, failedCalls } = measure(Array.from({ length: 10 }, (_, index) => run(`u${index}`, [call(1), call(2)])))
    expect(failedRuns.value).toBe(0)
    expect(failedRuns.interval?.map((end) => end.toFixed(4))).toEqual(['0.0000', '0.2775'])
    expect(failedCalls.interval).toEqual(failedRuns.interval)
  })

  it('take the median of all calls', () => {
    const { latencyMsP50 } = measure([run('a', [call(10), call(30)]), run('b', [call(20)]), run('c', [call(40), call(50)])])
    expect(latencyMsP50.value).toBe(30)
    expect(latencyMsP50.interval![0]).toBeGreaterThanOrEqual(10)
    expect(latencyMsP50.interval![1]).toBeLessThanOrEqual(50)
  })

  it('count calls that were turned away as failed, and neither as billed nor as fast', () => {
    const { calls, failedCalls, latencyMsP50, costUsdPerRun } = measure([run('a', [call(1, 0, true, false), call(40)]), run('b', [call(1, 0, true, false)], false)])
    expect([calls, failedCalls.value, latencyMsP50.value, costUsdPerRun.value]).toEqual([1, 2 / 3, 40, 0.0005])
  })

  it('give no interval for one user, and nothing for no run', () => {
    expect(measure([run('a', [call(1)])]).costUsdPerRun).toEqual({ value: 0.001, interval: null })
    expect(measure([]).latencyMsP50).toEqual({ value: null, interval: null })
  })
})

describe('the difference of two versions', () => {
  it('is that of the figures, as wide as both together', () => {
    const side = (cost: number): ReturnType<typeof measure> => measure(Array.from({ length: 30 }, (_, index) => run(`u${index}`, [call(100, (cost + (index % 3)) * 1e9)])))
    const { value, interval } = differenceFrom(side(10), side(20)).costUsdPerRun
    expect(value).toBeCloseTo(10, 9)
    const half = (side(10).costUsdPerRun.interval![1] - 11) * Math.SQRT2
    expect(interval?.map((end) => end.toFixed(6))).toEqual([(10 - half).toFixed(6), (10 + half).toFixed(6)])
  })

  it('of two shares without a failure still has a width', () => {
    const side = measure(Array.from({ length: 20 }, (_, index) => run(`u${index}`, [call(1)])))
    expect(differenceFrom(side, side).failedRuns).toEqual({ value: 0, interval: [expect.closeTo(-0.1611, 3), expect.closeTo(0.1611, 3)] })
  })
})
