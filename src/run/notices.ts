// What a transition looks like to those who watch: the states left and entered, and the edge taken.
import type { AnyMachineSnapshot, EventObject } from 'xstate'
import { isFailure } from '../failure/index.ts'
import type { Cause, Outcome, StateValue } from '../journal/index.ts'
import type { StepRequest } from './effect.ts'
import type { FoldStep } from './fold-step.ts'
import type { Fold } from './fold.ts'
import type { RunEvent, RunEventBody } from './run-event.ts'

interface NodeLike {
  readonly path: readonly string[]
  readonly type: string
  readonly meta?: { readonly kind?: string }
}

const nodesOf = (snapshot: AnyMachineSnapshot | undefined): readonly NodeLike[] => (snapshot === undefined ? [] : snapshot._nodes)

const describe = (type: 'state.entered' | 'state.left', node: NodeLike): RunEventBody => ({
  type,
  state: node.path.join('.'),
  kind: node.meta?.kind ?? node.type,
})

/** Events for one transition. A state that is left and entered again appears in both. */
export const stateNotices = (before: AnyMachineSnapshot | undefined, after: AnyMachineSnapshot, event: EventObject & { readonly error?: unknown }, edges: readonly string[]): readonly RunEventBody[] => {
  const old = nodesOf(before)
  const current = nodesOf(after)
  const left = old.filter((node) => node.path.length > 0 && !current.includes(node)).map((node) => describe('state.left', node))
  const entered = current.filter((node) => node.path.length > 0 && !old.includes(node)).map((node) => describe('state.entered', node))
  const taken: RunEventBody = {
    type: 'transition.taken',
    event: event.type,
    from: (before?.value ?? '') as StateValue,
    to: after.value as StateValue,
    ...(isFailure(event.error) ? { failed: event.error.code } : {}),
    edges,
  }
  return [...left, taken, ...entered]
}

const costOf = (outcome: Outcome): number | null | undefined =>
  outcome.calls?.reduce<number | null>((sum, call) => (sum === null || call.costNano === null ? null : sum + call.costNano), outcome.addedNano ?? 0) ?? outcome.addedNano

const cachedOf = ({ savedNano, ...rest }: NonNullable<Outcome['cached']>) => ({ ...rest, savedUsd: savedNano === null ? null : savedNano / 1e9 })

/** The event for one finished attempt. @param retryInMs set when another attempt follows. */
export const attemptNotice = (step: Pick<StepRequest, 'key' | 'state' | 'name' | 'attempt'> & { readonly kind: string }, outcome: Outcome, retryInMs: number | undefined): RunEventBody => {
  const cost = costOf(outcome)
  const [call] = outcome.calls ?? []
  return {
    type: 'attempt.ended',
    key: step.key,
    state: step.state,
    kind: step.kind,
    name: step.name,
    attempt: step.attempt,
    durationMs: outcome.durationMs,
    ...(call?.usage == null ? {} : { usage: call.usage }),
    ...(outcome.calls === undefined ? {} : { calls: outcome.calls }),
    ...(cost === undefined ? {} : { costUsd: cost === null ? null : cost / 1e9 }),
    ...(outcome.ok ? {} : { failure: outcome.failure }),
    ...(retryInMs === undefined ? {} : { retryInMs }),
    ...(call?.prompt === undefined ? {} : { prompt: call.prompt }),
    ...(call?.promptHash === undefined ? {} : { promptHash: call.promptHash }),
    ...(call?.stepHash === undefined ? {} : { stepHash: call.stepHash }),
    ...(call?.requestHash === undefined ? {} : { requestHash: call.requestHash }),
    ...(outcome.cached === undefined ? {} : { cached: cachedOf(outcome.cached) }),
    ...(outcome.gate === undefined ? {} : { gate: outcome.gate }),
  }
}

/** What those who watch are told of a step that is durable, the same live and from the journal. @param seq its entry. */
export const eventsOf = (fold: Fold, step: FoldStep, cause: Cause, seq: number, at: number): readonly RunEvent[] => {
  const told: { readonly actor: string; readonly event: RunEventBody }[] = [...step.notices]
  if (cause.type === 'start') told.unshift({ actor: '', event: { type: 'run.started', agent: cause.agent.id, input: cause.input } })
  const waiting = step.end === undefined ? fold.waiting() : []
  if (step.end !== undefined) told.push({ actor: '', event: { type: 'run.ended', ...step.end } })
  if (waiting.length > 0) told.push({ actor: '', event: { type: 'run.waiting', waiting } })
  return told.map(({ actor, event }, index) => ({ ...event, run: fold.info.id, at, seq, index, actor }))
}
