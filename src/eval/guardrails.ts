// What a change does to cost, tokens, loops and latency, as ratios of head to base. Invariant: a guardrail breaks only when
// the whole interval of its ratio lies above the limit, so noise alone seldom breaks it.
import { bootstrap, percentile } from './statistics/bootstrap.ts'
import type { Interval } from './statistics/wilson.ts'
import type { FullGate, Guardrail } from './gate-options.ts'
import type { Observation } from './observation.ts'

/** What one case used before and after. */
export interface UsePair {
  readonly cluster: string
  readonly base: readonly Observation[]
  readonly head: readonly Observation[]
}

/** One guardrail's finding. */
export interface GuardrailFinding {
  readonly name: Guardrail
  /** Per trial on the base side; for latency the 95th percentile, milliseconds. */
  readonly base: number
  readonly head: number
  readonly ratio: number
  readonly interval: Interval
  /** null only reports. */
  readonly limit: number | null
  readonly broken: boolean
}

const NAMES: readonly Guardrail[] = ['costUsd', 'tokens', 'loops', 'p95LatencyMs']

const amountOf = (name: Guardrail, { costUsd, inputTokens, outputTokens, modelCalls, transitions, durationMs }: Observation): number | null => {
  switch (name) {
    case 'costUsd':
      return costUsd
    case 'tokens':
      return inputTokens + outputTokens
    case 'loops':
      return modelCalls > 0 ? modelCalls : transitions
    case 'p95LatencyMs':
      return durationMs
  }
}

interface Amounts {
  readonly base: readonly number[]
  readonly head: readonly number[]
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** One number of a side: the mean over cases, or the 95th percentile over trials. */
const sideOf = (name: Guardrail, side: 'base' | 'head', sample: readonly (readonly Amounts[])[]): number => {
  const cases = sample.flat().map((one) => one[side])
  return name === 'p95LatencyMs'
    ? percentile(
        cases.flat().toSorted((a, b) => a - b),
        0.95,
      )
    : mean(cases.map(mean))
}

const findingOf = (name: Guardrail, pairs: readonly UsePair[], limit: number | null): GuardrailFinding | undefined => {
  const clusters = new Map<string, Amounts[]>()
  for (const { cluster, base, head } of pairs) {
    const [before, after] = [base.map((one) => amountOf(name, one)), head.map((one) => amountOf(name, one))]
    if (before.includes(null) || after.includes(null)) return undefined
    clusters.set(cluster, [...(clusters.get(cluster) ?? []), { base: before as number[], head: after as number[] }])
  }
  const all = [...clusters.values()]
  const [base, head] = [sideOf(name, 'base', all), sideOf(name, 'head', all)]
  if (!(base > 0)) return undefined
  const interval = bootstrap(all, (sample) => sideOf(name, 'head', sample) / sideOf(name, 'base', sample))
  return { name, base, head, ratio: head / base, interval, limit, broken: limit !== null && interval[0] > limit }
}

/** What each guardrail finds. One without an amount on the base side, or with an unknown price, finds nothing. */
export const guardrailsOf = (pairs: readonly UsePair[], limits: FullGate['guardrails']): readonly GuardrailFinding[] => (pairs.length === 0 ? [] : NAMES.flatMap((name) => findingOf(name, pairs, limits[name]) ?? []))
