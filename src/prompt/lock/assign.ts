// Who gets which version. Invariant: the same lock and the same unit always give the same version, on every machine.
import { sha256 } from '../../schema/index.ts'
import type { PromptAssignment, UnitsOf } from '../assignment.ts'
import { BUCKETS, CONTROL, type LockedPrompt, type Variant } from './lock.ts'

/**
 * The bucket of a unit: the first 64 bits of SHA-256 over `salt:experiment:unit`, modulo 10,000.
 * @see https://docs.statsig.com/faq/#how-does-bucketing-within-the-statsig-sdks-work
 */
export const bucketOf = (salt: string, experiment: string, unit: string): number => Number(BigInt(`0x${sha256(`${salt}:${experiment}:${unit}`).slice(0, 16)}`) % BigInt(BUCKETS))

const holds = ({ buckets }: Variant, bucket: number): boolean => buckets.some(([from, to]) => from <= bucket && bucket <= to)

/** The version a run gets. A run without the unit of the experiment takes no part in it and has the active version. */
export const assign = ({ active, rollout }: LockedPrompt, units: UnitsOf): PromptAssignment => {
  const unit = rollout === undefined || rollout.killed === true ? undefined : units[rollout.unit]
  if (rollout === undefined || unit === undefined) return { hash: active }
  const bucket = bucketOf(rollout.salt, rollout.experiment, unit)
  const { name, hash } = rollout.variants.find((variant) => holds(variant, bucket)) ?? { name: CONTROL, hash: active }
  return { hash, experiment: rollout.experiment, variant: name, unit: rollout.unit }
}
