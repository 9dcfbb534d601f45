// Which version of a prompt a run uses. It is decided once, when the run begins, and recorded in its first entry, so that
// a run keeps its versions through restarts, releases and rollbacks.
import type { Prompt } from './prompt.ts'

/** Whom assignments stick to. `run` sticks to nobody. */
export const UNITS = ['user', 'tenant', 'session', 'route', 'run'] as const
/** One of the things an assignment can stick to. */
export type Unit = (typeof UNITS)[number]
/** A run as assignments see it. */
export type UnitsOf = { readonly run: string } & { readonly [K in Exclude<Unit, 'run'>]?: string }

/** The version of one prompt that a run uses, as its first entry records it. */
export interface PromptAssignment {
  /** `promptHash` of the version. */
  readonly hash: string
  /** The experiment the run takes part in. */
  readonly experiment?: string
  /** Its variant there; `control` has the active version. */
  readonly variant?: string
  /** What the variant sticks to. */
  readonly unit?: Unit
}

/** A version that was chosen for a run. */
export interface ChosenPrompt {
  readonly assignment: PromptAssignment
  readonly prompt: Prompt
}

/** Chooses versions of prompts. Without one a run uses what the code holds. */
export interface PromptChooser {
  /**
   * Chooses a version of each prompt in code, in the same order.
   * @throws FailureError `prompt_unusable` when a chosen version does not fit the code.
   */
  readonly choose: (prompts: readonly Prompt[], units: UnitsOf) => readonly ChosenPrompt[]
  /** Checks every version that could be chosen for these prompts. @throws FailureError `prompt_unusable`. */
  readonly check: (prompts: readonly Prompt[]) => void
}
