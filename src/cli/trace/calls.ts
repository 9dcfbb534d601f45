// The calls of a run as its history tells them: what was called with what, how long it took, what it cost, what it gave.
// Invariant: two calls have the same identity only when they asked the same thing of the same model, tool or retriever.
import { shortHash } from '../../schema/index.ts'
import type { Json } from '../../failure/index.ts'
import type { HistoryStep, RunEvent } from '../../run/index.ts'

/** One call of a model, a tool or a retriever. */
export interface RunCall {
  readonly run: string
  readonly agent: string
  readonly key: string
  readonly actor: string
  /** State path within its actor. */
  readonly state: string
  readonly kind: string
  /** `openai/gpt-5-mini`, or the name of a tool, retriever or reranker. */
  readonly name: string
  /** Same for the same question. Undefined for what has none, such as code. */
  readonly identity: string | undefined
  readonly args: Json | undefined
  /** When its first attempt began, milliseconds UTC. */
  readonly at: number
  /** Attempts together, waits between them left out. */
  readonly durationMs: number
  /** null when a price is unknown. */
  readonly costUsd: number | null
  readonly failed: string | undefined
  /** Hash of what it gave. Undefined when it failed. */
  readonly result: string | undefined
  /** True when the answer came from the cache. */
  readonly cached: boolean
}

type Started = Extract<RunEvent, { readonly type: 'effect.started' }>
type Ended = Extract<RunEvent, { readonly type: 'attempt.ended' }>

const identityOf = ({ kind, name, args }: Started, { requestHash }: Ended): string | undefined => {
  if (kind === 'model' || kind === 'decide') return requestHash === undefined ? undefined : `${name} ${requestHash}`
  return kind === 'code' || args === undefined ? undefined : `${kind === 'tools' ? 'tool' : kind} ${name} ${shortHash(args)}`
}

const valueOf = ({ entry: { body } }: HistoryStep): Json | undefined => (body.cause.type === 'attempt' && body.cause.outcome.ok ? body.cause.outcome.value : undefined)

/** State of an event without the path of its actor. */
const stateOf = ({ actor, state }: { readonly actor: string; readonly state: string }): string => (actor === '' ? state : state.slice(actor.length + 1))

interface Open {
  readonly started: Started
  readonly durationMs: number
  readonly costUsd: number | null
}

/** The calls that are over, in the order in which they ended. */
export const callsOf = (agent: string, steps: readonly HistoryStep[]): readonly RunCall[] => {
  const open = new Map<string, Open>()
  const calls: RunCall[] = []
  for (const step of steps) {
    const latest = new Map(step.events.flatMap((event) => (event.type === 'effect.started' ? [[event.key, event.attempt] as const] : [])))
    for (const event of step.events) {
      if (event.type === 'effect.started' && !open.has(event.key)) open.set(event.key, { started: event, durationMs: 0, costUsd: 0 })
      const before = event.type === 'attempt.ended' ? open.get(event.key) : undefined
      if (event.type !== 'attempt.ended' || before === undefined) continue
      const { started } = before
      const now = { started, durationMs: before.durationMs + event.durationMs, costUsd: before.costUsd === null || event.costUsd === null ? null : before.costUsd + (event.costUsd ?? 0) }
      // Another attempt follows after a wait, or was begun at once.
      const over = event.retryInMs === undefined && (latest.get(event.key) ?? 0) <= event.attempt
      if (over) open.delete(event.key)
      else open.set(event.key, now)
      if (!over) continue
      const value = valueOf(step)
      calls.push({
        run: event.run,
        agent,
        key: event.key,
        actor: event.actor,
        state: stateOf(event),
        kind: event.kind,
        name: event.name,
        identity: identityOf(started, event),
        args: started.args,
        at: started.at,
        durationMs: now.durationMs,
        costUsd: now.costUsd,
        failed: event.failure?.code,
        result: value === undefined ? undefined : shortHash(value),
        cached: event.cached !== undefined,
      })
    }
  }
  return calls
}
