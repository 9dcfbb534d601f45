// Child agents: one as a state, or one per item with bounded concurrency. They live in the same run and journal.
import type { AgentSpec, EachSpec } from '../../agent/index.ts'
import { failure, type Failure } from '../../failure/index.ts'
import { timeoutsOf } from '../../policy/index.ts'
import type { ChildEnd, EffectContext, OpenEffect } from '../effect.ts'

const LIMIT = 'limit'

const childFailed = (agent: string, which: string, end: ChildEnd): Failure =>
  failure('child_failed', `Child agent ${agent}${which} ended as ${end.outcome}${end.failure === undefined ? '' : `: ${end.failure.code}: ${end.failure.message}`}`, {
    details: { agent, outcome: end.outcome, ...(end.failure === undefined ? {} : { code: end.failure.code }) },
  })

/** Stops a child state that runs past its own time limit; without one there is no timer. */
const limitTime = (context: EffectContext, totalMs: number | undefined): void => {
  if (totalMs !== undefined) context.timer(LIMIT, context.now() + timeoutsOf({ totalMs }).totalMs)
}

const timedOut = (context: EffectContext, totalMs = 0): Failure => failure('deadline_exceeded', `State ${context.state} took longer than its ${totalMs} ms.`, { details: { totalMs } })

export const openAgent: OpenEffect<AgentSpec> = (spec, context) => {
  const refused = context.admit('other')
  if (refused !== undefined) {
    context.fail(refused)
    return {}
  }
  limitTime(context, spec.timeout?.totalMs)
  context.startChild('', spec.agent, spec.input(context.args()))
  return {
    timer: () => context.fail(timedOut(context, spec.timeout?.totalMs)),
    child: (_suffix, end) => (end.outcome === 'done' ? context.complete(end.output) : context.fail(childFailed(spec.agent.id, '', end))),
  }
}

export const openEach: OpenEffect<EachSpec> = (spec, context) => {
  const items = spec.items(context.args())
  const refused = context.admit('other')
  if (refused !== undefined || items.length > spec.maxItems) {
    context.fail(
      refused ??
        failure('loop_limit', `State ${context.state} has ${items.length} items, more than its limit of ${spec.maxItems}. Raise maxItems or pass fewer.`, {
          details: { items: items.length, maxItems: spec.maxItems },
        }),
    )
    return {}
  }
  const outputs: unknown[] = Array.from({ length: items.length })
  let next = 0
  let left = items.length
  limitTime(context, spec.timeout?.totalMs)
  const startNext = (): void => {
    if (next >= items.length) return
    const index = next++
    context.startChild(String(index), spec.agent, items[index])
  }
  if (left === 0) context.complete([])
  for (let count = 0; count < Math.min(spec.concurrency, items.length); count++) startNext()
  return {
    timer: () => context.fail(timedOut(context, spec.timeout?.totalMs)),
    child: (suffix, end) => {
      if (end.outcome !== 'done') return context.fail(childFailed(spec.agent.id, ` for item ${suffix}`, end))
      outputs[Number(suffix)] = end.output
      left -= 1
      if (left === 0) return context.complete(outputs)
      startNext()
    },
  }
}
