// `stateloop prompts list`: the prompts of all agents, with the version in code, the active one and the rollout.
import { lockedOf, percentOf, type LockedPrompt } from '../../../prompt/index.ts'
import type { CommandDefinition } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { oneLine, type Io } from '../../io.ts'
import { short } from '../../prompts/known.ts'
import { PROMPT_OPTIONS } from '../../prompts/options.ts'
import { withWorkspace, type PromptOptions, type Workspace } from '../../prompts/workspace.ts'
import { table } from '../../table.ts'

const rolloutOf = ({ rollout }: LockedPrompt): string => {
  if (rollout === undefined) return ''
  const shares = rollout.variants.map((variant) => `${variant.name} ${percentOf(variant)} %`).join(', ')
  return `${shares} by ${rollout.unit}${rollout.killed === true ? ' (killed)' : ''}`
}

const rowOf = ({ inCode, lock }: Workspace, id: string): readonly string[] => {
  const code = inCode.get(id)
  const locked = lockedOf(lock, id)
  const state =
    code === undefined ? 'not in code' : locked === undefined ? 'not locked' : !Object.hasOwn(locked.versions, code.prompt.hash) ? 'changed' : locked.active === code.prompt.hash ? 'active' : 'another version is active'
  return [oneLine(id), code === undefined ? '' : short(code.prompt.hash), locked === undefined ? '' : short(locked.active), state, locked === undefined ? '' : rolloutOf(locked), (code?.agents ?? []).join(', ')]
}

const publicPrompt = ({ inCode, lock }: Workspace, id: string): object => {
  const { versions, ...locked } = lockedOf(lock, id) ?? { versions: {} }
  return { id, code: inCode.get(id)?.prompt.hash, agents: inCode.get(id)?.agents ?? [], ...locked, versions: Object.keys(versions) }
}

const list = (io: Io, options: PromptOptions): Promise<number> =>
  withWorkspace(io, options, (workspace) => {
    const ids = [...new Set([...workspace.inCode.keys(), ...Object.keys(workspace.lock.prompts)])].toSorted()
    for (const problem of workspace.problems) io.err(`${problem}\n`)
    if (options.json === true) io.out(`${JSON.stringify({ prompts: ids.map((id) => publicPrompt(workspace, id)), problems: workspace.problems }, null, 2)}\n`)
    else if (ids.length === 0) io.out('no prompts\n')
    else io.out(`${table([['prompt', 'code', 'active', 'state', 'rollout', 'agents'], ...ids.map((id) => rowOf(workspace, id))])}\n`)
    return Promise.resolve(EXIT.done)
  })

/** `stateloop prompts list`. */
export const listPromptsCommand: CommandDefinition<PromptOptions> = {
  name: 'prompts list',
  about: 'list the prompts of all agents with their versions',
  args: [],
  options: PROMPT_OPTIONS,
  run: (io, _args, options) => list(io, options),
}
