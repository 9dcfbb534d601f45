// `machineAgent`: a machine written with XState's own `setup()` as an agent. It meets the same checks, limits, journal
// and replay as one of the builder, because it invokes the same sources.
import type { AnyStateMachine, InputFrom, OutputFrom } from 'xstate'
import type { FailureCode } from '../failure/index.ts'
import type { Infer, Schema } from '../schema/index.ts'
import type { Agent, Limits, Migration } from './agent.ts'
import { createAgent } from './create.ts'
import type { Accepts, EventSchemas, EventsFrom } from './env.ts'
import { guards } from './implementations.ts'
import { limitIterations } from './xstate.ts'

type InputFits<I, M extends AnyStateMachine> = [Infer<I>] extends [InputFrom<M>] ? unknown : { readonly 'the machine does not accept what this schema gives': InputFrom<M> }

/** A machine with what an agent needs beside it. */
export interface MachineAgent<M extends AnyStateMachine, I extends Schema, O, V> {
  /** Default: the machine's own id. */
  readonly id?: string
  /** Your own version, such as `2.1.0`; shown with runs. Default: none. */
  readonly version?: string
  /** A machine made with XState's `setup().createMachine()`; its actors are `fromModel`, `fromTool` and the like. */
  readonly machine: M
  /** What `start` takes. */
  readonly input: I & InputFits<I, M>
  /** Validates context fields that change. Default: they are not checked. */
  readonly context?: Schema
  /** Validates the machine's output. Default: anything passes. */
  readonly output?: O
  /** Events from outside: a schema of the payload for each. Others are refused. Default: none. */
  readonly events?: V
  /** Limits of one run. Default: see {@link Limits}. */
  readonly limits?: Limits
  /** Limits over all runs of a session. Default: none. */
  readonly sessionLimits?: Limits
  /** How runs of earlier versions go on. Default none. */
  readonly migrations?: readonly Migration[]
}

/**
 * Makes an agent of an XState machine that invokes `fromModel`, `fromTool` and the like.
 * @throws FailureError `agent_invalid`, listing every problem with its state and what to do.
 */
export const machineAgent = <M extends AnyStateMachine, I extends Schema, O extends Schema | undefined = undefined, V extends EventSchemas = {}>(
  definition: MachineAgent<M, I, O, V>,
): Agent<Accepts<I>, O extends Schema ? Infer<O> : OutputFrom<M>, EventsFrom<V>> => {
  const { machine, id = machine.id, ...parts } = definition
  return createAgent({ ...parts, id } as Parameters<typeof createAgent>[0], () => limitIterations(machine)) as never
}

interface AnyGuardArgs {
  readonly event: object
}

type SeenByGuard = Parameters<(typeof guards)['stateloop.calls']>[0]

/** A guard for `onDone` of `fromModel`: the model asked for tools, with `tool` for that one among others. */
export const calledTools =
  (tool?: string) =>
  (args: AnyGuardArgs): boolean =>
    guards['stateloop.calls'](args as SeenByGuard, tool === undefined ? {} : { tool })

/** A guard for `onError`: the failure has one of these codes; without codes, any failure but `in_doubt`. */
export const failedWith =
  (...codes: readonly FailureCode[]) =>
  (args: AnyGuardArgs): boolean =>
    codes.length === 0 ? guards['stateloop.anyFailure'](args as SeenByGuard) : codes.some((code) => guards['stateloop.failureIs'](args as SeenByGuard, { code }))
