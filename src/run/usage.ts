// What a run has used so far, and the limits that are checked where an effect would start.
import type { Limits } from '../agent/index.ts'
import { failure, type Failure } from '../failure/index.ts'
import type { Carried, Outcome } from '../journal/index.ts'

/** Running totals of an actor and everything below it. */
export interface Used {
  transitions: number
  modelCalls: number
  toolCalls: number
  inputTokens: number
  outputTokens: number
  costNano: number
  costUnknown: boolean
  /** Active time, milliseconds. */
  durationMs: number
}

/** Nothing used. */
export const nothingUsed = (): Used => ({
  transitions: 0,
  modelCalls: 0,
  toolCalls: 0,
  inputTokens: 0,
  outputTokens: 0,
  costNano: 0,
  costUnknown: false,
  durationMs: 0,
})

/** Limits with their defaults; those without a default stay undefined. */
export interface FullLimits extends Limits {
  readonly transitions: number
  readonly modelCalls: number
  readonly toolCalls: number
  readonly repeat: number
  readonly parallel: number
}

/** Fills in the defaults that every run has. */
export const fullLimits = (limits: Limits): FullLimits => ({ transitions: 200, modelCalls: 100, toolCalls: 200, repeat: 3, parallel: 16, ...limits })

/** Adds what an attempt was billed. */
export const addOutcome = (used: Used, outcome: Outcome): void => {
  used.costNano += outcome.addedNano ?? 0
  for (const call of outcome.calls ?? []) {
    used.inputTokens += call.usage?.inputTokens ?? 0
    used.outputTokens += call.usage?.outputTokens ?? 0
    if (call.costNano === null) used.costUnknown = true
    else used.costNano += call.costNano
  }
}

const ASKS_MODEL: ReadonlySet<string> = new Set(['model', 'decide', 'compact'])

/** Notes calls that are broken off: they are billed for what they did so far, and nobody says how much that was. */
export const noteBrokenOff = (used: Used, steps: Iterable<{ readonly kind: string }>): void => {
  for (const { kind } of steps) if (ASKS_MODEL.has(kind)) used.costUnknown = true
}

/** Totals as sessions carry them from run to run. */
export const carriedOf = (used: Used, before: Carried | undefined): Carried => ({
  transitions: used.transitions + (before?.transitions ?? 0),
  modelCalls: used.modelCalls + (before?.modelCalls ?? 0),
  toolCalls: used.toolCalls + (before?.toolCalls ?? 0),
  tokens: used.inputTokens + used.outputTokens + (before?.tokens ?? 0),
  costNano: used.costNano + (before?.costNano ?? 0),
  durationMs: used.durationMs + (before?.durationMs ?? 0),
})

/** What an effect is about to use. */
export type About = 'model' | 'tool' | 'other'

type LimitCode = 'loop_limit' | 'budget_exceeded' | 'deadline_exceeded'

/** What is checked, in this order; `concerns` is the only kind of effect that a limit stops, where it does not stop all. */
const CHECKS: readonly { readonly name: keyof Limits; readonly code: LimitCode; readonly concerns?: About; readonly usedOf: (total: Carried) => number }[] = [
  { name: 'transitions', code: 'loop_limit', usedOf: ({ transitions }) => transitions - 1 },
  { name: 'modelCalls', code: 'loop_limit', concerns: 'model', usedOf: ({ modelCalls }) => modelCalls },
  { name: 'toolCalls', code: 'loop_limit', concerns: 'tool', usedOf: ({ toolCalls }) => toolCalls },
  { name: 'tokens', code: 'budget_exceeded', concerns: 'model', usedOf: ({ tokens }) => tokens },
  { name: 'costUsd', code: 'budget_exceeded', concerns: 'model', usedOf: ({ costNano }) => costNano / 1e9 },
  { name: 'durationMs', code: 'deadline_exceeded', usedOf: ({ durationMs }) => durationMs },
]

const breach = (scope: string, name: keyof Limits, limit: number, used: number, code: LimitCode): Failure =>
  failure(code, `The ${scope} reached ${name}: limit ${limit}, used ${used}. Nothing more was started. Raise limits.${name}, or route ${code} to an answer with what is there.`, {
    details: { scope, limit: name, value: limit, used },
  })

/**
 * The first limit that is used up, as the failure an effect gets instead of starting.
 * @param scope what the limits belong to, for the message: `run`, `session` or a child agent's path.
 */
export const checkLimits = (scope: string, limits: Limits, total: Carried, about: About): Failure | undefined => {
  for (const { name, code, concerns, usedOf } of CHECKS) {
    const limit = limits[name]
    if (limit === undefined || (concerns !== undefined && concerns !== about)) continue
    const used = usedOf(total)
    if (used >= limit) return breach(scope, name, limit, used, code)
  }
  return undefined
}
