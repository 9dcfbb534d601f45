// Every version of a prompt that is known anywhere, and how a person names one. Invariant: a name that could mean two
// versions is refused with both.
import { fail } from '../../failure/index.ts'
import { lockedOf, type PromptDocument } from '../../prompt/index.ts'
import { PROMPT_NAME_KIND, STEP_KIND } from '../../run/index.ts'
import { suggest } from '../../agent/index.ts'
import type { Workspace } from './workspace.ts'

/** A version of a prompt. */
export interface KnownVersion {
  readonly id: string
  readonly hash: string
  /** Where it is: `code`, `active`, `variant b`, `released`, `ran`. */
  readonly where: readonly string[]
}

/** What a step asks with, as the content store keeps it. */
export interface KnownStep {
  readonly hash: string
  readonly step: { readonly prompt: string; readonly [part: string]: unknown }
}

/** Characters of a hash that are printed. */
const SHOWN = 12
/** Shortest beginning of a hash that is taken for it. */
const SHORTEST = 6

/** A hash as it is printed. */
export const short = (hash: string): string => hash.slice(0, SHOWN)

const ranVersions = async ({ journal }: Workspace): Promise<readonly { readonly id: string; readonly hash: string }[]> => {
  if (journal === undefined) return []
  const contents = await Promise.all((await journal.listContent(PROMPT_NAME_KIND)).map((hash) => journal.getContent(hash)))
  return contents.flatMap((content) => (content === undefined ? [] : [JSON.parse(content.text) as { readonly id: string; readonly hash: string }]))
}

const lockedVersions = ({ lock }: Workspace): readonly { readonly id: string; readonly hash: string; readonly where: string }[] =>
  Object.entries(lock.prompts).flatMap(([id, { active, rollout, versions }]) => [
    { id, hash: active, where: 'active' },
    ...(rollout?.variants ?? []).map(({ name, hash }) => ({ id, hash, where: `variant ${name}` })),
    ...Object.keys(versions).map((hash) => ({ id, hash, where: 'released' })),
  ])

/** Every known version: those in code, in the lock, and those that ran. */
export const knownVersions = async (workspace: Workspace): Promise<readonly KnownVersion[]> => {
  const all = [
    ...[...workspace.inCode.values()].map(({ prompt: { id, hash } }) => ({ id, hash, where: 'code' })),
    ...lockedVersions(workspace),
    ...(await ranVersions(workspace)).map(({ id, hash }) => ({ id, hash, where: 'ran' })),
  ]
  const byKey = Map.groupBy(all, ({ id, hash }) => `${id} ${hash}`)
  return [...byKey.values()].flatMap((same) => {
    const [first] = same
    return first === undefined ? [] : [{ id: first.id, hash: first.hash, where: [...new Set(same.map(({ where }) => where))] }]
  })
}

/** The template of a version. @throws FailureError `prompt_unusable` when nobody holds it. */
export const documentOf = async (workspace: Workspace, { id, hash }: { readonly id?: string; readonly hash: string }): Promise<PromptDocument> => {
  const inCode = [...workspace.inCode.values()].find(({ prompt }) => prompt.hash === hash)?.prompt.document
  const locked = Object.values(workspace.lock.prompts).find(({ versions }) => Object.hasOwn(versions, hash))?.versions[hash]
  const found = inCode ?? locked
  if (found !== undefined) return found
  const content = await workspace.journal?.getContent(hash)
  return content === undefined
    ? fail('prompt_unusable', `Version ${short(hash)}${id === undefined ? '' : ` of ${id}`} is held neither by the code, nor by the lock, nor by the journal.`)
    : (JSON.parse(content.text) as PromptDocument)
}

const isHash = (text: string): boolean => new RegExp(`^[0-9a-f]{${SHORTEST},64}$`).test(text)

const list = (versions: readonly KnownVersion[]): string => versions.map(({ id, hash, where }) => `${id}@${short(hash)} (${where.join(', ')})`).join('; ')

const pick = (found: readonly KnownVersion[], name: string, known: readonly KnownVersion[]): KnownVersion => {
  const hashes = new Set(found.map(({ hash }) => hash))
  const [first] = found
  if (first !== undefined && hashes.size === 1) return first
  if (first !== undefined) return fail('usage', `${name} could be ${list(found)}. Write more of the hash.`)
  return fail(
    'usage',
    `No version of a prompt is called ${JSON.stringify(name)}.${suggest(name, [...new Set(known.map(({ id }) => id))])} Name a prompt, a hash of at least ${SHORTEST} characters, or both as id@hash, id@code, id@active or id@variant.`,
  )
}

/**
 * The version that a person named: `id` (the active one, else the code's), a hash or its beginning, `id@hash`, `id@code`,
 * `id@active`, `id@variant`.
 * @throws FailureError `usage` for a name that means nothing or several versions.
 */
export const findVersion = async (workspace: Workspace, name: string): Promise<KnownVersion> => {
  const known = await knownVersions(workspace)
  const at = name.lastIndexOf('@')
  const [id, part] = at > 0 ? [name.slice(0, at), name.slice(at + 1)] : [name, undefined]
  const own = known.filter((version) => version.id === id)
  if (own.length === 0) return pick(isHash(name) ? known.filter(({ hash }) => hash.startsWith(name)) : [], name, known)
  const usual = lockedOf(workspace.lock, id) === undefined ? 'code' : 'active'
  const wanted = part ?? usual
  const labelled = own.filter(({ where }) => where.includes(wanted) || where.includes(`variant ${wanted}`))
  return pick(labelled.length > 0 ? labelled : own.filter(({ hash }) => isHash(wanted) && hash.startsWith(wanted)), name, known)
}

/** The steps that asked with a version. */
export const stepsWith = async ({ journal }: Workspace, hash: string): Promise<readonly KnownStep[]> => {
  if (journal === undefined) return []
  const steps = await Promise.all((await journal.listContent(STEP_KIND)).map(async (key) => ({ hash: key, content: await journal.getContent(key) })))
  return steps.flatMap(({ hash: key, content }) => {
    const step = content === undefined ? undefined : (JSON.parse(content.text) as KnownStep['step'])
    return step?.prompt === hash ? [{ hash: key, step }] : []
  })
}

/** The step with this hash, or undefined when there is none. @throws FailureError `usage` when several begin like it. */
export const findStep = async ({ journal }: Workspace, hash: string): Promise<KnownStep | undefined> => {
  if (journal === undefined || !isHash(hash)) return undefined
  const found = (await journal.listContent(STEP_KIND)).filter((one) => one.startsWith(hash))
  if (found.length > 1) fail('usage', `${hash} could be the steps ${found.map(short).join(', ')}. Write more of the hash.`)
  const content = found[0] === undefined ? undefined : await journal.getContent(found[0])
  return content === undefined || found[0] === undefined ? undefined : { hash: found[0], step: JSON.parse(content.text) as KnownStep['step'] }
}
