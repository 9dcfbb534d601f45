// Judges the tool calls that a run performed. Invariant: an expected call is matched with at most one performed call, and
// the matching is the best there is, so the order of the expectations never decides.
import { canonical } from '../../schema/index.ts'
import type { PerformedCall } from '../observation.ts'
import { passUnless, showValue, type Scored, type Scorer } from '../score.ts'
import { compareJson } from './json-subset.ts'

/** A call as a case expects it. */
export interface ExpectedCall {
  /** Name of the tool. */
  readonly name: string
  /** Without it any arguments pass. */
  readonly args?: unknown
  /** Acceptable values of single arguments; `""` among them lets the argument be left out. */
  readonly anyOf?: { readonly [argument: string]: readonly unknown[] }
}

/** Options of `toolCalls`. */
export interface ToolCallOptions<O = unknown, X = unknown> {
  /**
   * `strict`: these calls in this order; `unordered`: these calls in any order; `subset`: no calls but these;
   * `superset`: at least these calls. Default `unordered`.
   */
  readonly mode?: 'strict' | 'unordered' | 'subset' | 'superset'
  /** The calls, each possibly a list of alternatives; a function gives those of a case, or undefined to leave the case out. */
  readonly expected: readonly (ExpectedCall | readonly ExpectedCall[])[] | ((trial: Scored<O, X>) => readonly (ExpectedCall | readonly ExpectedCall[])[] | undefined)
  /** Compares arguments by tool name; default: equal as canonical JSON. Must not throw. */
  readonly args?: { readonly [tool: string]: (expected: unknown, actual: unknown) => boolean }
}

/** Compares arguments as `jsonSubset` does: what is expected must be there, more may be. */
export const subsetArgs = (expected: unknown, actual: unknown): boolean => compareJson(expected, actual).reasons.length === 0

type Alternatives = readonly ExpectedCall[]

const accepts = ({ anyOf = {} }: ExpectedCall, args: unknown): boolean => {
  const given = (typeof args === 'object' && args !== null ? args : {}) as { readonly [name: string]: unknown }
  return Object.entries(anyOf).every(([name, values]) => (given[name] === undefined ? values.includes('') : values.some((value) => canonical(value) === canonical(given[name]))))
}

const fits = (wanted: Alternatives, call: PerformedCall, matchers: NonNullable<ToolCallOptions['args']>): boolean =>
  wanted.some((one) => {
    if (one.name !== call.name || !accepts(one, call.args)) return false
    if (one.args === undefined) return true
    const matcher = matchers[one.name]
    return matcher === undefined ? canonical(one.args) === canonical(call.args) : matcher(one.args, call.args)
  })

/** Position of the call that each expectation is matched with, by augmenting paths; absent where none is left for it. */
const bestMatching = (wanted: readonly Alternatives[], calls: readonly PerformedCall[], matchers: NonNullable<ToolCallOptions['args']>): ReadonlyMap<number, number> => {
  const takenBy = new Map<number, number>()
  const place = (at: number, tried: Set<number>): boolean => {
    for (const [index, call] of calls.entries()) {
      if (tried.has(index) || !fits(wanted[at] ?? [], call, matchers)) continue
      tried.add(index)
      const holder = takenBy.get(index)
      if (holder !== undefined && !place(holder, tried)) continue
      takenBy.set(index, at)
      return true
    }
    return false
  }
  for (const at of wanted.keys()) place(at, new Set())
  return new Map([...takenBy].map(([index, at]) => [at, index]))
}

const showCall = ({ name, args, anyOf }: ExpectedCall): string => `${name}(${anyOf !== undefined ? showValue(anyOf) : args === undefined ? '…' : showValue(args)})`
const showWanted = (wanted: Alternatives): string => wanted.map(showCall).join(' or ')
const showCalls = (calls: readonly PerformedCall[]): string => calls.map(showCall).join(', ') || 'no calls'

const strictProblems = (wanted: readonly Alternatives[], calls: readonly PerformedCall[], matchers: NonNullable<ToolCallOptions['args']>): readonly string[] => {
  const at = wanted.findIndex((one, index) => calls[index] === undefined || !fits(one, calls[index], matchers))
  if (at >= 0) return [`call ${at + 1}: expected ${showWanted(wanted[at] ?? [])}, seen ${calls[at] === undefined ? 'no call' : showCall(calls[at])}`]
  return calls.slice(wanted.length).map((call, index) => `call ${wanted.length + index + 1}: expected no more calls, seen ${showCall(call)}`)
}

/** Passes when the performed calls are the expected ones, as `mode` means it. */
export const toolCalls =
  <O, X>({ mode = 'unordered', expected, args = {} }: ToolCallOptions<O, X>): Scorer<O, X> =>
  (trial) => {
    const given = typeof expected === 'function' ? expected(trial) : expected
    if (given === undefined) return undefined
    const wanted = given.map((one): Alternatives => (Array.isArray(one) ? (one as Alternatives) : [one as ExpectedCall]))
    const { calls } = trial
    if (mode === 'strict') return passUnless(strictProblems(wanted, calls, args))
    const matched = bestMatching(wanted, calls, args)
    const used = new Set(matched.values())
    const missing = mode === 'subset' ? [] : wanted.filter((_, at) => !matched.has(at)).map((one) => `expected ${showWanted(one)}, seen ${showCalls(calls)}`)
    const extra = mode === 'superset' ? [] : calls.filter((_, at) => !used.has(at)).map((call) => `did not expect ${showCall(call)}`)
    return passUnless([...missing, ...extra])
  }
