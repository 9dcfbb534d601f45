// `stateloop prompts rollback`: everybody has an earlier version again, with the next run and without a deploy.
import { fail } from '../../../failure/index.ts'
import { lockedOf, release, rollBack } from '../../../prompt/index.ts'
import type { CommandDefinition } from '../../command.ts'
import type { Io } from '../../io.ts'
import { changeLock, type Change } from '../../prompts/change.ts'
import { documentOf, findVersion, short } from '../../prompts/known.ts'
import { PROMPT_ARGUMENT, PROMPT_OPTIONS } from '../../prompts/options.ts'
import { withWorkspace, type PromptOptions, type Workspace } from '../../prompts/workspace.ts'

const planOf = async (workspace: Workspace, id: string, hash: string | undefined): Promise<Change> => {
  const { lock } = workspace
  const before = lockedOf(lock, id)
  const next = hash === undefined || before === undefined ? rollBack(lock, id) : release(lock, id, await documentOf(workspace, await findVersion(workspace, `${id}@${hash}`)))
  const ended = before?.rollout === undefined ? '' : '; its rollout ended'
  return { next, ids: [id], said: [`${id}: everybody has ${short(lockedOf(next, id)?.active ?? '')} instead of ${short(before?.active ?? '')}${ended}`] }
}

const rollback = (io: Io, id: string, hash: string | undefined, options: PromptOptions): Promise<number> =>
  withWorkspace(io, options, (workspace) =>
    changeLock(
      io,
      workspace,
      (current) => {
        const [seen, active] = [lockedOf(workspace.lock, id)?.active, lockedOf(current.lock, id)?.active]
        // To go back from a version that nobody here has seen would be another change than the one that was asked for.
        if (active !== seen)
          fail('prompt_unusable', `Another process changed ${id} at the same time: its active version is ${short(active ?? '')} by now. Nothing was rolled back; look at it and say again what you want.`)
        return planOf(current, id, hash)
      },
      options,
    ),
  )

/** `stateloop prompts rollback <id> [hash]`. */
export const rollbackPromptCommand: CommandDefinition<PromptOptions> = {
  name: 'prompts rollback',
  about: 'give everybody the version that was active before, or any that was kept',
  args: [PROMPT_ARGUMENT, { name: 'hash', about: 'a version; default: the one that was active before', optional: true }],
  options: PROMPT_OPTIONS,
  run: (io, [id = '', hash], options) => rollback(io, id, hash, options),
}
