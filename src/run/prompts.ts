// The versions of prompts that a run uses: chosen when it begins, recorded in its first entry, and loaded from there ever
// after. Invariant: a version is in the journal's content store before the first entry that names it.
import { promptsOf, type Agent } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import type { Journal, StartCause } from '../journal/index.ts'
import { promptText, promptVersion, type Prompt, type PromptChooser, type PromptDocument, type UnitsOf } from '../prompt/index.ts'
import { canonical } from '../schema/index.ts'
import type { Acting } from './effect.ts'

/** Recorded versions by prompt id. */
type Recorded = NonNullable<StartCause['prompts']>

/** Versions as the fold looks them up. */
export interface RunPrompts {
  readonly recorded: StartCause['prompts']
  /** Those that are not the code's, by `versionKey`. */
  readonly versions: ReadonlyMap<string, Prompt>
}

/** What a prompt in code is looked up by. */
export const versionKey = ({ id, hash }: Pick<Prompt, 'id' | 'hash'>): string => `${id} ${hash}`

/** Content kind of documents of prompts, under their `promptHash`. */
const PROMPT_KIND = 'prompt'
/** Content kind of names: which prompt a hash was a version of, `{ "hash": …, "id": … }`. */
export const PROMPT_NAME_KIND = 'prompt-name'

/** Content kind of steps, under their `stepHash`. */
export const STEP_KIND = 'step'

const kept = new WeakMap<Journal, Set<string>>()

/** Keeps versions with their names. Each is written once per process. */
export const keepPrompts = async (journal: Journal, prompts: readonly Pick<Prompt, 'id' | 'hash' | 'document'>[]): Promise<void> => {
  const known = kept.get(journal) ?? new Set<string>()
  kept.set(journal, known)
  for (const prompt of prompts) {
    const key = versionKey(prompt)
    if (known.has(key)) continue
    const { id, hash, document } = prompt
    await Promise.all([journal.putContent(PROMPT_KIND, promptText(document)), journal.putContent(PROMPT_NAME_KIND, canonical({ id, hash }))])
    known.add(key)
  }
}

/** Keeps content of calls under way. What could not be written is tried again with the next call that has it. */
export const keeper = (journal: Pick<Journal, 'putContent'>): Acting['keep'] => {
  const known = new Set<string>()
  return (kind, hash, text) => {
    if (known.has(hash)) return
    known.add(hash)
    journal.putContent(kind, text()).catch(() => known.delete(hash))
  }
}

/** Chooses a version of every prompt of an agent and keeps them. @throws FailureError `prompt_unusable`, `journal_unavailable`. */
export const choosePrompts = async (journal: Journal, agent: Agent, chooser: PromptChooser | undefined, units: UnitsOf): Promise<RunPrompts> => {
  const recorded: { [id: string]: Recorded[string] } = {}
  const versions = new Map<string, Prompt>()
  const prompts = promptsOf(agent)
  const chosen = chooser?.choose(prompts, units) ?? prompts.map((prompt) => ({ assignment: { hash: prompt.hash }, prompt }))
  for (const [index, { assignment, prompt }] of chosen.entries()) {
    const inCode = prompts[index] ?? prompt
    recorded[prompt.id] = assignment
    if (inCode.hash !== prompt.hash) versions.set(versionKey(inCode), prompt)
  }
  await keepPrompts(
    journal,
    chosen.map(({ prompt }) => prompt),
  )
  return { recorded: chosen.length === 0 ? undefined : recorded, versions }
}

/**
 * Loads recorded versions. A prompt that is not recorded has the code's.
 * @throws FailureError `prompt_unusable` when a version is not in the journal or does not fit the code.
 */
export const loadPrompts = async (journal: Pick<Journal, 'getContent'>, agent: Agent, recorded: StartCause['prompts']): Promise<ReadonlyMap<string, Prompt>> => {
  const versions = new Map<string, Prompt>()
  for (const prompt of promptsOf(agent)) {
    const hash = recorded?.[prompt.id]?.hash
    if (hash === undefined || hash === prompt.hash) continue
    const found = await journal.getContent(hash)
    if (found === undefined) return fail('prompt_unusable', `The run uses version ${hash.slice(0, 12)} of prompt "${prompt.id}", which the journal does not hold. Restore its content, or go on with the code that has it.`)
    versions.set(versionKey(prompt), promptVersion(prompt, JSON.parse(found.text) as PromptDocument))
  }
  return versions
}
