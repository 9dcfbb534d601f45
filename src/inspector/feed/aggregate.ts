// Many runs of one agent on one chart: how often each state was entered and left by a failure, how long it took, what it
// cost, and how often each transition was taken. Only the run's own machine counts; its children have charts of their own.
import type { Agent } from '../../agent/index.ts'
import type { RunRow } from '../../journal/index.ts'
import type { Drawing } from '../page/drawing.ts'
import type { Aggregate, EdgeFigures, Happening, StateFigures, Step } from '../page/wire.ts'
import { drawingOf } from './drawings.ts'
import type { Feed } from './feed.ts'

class Tally {
  visits = 0
  failures = 0
  costUsd = 0
  tokens = 0
  readonly codes = new Map<string, number>()
  readonly durations: number[] = []

  fail(code: string): void {
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1)
  }
}

/** The value below which that part of the sorted values lies. */
const quantile = (sorted: readonly number[], part: number): number => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? 0

const figures = ({ visits, failures, codes, durations, costUsd, tokens }: Tally): StateFigures => {
  const sorted = durations.toSorted((one, other) => one - other)
  return {
    visits,
    failures,
    codes: [...codes].toSorted(([, one], [, other]) => other - one),
    p50Ms: quantile(sorted, 0.5),
    p95Ms: quantile(sorted, 0.95),
    totalMs: sorted.reduce((sum, duration) => sum + duration, 0),
    costUsd,
    tokens,
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** A visit under way. */
interface Visit {
  readonly since: number
  costUsd: number
}

/** The state that a transition leaves, from its id. */
const sourceOf = (edge: string): string => edge.slice(0, edge.indexOf('/'))

class Totals {
  readonly states = new Map<string, Tally>()
  readonly edges = new Map<string, Tally>()

  add(steps: readonly Step[]): void {
    const entered = new Map<string, Visit>()
    for (const step of steps) {
      const left = new Map<string, Visit>()
      for (const happening of step.happenings) if (happening.actor === '') this.#happening(happening, step, entered, left)
    }
  }

  /** Transitions with their part of all ways out of a state. */
  edgeFigures(): { readonly [id: string]: EdgeFigures } {
    const out = new Map<string, number>()
    for (const [edge, { visits }] of this.edges) out.set(sourceOf(edge), (out.get(sourceOf(edge)) ?? 0) + visits)
    return Object.fromEntries(
      [...this.edges].map(([edge, tally]) => {
        const { visits, p50Ms, p95Ms, costUsd } = figures(tally)
        return [edge, { count: visits, share: visits / (out.get(sourceOf(edge)) ?? visits), p50Ms, p95Ms, costUsd }]
      }),
    )
  }

  #edge(edge: string, at: number, visit: Visit | undefined): void {
    const tally = this.edges.get(edge) ?? new Tally()
    this.edges.set(edge, tally)
    tally.visits += 1
    if (visit === undefined) return
    tally.durations.push(at - visit.since)
    tally.costUsd += visit.costUsd
  }

  #tally(state: string): Tally {
    const tally = this.states.get(state) ?? new Tally()
    this.states.set(state, tally)
    return tally
  }

  #happening(happening: Happening, { at, calls = [] }: Step, entered: Map<string, Visit>, left: Map<string, Visit>): void {
    const state = textOf(happening['state'])
    switch (happening.type) {
      case 'state.entered':
        entered.set(state, { since: at, costUsd: 0 })
        this.#tally(state).visits += 1
        return
      case 'state.left': {
        const visit = entered.get(state)
        if (visit !== undefined) {
          this.#tally(state).durations.push(at - visit.since)
          left.set(state, visit)
        }
        entered.delete(state)
        return
      }
      case 'attempt.ended': {
        const tally = this.#tally(state)
        const costUsd = calls.reduce((sum, call) => sum + (call.costUsd ?? 0), 0)
        const visit = entered.get(state)
        if (visit !== undefined) visit.costUsd += costUsd
        tally.costUsd += costUsd
        tally.tokens += calls.reduce((sum, call) => sum + call.inputTokens + call.outputTokens, 0)
        const code = codeOf(happening)
        if (code !== '') tally.fail(code)
        return
      }
      case 'failure.raised':
        this.#tally(state).failures += 1
        return
      case 'transition.taken':
        for (const edge of Array.isArray(happening['edges']) ? (happening['edges'] as readonly string[]) : []) this.#edge(edge, at, left.get(sourceOf(edge)))
    }
  }
}

const codeOf = (happening: Happening): string => {
  const failure = happening['failure']
  return typeof failure === 'object' && failure !== null && 'code' in failure ? textOf(failure.code) : ''
}

/**
 * Adds up runs. @param open makes the feed of a run.
 * @param agent the agent as it is now, when it is at hand: its chart is drawn even before the first run.
 */
export const aggregateRuns = async (name: string, rows: readonly RunRow[], open: (row: RunRow) => Promise<Feed>, agent: Agent | undefined): Promise<Aggregate> => {
  const totals = new Totals()
  const outcomes = new Map<string, number>()
  const hash = agent?.hash ?? rows[0]?.agentHash
  let drawing: Drawing | undefined = agent === undefined ? undefined : await drawingOf(agent.machine)
  let runs = 0
  for (const row of rows) {
    if (row.agentHash !== hash) continue
    const feed = await open(row)
    const read = await feed.refresh().then(
      () => true,
      () => false,
    )
    if (!read) continue
    runs += 1
    drawing ??= feed.drawings[0]
    outcomes.set(row.status, (outcomes.get(row.status) ?? 0) + 1)
    totals.add(feed.steps)
  }
  return {
    agent: name,
    runs,
    skipped: rows.length - runs,
    ...(drawing === undefined ? {} : { drawing }),
    states: Object.fromEntries([...totals.states].map(([state, tally]) => [state, figures(tally)])),
    edges: totals.edgeFigures(),
    outcomes: Object.fromEntries(outcomes),
  }
}
