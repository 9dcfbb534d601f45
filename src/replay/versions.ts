// Which version of each prompt a replay renders: the one that would be used today, so that a changed prompt is seen, but
// for experiments, whose variant stays the one that the run drew.
import { promptsOf, type Agent } from '../agent/index.ts'
import type { StartCause } from '../journal/index.ts'
import { misfitsOf, promptVersion, type Prompt, type PromptChooser, type PromptDocument } from '../prompt/index.ts'
import { versionKey } from '../run/index.ts'
import type { Recording } from './recording.ts'
import { defined } from '../schema/index.ts'

/** What the run recorded last: at its start, or at its last migration. */
const recordedFor = ({ entries }: Recording): StartCause['prompts'] => {
  const causes = entries.flatMap(({ body: { cause } }) => (cause.type === 'start' || cause.type === 'migrated' ? [cause.prompts] : []))
  return causes.at(-1)
}

/** The variant of an experiment that the run drew; undefined when there was none, or it no longer fits the code. */
const variantOf = ({ contents }: Recording, prompt: Prompt, drawn: NonNullable<StartCause['prompts']>[string] | undefined): Prompt | undefined => {
  const kept = drawn?.experiment === undefined ? undefined : contents.get(drawn.hash)
  const document = kept === undefined ? undefined : (JSON.parse(kept.text) as PromptDocument)
  return document === undefined || misfitsOf(document, prompt).length > 0 ? undefined : promptVersion(prompt, document)
}

/** Versions that are not the code's, as a fold looks them up. */
export const versionsFor = (agent: Agent, recording: Recording, chooser: PromptChooser | undefined): ReadonlyMap<string, Prompt> => {
  const { id, user, tenant, route, session } = recording.row
  const units = { run: id, ...defined({ user, tenant, route, session }) }
  const recorded = recordedFor(recording)
  const prompts = promptsOf(agent)
  const today = chooser?.choose(prompts, units).map(({ prompt }) => prompt) ?? prompts
  const chosen = prompts.map((prompt, index) => [prompt, variantOf(recording, prompt, recorded?.[prompt.id]) ?? today[index] ?? prompt] as const)
  return new Map(chosen.flatMap(([prompt, version]) => (version.hash === prompt.hash ? [] : [[versionKey(prompt), version] as const])))
}
