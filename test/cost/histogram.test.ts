import { describe, expect, it } from 'vitest'
import { seededRandom } from '../../src/clock/index.ts'
import { addHistogram, addHistogramText, countIn, histogramText, quantile, type Histogram } from '../../src/cost/histogram.ts'

const random = seededRandom(3)
const values = Array.from({ length: 10_000 }, () => Math.floor(Math.exp(random() * 20)))
const histogramOf = (all: readonly number[]): Histogram => {
  const histogram: Histogram = new Map()
  for (const value of all) countIn(histogram, value)
  return histogram
}

describe('a histogram', () => {
  it('gives quantiles within 5 % of the exact ones', () => {
    const sorted = values.toSorted((a, b) => a - b)
    for (const share of [0.01, 0.5, 0.9, 0.95, 0.99, 1]) {
      const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0
      expect(Math.abs((quantile(histogramOf(values), share) ?? 0) - exact) / exact, `p${share * 100}`).toBeLessThan(0.05)
    }
  })

  it('is the same whether values are counted together or added up later, as a map or as text', () => {
    const whole = [...histogramOf(values)].sort(([a], [b]) => a - b)
    const halves = [histogramOf(values.slice(0, 4_000)), histogramOf(values.slice(4_000))]
    const asMap: Histogram = new Map()
    for (const half of halves) addHistogram(asMap, half)
    const asText: Histogram = new Map()
    addHistogramText(asText, halves.map(histogramText).join(' '))
    expect([...asMap].sort(([a], [b]) => a - b)).toEqual(whole)
    expect([...asText].sort(([a], [b]) => a - b)).toEqual(whole)
  })

  it('counts what is zero or below as zero, and has no quantile when it is empty', () => {
    expect(quantile(histogramOf([0, -5, 0]), 0.5)).toBe(0)
    expect(quantile(new Map(), 0.5)).toBeNull()
    const empty: Histogram = new Map()
    addHistogramText(empty, '')
    expect(empty.size).toBe(0)
  })
})
