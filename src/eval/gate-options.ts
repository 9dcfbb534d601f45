// How a gate decides: what it compares, how sure it must be, and what it never lets pass. Invariant: every setting has a
// default, and the defaults are the ones whose error rates the noise study measures.
import { fail } from '../failure/index.ts'

/** Used amounts that a guardrail watches, each as a ratio of head to base. */
export type Guardrail = 'costUsd' | 'tokens' | 'loops' | 'p95LatencyMs'

/** Settings of a gate. */
export interface GateOptions {
  /** What is compared: the share of trials that pass, or their mean score. Default `pass`. */
  readonly metric?: 'pass' | 'score'
  /** Largest loss that counts as none, from 0 to 1. Default 0.1: ten points. */
  readonly margin?: number
  /** Chance of blocking a change that changes nothing, over all looks. Default 0.05. */
  readonly alpha?: number
  /** Trials of each case at which the gate looks. Default 1, 2, 3, 5, 8. */
  readonly looks?: readonly number[]
  /** Cases of which every trial must pass: those with one of these tags, or all. Default the tag `must-pass`. */
  readonly mustPass?: 'all' | readonly string[]
  /** Largest ratio to the base before the gate blocks; null only reports. Default 1.5, for latency null. */
  readonly guardrails?: { readonly [K in Guardrail]?: number | null }
}

/** Settings with their defaults. */
export interface FullGate extends Required<Omit<GateOptions, 'guardrails'>> {
  readonly guardrails: { readonly [K in Guardrail]: number | null }
}

/** Fills in the defaults. @throws FailureError `usage` for settings that no gate can have. */
export const fullGate = (options: GateOptions = {}): FullGate => {
  const { metric = 'pass', margin = 0.1, alpha = 0.05, looks = [1, 2, 3, 5, 8], mustPass = ['must-pass'], guardrails = {} } = options
  if (!(margin > 0 && margin < 1)) fail('usage', `gate.margin is ${margin}; it is a share between 0 and 1, such as 0.1 for ten points.`)
  if (!(alpha > 0 && alpha <= 0.5)) fail('usage', `gate.alpha is ${alpha}; it is a chance, at most 0.5, such as 0.05.`)
  const rising = looks.length > 0 && looks.every((look, at) => Number.isSafeInteger(look) && look > (looks[at - 1] ?? 0))
  if (!rising) fail('usage', `gate.looks is ${JSON.stringify(looks)}; it lists rising numbers of trials, such as [1, 2, 3, 5, 8].`)
  return { metric, margin, alpha, looks, mustPass, guardrails: { costUsd: 1.5, tokens: 1.5, loops: 1.5, p95LatencyMs: null, ...guardrails } }
}
