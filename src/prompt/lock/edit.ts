// Changes of a lock: release, roll back, roll out, kill. Each is a pure function to the next lock. Invariant: no change
// loses a version, so every one of them can be undone.
import { fail } from '../../failure/index.ts'
import type { Unit } from '../assignment.ts'
import { promptHash, type PromptDocument } from '../document.ts'
import { CONTROL, lockedOf, type Lock, type LockedPrompt, type Rollout } from './lock.ts'
import { percentOf, ramp } from './ramp.ts'

const lockedIn = (lock: Lock, id: string): LockedPrompt =>
  lockedOf(lock, id) ?? fail('usage', `The lock has no prompt ${JSON.stringify(id)}. It has: ${Object.keys(lock.prompts).join(', ') || 'none'}. Add it with \`stateloop prompts release\`.`)

const withPrompt = (lock: Lock, id: string, prompt: LockedPrompt): Lock => ({ ...lock, prompts: { ...lock.prompts, [id]: prompt } })

const withoutRollout = ({ rollout: _over, ...prompt }: LockedPrompt): LockedPrompt => prompt

/** Gives everybody this version and ends a rollout. The version that was active can be rolled back to. */
export const release = (lock: Lock, id: string, document: PromptDocument): Lock => {
  const hash = promptHash(document)
  const before = lockedOf(lock, id)
  if (before === undefined) return withPrompt(lock, id, { active: hash, previous: [], versions: { [hash]: document } })
  const previous = before.active === hash ? before.previous : [...before.previous, before.active]
  return withPrompt(lock, id, { ...withoutRollout(before), active: hash, previous, versions: { ...before.versions, [hash]: document } })
}

/**
 * Gives everybody the version that was active before, and ends a rollout. Rolling back again goes one further.
 * @throws FailureError `usage` when nothing was active before.
 */
export const rollBack = (lock: Lock, id: string): Lock => {
  const { previous, ...prompt } = withoutRollout(lockedIn(lock, id))
  const active =
    previous.at(-1) ?? fail('usage', `No version of ${id} was active before ${prompt.active.slice(0, 12)}. Name one: \`stateloop prompts rollback ${id} <hash>\`; \`stateloop prompts log ${id}\` lists what ran.`)
  return withPrompt(lock, id, { ...prompt, active, previous: previous.slice(0, -1) })
}

/** Who gets a variant. */
export interface RolloutStep {
  /** Share of the units, percent with at most two decimals. */
  readonly percent: number
  /** Default: the first 8 characters of the version's hash. */
  readonly variant?: string | undefined
  /** What assignments stick to; only when a rollout begins. Default `user`. */
  readonly unit?: Unit | undefined
  /** Only when a rollout begins. Default: the prompt's id. */
  readonly experiment?: string | undefined
}

const begin = (id: string, hash: string, { unit = 'user', experiment = id }: RolloutStep): Rollout => ({ experiment, salt: hash.slice(0, 12), unit, variants: [] })

const checkStep = (id: string, on: Rollout | undefined, { percent, unit, experiment, variant }: RolloutStep): void => {
  if (!(percent >= 0 && percent <= 100) || Math.round(percent * 100) !== Number((percent * 100).toFixed(6))) fail('usage', `A share is from 0 to 100 percent with at most two decimals, not ${percent}.`)
  if (variant === CONTROL) fail('usage', `A variant cannot be called ${CONTROL}: that is who has the active version.`)
  const other = on !== undefined && ((unit !== undefined && unit !== on.unit) || (experiment !== undefined && experiment !== on.experiment))
  if (other) fail('usage', `The rollout of ${id} is under way as ${on.experiment} by ${on.unit}. Another unit or name would move everybody: end it first with \`stateloop prompts release ${id}\` or \`rollback\`.`)
}

/**
 * Gives a version to a share of the units.
 * @throws FailureError `usage` when the share does not fit beside the other variants.
 */
export const rollOut = (lock: Lock, id: string, document: PromptDocument, step: RolloutStep): Lock => {
  const before = lockedIn(lock, id)
  const hash = promptHash(document)
  checkStep(id, before.rollout, step)
  const on = before.rollout ?? begin(id, hash, step)
  const known = on.variants.find((one) => one.hash === hash && (step.variant === undefined || step.variant === one.name))
  if (known === undefined && step.variant === undefined && hash === before.active)
    fail('usage', `Version ${hash.slice(0, 12)} of ${id} is the active one, which everybody has. Name another version, or give it a name with --variant to compare it with itself.`)
  const name = known?.name ?? step.variant ?? hash.slice(0, 8)
  const taken = on.variants.find((one) => one.name === name && one.hash !== hash)
  if (taken !== undefined) fail('usage', `The variant ${name} of ${id} is version ${taken.hash.slice(0, 12)}, not ${hash.slice(0, 12)}. Give the other version another name with --variant.`)
  const variants = ramp(known === undefined ? [...on.variants, { name, hash, buckets: [] }] : on.variants, name, step.percent)
  if (variants === undefined) {
    const others = on.variants.filter((one) => one.name !== name).map((one) => `${one.name} has ${percentOf(one)} %`)
    return fail('usage', `${step.percent} % for ${name} do not fit beside the other variants of ${id}: ${others.join(', ')}. Lower one of them first.`)
  }
  return withPrompt(lock, id, { ...before, rollout: { ...on, variants }, versions: { ...before.versions, [hash]: document } })
}

/** Turns the kill switch of a rollout: while it is on, everybody has the active version. @throws FailureError `usage`. */
export const kill = (lock: Lock, id: string, killed: boolean): Lock => {
  const { rollout, ...prompt } = lockedIn(lock, id)
  if (rollout === undefined) return fail('usage', `No rollout of ${id} is under way, so there is nothing to kill. \`stateloop prompts rollback ${id}\` goes back to the version before.`)
  const { killed: _was, ...on } = rollout
  return withPrompt(lock, id, { ...prompt, rollout: killed ? { ...on, killed: true } : on })
}
