// `stateloop prompts rollout`: gives a version to a share of the users, ramps it, and turns its kill switch.
import { fail } from '../../../failure/index.ts'
import { kill, lockedOf, percentOf, rollOut, UNITS, type Lock, type Unit } from '../../../prompt/index.ts'
import type { CommandDefinition } from '../../command.ts'
import type { Io } from '../../io.ts'
import { changeLock } from '../../prompts/change.ts'
import { documentOf, findVersion } from '../../prompts/known.ts'
import { PROMPT_ARGUMENT, PROMPT_OPTIONS } from '../../prompts/options.ts'
import { withWorkspace, type PromptOptions, type Workspace } from '../../prompts/workspace.ts'

interface RolloutOptions extends PromptOptions {
  readonly percent?: string
  readonly variant?: string
  readonly by?: string
  readonly experiment?: string
  readonly kill?: boolean
  readonly revive?: boolean
}

const unitOf = (by: string | undefined): Unit | undefined => {
  const unit = UNITS.find((one) => one === by)
  return unit === undefined && by !== undefined ? fail('usage', `--by takes ${UNITS.join(', ')}, not ${JSON.stringify(by)}.`) : unit
}

const nextLock = async (workspace: Workspace, id: string, hash: string | undefined, options: RolloutOptions): Promise<Lock> => {
  const { percent, variant, by, experiment } = options
  const given = [percent, options.kill, options.revive].filter((option) => option !== undefined)
  if (given.length !== 1) fail('usage', 'Say one of --percent, --kill and --revive.')
  if (percent === undefined) return kill(workspace.lock, id, options.kill === true)
  const share = /^\d+(?:\.\d+)?$/.test(percent) ? Number(percent) : fail('usage', `--percent takes a number, not ${JSON.stringify(percent)}.`)
  const named = hash ?? (variant !== undefined && lockedOf(workspace.lock, id)?.rollout?.variants.some(({ name }) => name === variant) === true ? variant : 'code')
  return rollOut(workspace.lock, id, await documentOf(workspace, await findVersion(workspace, `${id}@${named}`)), { percent: share, variant, unit: unitOf(by), experiment })
}

const say = (lock: Lock, id: string): readonly string[] => {
  const on = lockedOf(lock, id)?.rollout
  if (on === undefined) return []
  const shares = on.variants.map((one) => `${one.name} has ${percentOf(one)} %`)
  return [
    on.killed === true
      ? `${id}: killed, everybody has the active version (${shares.join(', ')} when it is revived)`
      : `${id}: ${shares.join(', ')}, by ${on.unit} in experiment ${on.experiment}; all others have the active version`,
  ]
}

const rollout = (io: Io, id: string, hash: string | undefined, options: RolloutOptions): Promise<number> =>
  withWorkspace(io, options, (workspace) =>
    changeLock(
      io,
      workspace,
      async (current) => {
        const next = await nextLock(current, id, hash, options)
        return { next, ids: [id], said: say(next, id) }
      },
      options,
    ),
  )

/** `stateloop prompts rollout <id> [hash]`. */
export const rolloutPromptCommand: CommandDefinition<RolloutOptions> = {
  name: 'prompts rollout',
  about: 'give a version to a share of the users, ramp it up or down, or stop it at once',
  args: [PROMPT_ARGUMENT, { name: 'hash', about: 'a version; default: that of --variant when it is under way, else the one in code', optional: true }],
  options: [
    ...PROMPT_OPTIONS,
    { flags: '--percent <share>', about: 'share of the users, from 0 to 100' },
    { flags: '--variant <name>', about: 'what the version is called in reports; default: the beginning of its hash' },
    { flags: '--by <unit>', about: `what an assignment sticks to: ${UNITS.join(', ')}; default user` },
    { flags: '--experiment <name>', about: 'name of a new experiment; another name sorts the users anew; default: the id of the prompt' },
    { flags: '--kill', about: 'the kill switch: everybody has the active version at once' },
    { flags: '--revive', about: 'turns the kill switch off' },
  ],
  run: (io, [id = '', hash], options) => rollout(io, id, hash, options),
}
