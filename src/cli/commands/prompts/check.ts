// `stateloop prompts check`: for continuous integration. Invariant: it ends with 0 only when every template in code is a
// version in the lock and everything the lock may give fits the code.
import { failureOf } from '../../../failure/index.ts'
import { checkLock, diffPrompts, formatPromptDiff, lockedOf, type PromptDiff } from '../../../prompt/index.ts'
import type { CommandDefinition } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { plain, type Io } from '../../io.ts'
import { short } from '../../prompts/known.ts'
import { PROMPT_OPTIONS } from '../../prompts/options.ts'
import { withWorkspace, type PromptInCode, type PromptOptions, type Workspace } from '../../prompts/workspace.ts'

/** One thing that keeps the lock from being right. */
interface Finding {
  readonly kind: 'changed' | 'not_locked' | 'unfit' | 'unreadable'
  readonly id?: string
  readonly message: string
  readonly diff?: PromptDiff
}

const ship = (id: string): string => `Ship it with \`stateloop prompts release ${id}\`, or to some with \`stateloop prompts rollout ${id} --percent 10\`.`

const findingOf = ({ lock }: Workspace, { prompt }: PromptInCode): Finding | undefined => {
  const { id, hash, document } = prompt
  const locked = lockedOf(lock, id)
  if (locked === undefined) return { kind: 'not_locked', id, message: `${id} is not in the lock. Add it with \`stateloop prompts release ${id}\`.` }
  const active = locked.versions[locked.active]
  if (Object.hasOwn(locked.versions, hash) || active === undefined) return undefined
  return { kind: 'changed', id, message: `${id} changed from ${short(locked.active)} to ${short(hash)}, but the lock did not. ${ship(id)}`, diff: diffPrompts(active, document) }
}

const unfit = ({ lock, inCode }: Workspace): readonly Finding[] => {
  try {
    checkLock(
      lock,
      [...inCode.values()].map(({ prompt }) => prompt),
    )
    return []
  } catch (error) {
    const found = failureOf(error)
    if (found === undefined) throw error
    return [{ kind: 'unfit', message: found.message }]
  }
}

const check = (io: Io, options: PromptOptions): Promise<number> =>
  withWorkspace(io, options, (workspace) => {
    const prompts = [...workspace.inCode.values()]
    const findings: readonly Finding[] = [...workspace.problems.map((message): Finding => ({ kind: 'unreadable', message })), ...prompts.flatMap((prompt) => findingOf(workspace, prompt) ?? []), ...unfit(workspace)]
    const behind = prompts.filter(({ prompt: { id, hash } }) => (lockedOf(workspace.lock, id)?.active ?? hash) !== hash).map(({ prompt }) => prompt.id)
    if (options.json === true) io.out(`${JSON.stringify({ ok: findings.length === 0, prompts: prompts.length, findings }, null, 2)}\n`)
    else {
      for (const { message, diff } of findings) io.out(`${io.style('red', '✗')} ${plain(message)}\n${diff === undefined ? '' : `${plain(formatPromptDiff(diff)).replaceAll(/^/gm, '    ')}\n`}`)
      if (findings.length === 0) io.out(`${io.style('green', '✓')} the lock knows all ${prompts.length} prompts${behind.length === 0 ? '' : `; another version than the code's is active of ${behind.join(', ')}`}\n`)
    }
    return Promise.resolve(findings.length === 0 ? EXIT.done : EXIT.failed)
  })

/** `stateloop prompts check`. */
export const checkPromptsCommand: CommandDefinition<PromptOptions> = {
  name: 'prompts check',
  about: 'fail when a template changed and the lock did not, or when the lock does not fit the code',
  args: [],
  options: PROMPT_OPTIONS,
  run: (io, _args, options) => check(io, options),
}
