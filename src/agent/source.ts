// Actor sources: XState actor logic that carries an effect spec. A Stateloop runtime reads the spec and performs it;
// the logic itself never does anything, so a machine stays data wherever it is loaded.
import type { ActorLogic, EventObject, Snapshot } from 'xstate'
import type { EffectSpec } from './spec.ts'

/** Snapshot of an effect that the runtime performs. */
export type EffectSnapshot<O> = Snapshot<O>

/** Actor logic that carries an effect. `O` is what `event.output` holds in `onDone`. */
export interface EffectSource<O = unknown, I = unknown> extends ActorLogic<EffectSnapshot<O>, EventObject, I> {
  /** What a runtime performs when the source is invoked. */
  readonly effect: EffectSpec
}

const idle = Object.freeze({ status: 'active', output: undefined, error: undefined } as const)

const noRuntime = (): never => {
  throw new Error('This actor source is performed by a Stateloop runtime. Run the machine with createRuntime().start(…), not with createActor().')
}

/** Makes actor logic that carries an effect. */
export const effectSource = <O = unknown, I = unknown>(effect: EffectSpec): EffectSource<O, I> => ({
  effect,
  transition: (snapshot) => snapshot,
  getInitialSnapshot: () => idle as EffectSnapshot<O>,
  getPersistedSnapshot: (snapshot) => snapshot,
  restoreSnapshot: (snapshot) => snapshot as EffectSnapshot<O>,
  start: noRuntime,
})

/** The effect that actor logic carries, if it is one of ours. */
export const effectOf = (logic: unknown): EffectSpec | undefined => (typeof logic === 'object' && logic !== null && 'effect' in logic ? (logic as EffectSource).effect : undefined)
