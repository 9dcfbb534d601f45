// Statistics against values from outside: published tables, and what scipy 1.17.1 and statsmodels 0.15.0 give for the data
// shown here.
import { describe, expect, it, test } from 'vitest'
import { agreementOf } from '../../src/eval/statistics/agreement.ts'
import { bootstrap, percentile } from '../../src/eval/statistics/bootstrap.ts'
import { clusteredMean, intervalOf } from '../../src/eval/statistics/clustered.ts'
import { normalQuantile, studentQuantile } from '../../src/eval/statistics/distributions.ts'
import { divergenceByChance, jensenShannon } from '../../src/eval/statistics/divergence.ts'
import { wilson } from '../../src/eval/statistics/wilson.ts'

// Student (1908): hours of sleep gained with one drug over the other, ten patients.
const SLEEP = [1.2, 2.4, 1.3, 1.3, 0, 1.0, 1.8, 0.8, 4.6, 1.4]

// Draper and Smith (1998): circumference of five orange trees, seven times each, millimetres.
const ORANGE = [
  [30, 58, 87, 115, 120, 142, 145],
  [33, 69, 111, 156, 172, 203, 203],
  [30, 51, 75, 108, 115, 139, 140],
  [32, 62, 112, 167, 179, 209, 214],
  [30, 49, 81, 125, 142, 174, 177],
]

describe('quantiles', () => {
  test.each([
    [0.975, 9, 2.262157162798205],
    [0.99, 49, 2.4048917595376684],
    [0.975, 1, 12.706204736174694],
    [0.95, 2, 2.9199855803537242],
    [0.99, 3, 4.540702858568132],
  ])('of Student’s t at %d with %d degrees of freedom are those of scipy', (p, degrees, expected) => {
    expect(studentQuantile(p, degrees)).toBeCloseTo(expected, 9)
    expect(studentQuantile(1 - p, degrees)).toBeCloseTo(-expected, 9)
  })

  test.each([
    [0.975, 1.959963984540054],
    [0.8, 0.8416212335729143],
    [0.99, 2.3263478740408408],
    [0.999999, 4.753424308817087],
  ])('of the normal distribution at %d are those of scipy', (p, expected) => {
    expect(normalQuantile(p)).toBeCloseTo(expected, 8)
    expect(normalQuantile(1 - p)).toBeCloseTo(-expected, 8)
  })
})

describe('Wilson’s interval', () => {
  test.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('of %d in %d is the one in table I of Newcombe (1998)', (passes, trials, low, high) => {
    const [from, to] = wilson(passes, trials)
    expect(from).toBeCloseTo(low, 4)
    expect(to).toBeCloseTo(high, 4)
  })

  it('is that of statsmodels when all passed, and everything when nothing was tried', () => {
    expect(wilson(29, 29)[0]).toBeCloseTo(0.8830302015002592, 9)
    expect(wilson(29, 29)[1]).toBe(1)
    expect(wilson(0, 0)).toEqual([0, 1])
  })
})

describe('the mean of clusters', () => {
  it('has the cluster-robust standard error of statsmodels', () => {
    const values = ORANGE.flatMap((tree, at) => tree.map((value) => ({ value, cluster: String(at) })))
    const { mean, standardError, degrees } = clusteredMean(values)
    expect(mean).toBeCloseTo(115.85714286, 8)
    expect(standardError).toBeCloseTo(9.19660541, 8)
    expect(degrees).toBe(4)
  })

  it('has the ordinary standard error when every value stands alone', () => {
    const values = ORANGE.flat().map((value, at) => ({ value, cluster: String(at) }))
    expect(clusteredMean(values).standardError).toBeCloseTo(9.71727586, 8)
  })

  it('gives the published interval of the paired t test', () => {
    const [low, high] = intervalOf(clusteredMean(SLEEP.map((value, at) => ({ value, cluster: String(at) }))))
    expect(low).toBeCloseTo(0.7001142, 7)
    expect(high).toBeCloseTo(2.4598858, 7)
  })

  it('has no standard error with one cluster', () => {
    expect(
      clusteredMean([
        { value: 1, cluster: 'a' },
        { value: 2, cluster: 'a' },
      ]).standardError,
    ).toBeNaN()
  })
})

