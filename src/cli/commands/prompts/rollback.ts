// `stateloop prompts rollback`: everybody has an earlier version again, with the next run and without a deploy.
import { lockedOf, release, rollBack } from '../../../prompt/index.ts'
import type { CommandDefinition } from '../../command.ts'
import type { Io } from '../../io.ts'
import { changeLock } from '../../prompts/change.ts'
import { documentOf, findVersion, short } from '../../prompts/known.ts'
import { PROMPT_ARGUMENT, PROMPT_OPTIONS } from '../../prompts/options.ts'
import { withWorkspace, type PromptOptions } from '../../prompts/workspace.ts'

const rollback = (io: Io, id: string, hash: string | undefined, options: PromptOptions): Promise<number> =>
  withWorkspace(io, options, async (workspace) => {
    const before = lockedOf(workspace.lock, id)
    const next = hash === undefined || before === undefined ? rollBack(workspace.lock, id) : release(workspace.lock, id, await documentOf(workspace, await findVersion(workspace, `${id}@${hash}`)))
    const ended = before?.rollout === undefined ? '' : '; its rollout ended'
    return changeLock(io, workspace, next, [id], [`${id}: everybody has ${short(lockedOf(next, id)?.active ?? '')} instead of ${short(before?.active ?? '')}${ended}`], options)
  })

/** `stateloop prompts rollback <id> [hash]`. */
export const rollbackPromptCommand: CommandDefinition<PromptOptions> = {
  name: 'prompts rollback',
  about: 'give everybody the version that was active before, or any that was kept',
  args: [PROMPT_ARGUMENT, { name: 'hash', about: 'a version; default: the one that was active before', optional: true }],
  options: PROMPT_OPTIONS,
  run: (io, [id = '', hash], options) => rollback(io, id, hash, options),
}
