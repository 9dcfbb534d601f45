// `stateloop prompts release`: makes a version the active one for everybody; without a name, every template in code that
// the lock does not know.
import { fail } from '../../../failure/index.ts'
import { lockedOf, release, type Lock, type PromptDocument } from '../../../prompt/index.ts'
import type { CommandDefinition } from '../../command.ts'
import type { Io } from '../../io.ts'
import { changeLock, type Change } from '../../prompts/change.ts'
import { documentOf, findVersion, short } from '../../prompts/known.ts'
import { PROMPT_OPTIONS } from '../../prompts/options.ts'
import { withWorkspace, type PromptOptions, type Workspace } from '../../prompts/workspace.ts'

/** A version to release. */
interface Chosen {
  readonly id: string
  readonly hash: string
  readonly document: PromptDocument
}

/** Templates in code that the lock does not hold. */
const unknownTo = (lock: Lock, { inCode }: Workspace): readonly Chosen[] => [...inCode.values()].map(({ prompt }) => prompt).filter(({ id, hash }) => !Object.hasOwn(lockedOf(lock, id)?.versions ?? {}, hash))

const chosen = async (workspace: Workspace, id: string | undefined, hash: string | undefined): Promise<readonly Chosen[]> => {
  if (id === undefined) return unknownTo(workspace.lock, workspace)
  const version = await findVersion(workspace, `${id}@${hash ?? 'code'}`)
  return [{ id, hash: version.hash, document: await documentOf(workspace, version) }]
}

const planOf = async (workspace: Workspace, id: string | undefined, hash: string | undefined): Promise<Change> => {
  const { lock } = workspace
  const versions = await chosen(workspace, id, hash)
  const said = versions.map((one) => {
    const before = lockedOf(lock, one.id)
    const ended = before?.rollout === undefined ? '' : '; its rollout ended'
    return `${one.id}: everybody has ${short(one.hash)}${before === undefined || before.active === one.hash ? '' : ` instead of ${short(before.active)}`}${ended}`
  })
  return { next: versions.reduce((sum, one) => release(sum, one.id, one.document), lock), ids: versions.map((one) => one.id), said }
}

const releasePrompts = (io: Io, id: string | undefined, hash: string | undefined, options: PromptOptions): Promise<number> =>
  withWorkspace(io, options, async (workspace) => {
    if (id === undefined && workspace.problems.length > 0) return fail('agent_invalid', workspace.problems.join('\n'))
    return changeLock(io, workspace, (current) => planOf(current, id, hash), options)
  })

/** `stateloop prompts release [id] [hash]`. */
export const releasePromptsCommand: CommandDefinition<PromptOptions> = {
  name: 'prompts release',
  about: 'give everybody a version; without a name every template in code that is new or changed',
  args: [
    { name: 'id', about: 'id of a prompt', optional: true },
    { name: 'hash', about: 'a version; default: the one in code', optional: true },
  ],
  options: PROMPT_OPTIONS,
  run: (io, [id, hash], options) => releasePrompts(io, id, hash, options),
}