describe('the bootstrap', () => {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

  it('comes to the interval that scipy finds with 400,000 resamples', () => {
    const [low, high] = bootstrap(SLEEP, mean, { resamples: 40_000, seed: 1 })
    expect(low).toBeCloseTo(0.95, 1)
    expect(high).toBeCloseTo(2.38, 1)
  })

  it('comes to scipy’s paired interval of a ratio', () => {
    const before = [10.2, 11.5, 9.8, 14.1, 12.0, 10.9, 13.3, 9.1, 15.2, 11.0, 12.7, 10.4]
    const after = [11.0, 11.9, 10.9, 16.0, 12.1, 12.6, 13.0, 10.1, 18.1, 11.2, 14.5, 10.2]
    const pairs = before.map((value, at) => ({ before: value, after: after[at] ?? 0 }))
    const [low, high] = bootstrap(pairs, (sample) => mean(sample.map((pair) => pair.after)) / mean(sample.map((pair) => pair.before)), { resamples: 40_000, seed: 2 })
    expect(low).toBeCloseTo(1.0386, 2)
    expect(high).toBeCloseTo(1.1227, 2)
  })

  it('draws the same with the same seed, and leaves out samples without a value', () => {
    expect(bootstrap(SLEEP, mean, { seed: 7 })).toEqual(bootstrap(SLEEP, mean, { seed: 7 }))
    expect(bootstrap(SLEEP, mean, { seed: 7 })).not.toEqual(bootstrap(SLEEP, mean, { seed: 8 }))
    expect(bootstrap([0, 0], () => Number.NaN)).toEqual([Number.NaN, Number.NaN])
  })

  it('takes percentiles between neighbours', () => {
    expect(percentile([1, 2, 3, 4], 0.5)).toBe(2.5)
    expect(percentile([1, 2, 3, 4], 1)).toBe(4)
  })
})

describe('agreement', () => {
  const rows = (many: number, judge: boolean, person: boolean) => Array.from({ length: many }, () => ({ judge, person }))

  it('is Cohen’s kappa of the textbook example: 20 both yes, 15 both no, 15 split', () => {
    const { share, kappa } = agreementOf([...rows(20, true, true), ...rows(5, true, false), ...rows(10, false, true), ...rows(15, false, false)])
    expect(share).toBeCloseTo(0.7, 12)
    expect(kappa).toBeCloseTo(0.4, 12)
  })

  it('has no kappa when all labels are alike, because chance alone would agree', () => {
    expect(agreementOf(rows(9, true, true))).toEqual({ rows: 9, share: 1, kappa: null })
  })
})

describe('divergence', () => {
  it('is the square of scipy’s Jensen-Shannon distance', () => {
    expect(jensenShannon(['a', 'b'], ['a', 'b', 'c', 'c'])).toBeCloseTo(0.3112781244591328, 12)
    expect(jensenShannon(['a'], ['b'])).toBeCloseTo(1, 12)
    expect(jensenShannon(['a', 'b'], ['b', 'a'])).toBe(0)
  })

  it('is explained by chance when both sides are alike, and not when they differ', () => {
    const alike = Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? 'short' : 'long'))
    expect(divergenceByChance([{ before: alike, after: alike.toReversed() }])).toBeGreaterThan(0.5)
    expect(divergenceByChance([{ before: alike, after: alike.map(() => 'long') }])).toBeLessThan(0.01)
  })

  it('does not take a difference between cases for one over time', () => {
    const groups = Array.from({ length: 10 }, (_, at) => ({ before: [`way ${at}`, `way ${at}`], after: [`way ${at}`] }))
    expect(divergenceByChance(groups)).toBe(1)
  })
})
