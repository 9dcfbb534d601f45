// One stay in one state: how long, what it used, what failed. Live progress and `show` count alike and print alike.
import { count, showDuration, showTokens, showUsd } from './amounts.ts'
import { oneLine } from './io.ts'

/** One stay of one actor in one state. */
export interface Visit {
  /** Actor path; empty for the run's own machine. */
  readonly actor: string
  /** State path with dots. */
  readonly state: string
  /** Kind of state, where it is known. */
  kind?: string
  /** Milliseconds UTC. */
  readonly enteredAt: number
  /** Absent while the run is in it, and for the final state. */
  leftAt?: number
  /** Finished attempts of calls, whatever their kind. */
  attempts: number
  inputTokens: number
  outputTokens: number
  /** Nano-dollars; null when a price was unknown. */
  costNano: number | null
  /** Failure codes in order; a retried attempt counts. */
  readonly failures: string[]
  /** True when a failure moved the run out of the state. */
  failed: boolean
  /** Models that were asked. */
  readonly models: string[]
  /** Versions of prompts that were used, as `support.answer@4277c612`. */
  readonly prompts: string[]
}

/** A visit that begins. */
export const beginVisit = (actor: string, state: string, enteredAt: number, kind?: string): Visit => ({
  actor,
  state,
  ...(kind === undefined ? {} : { kind }),
  enteredAt,
  attempts: 0,
  inputTokens: 0,
  outputTokens: 0,
  costNano: 0,
  failures: [],
  failed: false,
  models: [],
  prompts: [],
})

/** Adds what a call was billed. */
export const bill = (visit: Visit, usage: { readonly inputTokens: number; readonly outputTokens: number } | null | undefined, costNano: number | null): void => {
  visit.inputTokens += usage?.inputTokens ?? 0
  visit.outputTokens += usage?.outputTokens ?? 0
  visit.costNano = visit.costNano === null || costNano === null ? null : visit.costNano + costNano
}

/** Characters of a hash on a line. */
const HASH_WIDTH = 8

/** Notes which version of which prompt a call used. */
export const notePrompt = (visit: Visit, { prompt, promptHash }: { readonly prompt?: string; readonly promptHash?: string }): void => {
  if (prompt === undefined || promptHash === undefined) return
  const version = `${prompt}@${promptHash.slice(0, HASH_WIDTH)}`
  if (!visit.prompts.includes(version)) visit.prompts.push(version)
}

/** Whether a state is the one that an effect or a child machine with this id belongs to. */
export const ownsId = (state: string, id: string): boolean => state === id || state.endsWith(`.${id}`) || id.endsWith(`.${state}`)

/** Whether a visit started the actor with that path, or one above it. */
export const startedBy = ({ actor, state }: Visit, path: string): boolean => {
  if (!path.startsWith(`${actor}/`)) return false
  const [id = ''] = path.slice(actor.length + 1).split('#')
  return ownsId(state, id)
}

/** How deep a visit is in the tree: child machines are one deeper than who started them. */
const depthOf = ({ actor }: Visit): number => actor.split('#').length - 1

/** Where a visit stands. */
export type Standing = 'left' | 'open' | 'final'

const MARKS = { left: '✓', open: '…', final: '●' } as const

/** The columns of a visit. */
export interface VisitLine {
  readonly mark: string
  readonly state: string
  readonly facts: string
  readonly failures: string
}

/** A visit as columns of one line. */
export const visitLine = (visit: Visit, standing: Standing, now: number): VisitLine => {
  const money = visit.costNano === null || visit.costNano > 0 || visit.inputTokens + visit.outputTokens > 0
  const facts = [
    visit.kind ?? '',
    standing === 'final' ? '' : showDuration(Math.max(0, (visit.leftAt ?? now) - visit.enteredAt)),
    visit.models.join(', '),
    showTokens(visit.inputTokens, visit.outputTokens),
    money ? showUsd(visit.costNano === null ? null : visit.costNano / 1e9) : '',
    visit.attempts > 1 ? count(visit.attempts, 'call') : '',
    visit.prompts.map(oneLine).join(', '),
  ]
  return {
    mark: visit.failed ? '✗' : MARKS[standing],
    state: `${'  '.repeat(depthOf(visit))}${oneLine(visit.state)}`,
    facts: facts.filter((fact) => fact !== '').join(' · '),
    failures: visit.failures.join(', '),
  }
}

/** Width of the column that holds the state, characters. */
const STATE_WIDTH = 24

/** A line as plain text. */
export const joinLine = ({ mark, state, facts, failures }: VisitLine): string => `${mark} ${state.padEnd(STATE_WIDTH)} ${facts}${failures === '' ? '' : `  ${failures}`}`.trimEnd()
