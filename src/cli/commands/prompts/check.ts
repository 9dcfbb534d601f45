// `stateloop prompts check`: for continuous integration. Invariant: it ends with 0 only when every template in code is a
// version in the lock and everything the lock may give fits the code.
import { formatPromptDiff, lockedOf } from '../../../prompt/index.ts'
import { count } from '../../amounts.ts'
import type { CommandDefinition } from '../../command.ts'
import { EXIT } from '../../exit-code.ts'
import { plain, type Io } from '../../io.ts'
import { findingsOf } from '../../prompts/findings.ts'
import { PROMPT_OPTIONS } from '../../prompts/options.ts'
import { withWorkspace, type PromptOptions } from '../../prompts/workspace.ts'

const check = (io: Io, options: PromptOptions): Promise<number> =>
  withWorkspace(io, options, (workspace) => {
    const prompts = [...workspace.inCode.values()]
    const findings = findingsOf(workspace)
    const behind = prompts.filter(({ prompt: { id, hash } }) => (lockedOf(workspace.lock, id)?.active ?? hash) !== hash).map(({ prompt }) => prompt.id)
    if (options.json === true) io.out(`${JSON.stringify({ ok: findings.length === 0, prompts: prompts.length, findings }, null, 2)}\n`)
    else {
      for (const { message, diff } of findings) io.out(`${io.style('red', '✗')} ${plain(message)}\n${diff === undefined ? '' : `${plain(formatPromptDiff(diff)).replaceAll(/^/gm, '    ')}\n`}`)
      if (findings.length === 0)
        io.out(`${io.style('green', '✓')} ${count(prompts.length, 'prompt')} in the code, known to the lock${behind.length === 0 ? '' : `; another version than the code's is active of ${behind.join(', ')}`}\n`)
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
