// Compares the part of a value that the case names. Invariant: every difference is a reason that starts with its path, and
// the score is the share of the expected leaves that are right.
import { failedBecause, showValue, type Score, type Scorer } from '../score.ts'
import { pick, type Picks } from './pick.ts'

/** Options of `jsonSubset`. */
export interface SubsetOptions<O = unknown, X = unknown> extends Picks<O, X> {
  /** How far numbers may differ: absolutely, or relative to the expected one. Default 0 for both. */
  readonly tolerance?: { readonly absolute?: number; readonly relative?: number }
  /** True when lists may come in another order and hold more. Default: same length, same order. */
  readonly unordered?: boolean
}

interface Comparison {
  leaves: number
  readonly reasons: string[]
}

type Rules = Pick<SubsetOptions, 'tolerance' | 'unordered'>

const isObject = (value: unknown): value is { readonly [key: string]: unknown } => typeof value === 'object' && value !== null && !Array.isArray(value)

const closeEnough = (expected: number, actual: number, { absolute = 0, relative = 0 }: NonNullable<Rules['tolerance']>): boolean => Math.abs(expected - actual) <= Math.max(absolute, relative * Math.abs(expected))

const compareList = (expected: readonly unknown[], actual: unknown, path: string, rules: Rules, found: Comparison): void => {
  if (!Array.isArray(actual)) return differ(expected, actual, path, found)
  if (rules.unordered === true) {
    const left = new Set(actual.keys())
    for (const [index, item] of expected.entries()) {
      const hit = [...left].find((at) => compareJson(item, actual[at], '', rules).reasons.length === 0)
      found.leaves += 1
      if (hit === undefined) found.reasons.push(`${path}[${index}]: expected ${showValue(item)} somewhere, seen none like it`)
      else left.delete(hit)
    }
    return
  }
  for (const [index, item] of expected.entries()) compareAt(item, actual[index], `${path}[${index}]`, rules, found)
  if (actual.length > expected.length) {
    found.leaves += 1
    found.reasons.push(`${path}: expected ${expected.length} items, seen ${actual.length}`)
  }
}

const differ = (expected: unknown, actual: unknown, path: string, found: Comparison): void => {
  found.leaves += 1
  found.reasons.push(`${path === '' ? '' : `${path}: `}expected ${showValue(expected)}, seen ${showValue(actual)}`)
}

const compareAt = (expected: unknown, actual: unknown, path: string, rules: Rules, found: Comparison): void => {
  if (Array.isArray(expected)) return compareList(expected, actual, path, rules, found)
  if (isObject(expected)) {
    if (!isObject(actual)) return differ(expected, actual, path, found)
    for (const [key, value] of Object.entries(expected)) compareAt(value, actual[key], path === '' ? key : `${path}.${key}`, rules, found)
    return
  }
  const numbers = typeof expected === 'number' && typeof actual === 'number'
  if (numbers ? closeEnough(expected, actual, rules.tolerance ?? {}) : Object.is(expected, actual)) found.leaves += 1
  else differ(expected, actual, path, found)
}

/** Differences between what is expected and what is there; fields that are not expected do not count. */
export const compareJson = (expected: unknown, actual: unknown, path = '', rules: Rules = {}): Comparison => {
  const found: Comparison = { leaves: 0, reasons: [] }
  compareAt(expected, actual, path, rules, found)
  return found
}

/**
 * Passes when everything that is expected is there; more may be there.
 * @example jsonSubset({ tolerance: { relative: 0.01 } })
 */
export const jsonSubset =
  <O, X>(options: SubsetOptions<O, X> = {}): Scorer<O, X> =>
  (trial): Score | undefined => {
    const { actual, expected } = pick(trial, options)
    if (expected === undefined) return undefined
    const { leaves, reasons } = compareJson(expected, actual, '', options)
    return reasons.length === 0 ? { score: 1, pass: true, reasons: [] } : { ...failedBecause(...reasons), score: Math.max(0, 1 - reasons.length / Math.max(1, leaves)) }
  }
