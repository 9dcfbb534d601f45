// Moves a machine by hand, as a runtime would: each event is what an effect, a person or time gave.
import { initialTransition, transition, type AnyMachineSnapshot, type EventObject } from 'xstate'
import type { Agent } from '../../src/agent/index.ts'
import { failure, type FailureCode } from '../../src/failure/index.ts'

/** An effect of a state completed. */
export const done = (state: string, output?: unknown, calls?: readonly string[]): EventObject =>
  ({
    type: `xstate.done.actor.${state}`,
    output,
    ...(calls === undefined ? {} : { calls: calls.map((name, index) => ({ id: String(index), name, args: {} })) }),
  }) as EventObject

/** An effect of a state failed. */
export const failed = (state: string, code: FailureCode): EventObject => ({ type: `xstate.error.actor.${state}`, error: failure(code, 'It failed.') }) as EventObject

/** Where a machine stands after events. */
export const after = (agent: Agent, input: unknown, ...events: readonly EventObject[]): AnyMachineSnapshot => {
  let [snapshot] = initialTransition(agent.machine, input as never) as unknown as [AnyMachineSnapshot]
  for (const event of events) [snapshot] = transition(agent.machine, snapshot as never, event as never) as unknown as [AnyMachineSnapshot]
  return snapshot
}

/** The problems that a refused agent lists, as `state: problem`. */
export const problemsOf = (make: () => unknown): readonly string[] => {
  try {
    make()
  } catch (error) {
    const { details } = (error as { failure: { code: string; details: { problems: readonly { state: string; problem: string }[] } } }).failure
    return details.problems.map(({ state, problem }) => `${state}: ${problem}`)
  }
  return []
}
