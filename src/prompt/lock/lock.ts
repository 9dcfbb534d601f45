// The lock of the prompts as data: which version of each prompt is active, who gets another one, and the versions
// themselves, so that going back needs no deploy. Invariant: a lock that was read holds every version it names, each under
// its own hash.
import { z } from 'zod'
import { fail, type Json } from '../../failure/index.ts'
import { UNITS, type Unit } from '../assignment.ts'
import { promptHash, type PromptDocument } from '../document.ts'

/** Into how many buckets units are sorted. A percent is a hundred of them. */
export const BUCKETS = 10_000

/** Name of the variant that has the active version. */
export const CONTROL = 'control'

/** A variant of a rollout. */
export interface Variant {
  /** What it is called in reports. */
  readonly name: string
  readonly hash: string
  /** Ranges of buckets, both ends included: whose unit falls into one has this variant. */
  readonly buckets: readonly (readonly [from: number, to: number])[]
}

/** Who gets other versions than the active one. */
export interface Rollout {
  readonly experiment: string
  /** Goes into the hash, so that two experiments sort the same units differently. */
  readonly salt: string
  /** What an assignment sticks to. */
  readonly unit: Unit
  /** The kill switch: everybody has the active version while it is on. */
  readonly killed?: true
  readonly variants: readonly Variant[]
}

/** One prompt in a lock. */
export interface LockedPrompt {
  readonly active: string
  /** Hashes that were active before, the last one last. */
  readonly previous: readonly string[]
  readonly rollout?: Rollout
  /** Every version that was released, by its hash. */
  readonly versions: { readonly [hash: string]: PromptDocument }
}

/** `prompts.lock.json`. */
export interface Lock {
  readonly version: 1
  readonly prompts: { readonly [id: string]: LockedPrompt }
}

/** The schema of the file. Made when a lock is read, since making it takes longer than all else that loads with prompts. */
const lockSchema = (): z.ZodType => {
  const hash = z.string().regex(/^[0-9a-f]{64}$/, 'must be a promptHash, 64 hexadecimal characters')
  const bucket = z
    .int()
    .min(0)
    .max(BUCKETS - 1)
  const name = z.string().regex(/^\S+$/, 'must be text without spaces')
  const variant = z.strictObject({ name, hash, buckets: z.array(z.tuple([bucket, bucket])) })
  const rollout = z.strictObject({ experiment: z.string().min(1), salt: z.string(), unit: z.enum(UNITS), killed: z.literal(true).optional(), variants: z.array(variant) })
  const message = z.strictObject({ role: z.enum(['system', 'user', 'assistant']), content: z.string() })
  const document = z.strictObject({ language: z.literal(1), messages: z.array(message).min(1), vars: z.record(z.string(), z.json()) })
  const locked = z.strictObject({ active: hash, previous: z.array(hash), rollout: rollout.optional(), versions: z.record(z.string(), document) })
  return z.strictObject({ version: z.literal(1), prompts: z.record(z.string(), locked) })
}

/** What a lock says of a prompt. */
export const lockedOf = ({ prompts }: Lock, id: string): LockedPrompt | undefined => (Object.hasOwn(prompts, id) ? prompts[id] : undefined)

/** A lock that holds nothing. */
export const emptyLock: Lock = { version: 1, prompts: {} }

const overlaps = (variants: readonly Variant[]): boolean => {
  const ranges = variants.flatMap(({ buckets }) => buckets).toSorted(([a], [b]) => a - b)
  return ranges.some(([from, to], index) => to < from || from <= (ranges[index - 1]?.[1] ?? -1))
}

const rolloutProblems = ({ variants }: Rollout): readonly string[] => {
  const names = variants.map(({ name }) => name)
  return [
    ...(new Set([...names, CONTROL]).size <= names.length ? [`two variants have the same name, or one is called ${CONTROL}`] : []),
    ...(overlaps(variants) ? ['the buckets of its variants overlap or run backwards'] : []),
  ]
}

const problemsOf = ({ active, previous, rollout: on, versions }: LockedPrompt): readonly string[] => {
  const named = [active, ...previous, ...(on?.variants ?? []).map((one) => one.hash)]
  return [
    ...[...new Set(named)].filter((one) => !Object.hasOwn(versions, one)).map((one) => `versions does not hold ${one.slice(0, 12)}, which is named`),
    ...Object.entries(versions).flatMap(([key, kept]) => (promptHash(kept) === key ? [] : [`the version under ${key.slice(0, 12)} has another hash: it was edited by hand`])),
    ...(on === undefined ? [] : rolloutProblems(on)),
  ]
}

/**
 * Reads the text of a lock.
 * @param where names it in the message.
 * @throws FailureError `prompt_unusable` with every problem.
 */
export const parseLock = (text: string, where: string): Lock => {
  const refuse = (problems: readonly string[], cause?: unknown): never =>
    fail('prompt_unusable', `${where} is not a lock of prompts:\n- ${problems.join('\n- ')}\nTake it from version control again, or make a new one with \`stateloop prompts release\`.`, { cause })
  let data: Json
  try {
    data = JSON.parse(text) as Json
  } catch (error) {
    return refuse([`it is not JSON: ${error instanceof Error ? error.message : String(error)}`], error)
  }
  const read = lockSchema().safeParse(data)
  if (!read.success) return refuse(read.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`))
  const lock = read.data as Lock
  const problems = Object.entries(lock.prompts).flatMap(([id, one]) => problemsOf(one).map((problem) => `${id}: ${problem}`))
  return problems.length > 0 ? refuse(problems) : lock
}

const sorted = <T>(map: { readonly [key: string]: T }): { readonly [key: string]: T } => Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => (a < b ? -1 : 1)))

/** A lock as text that version control shows well: ids in order, two spaces. */
export const formatLock = ({ prompts }: Lock): string => `${JSON.stringify({ version: 1, prompts: sorted(prompts) }, null, 2)}\n`
