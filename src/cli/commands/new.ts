// `stateloop new`: writes files that a project needs. Invariant: a file that is there is never written over unasked.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fail } from '../../failure/index.ts'
import { JSON_OPTION, type CommandDefinition } from '../command.ts'
import { CI_WORKFLOW, WORKFLOW_PATH } from '../eval/ci-workflow.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { openProject } from '../project.ts'

interface NewOptions {
  readonly json?: boolean
  readonly ci?: boolean
  readonly force?: boolean
}

const create = async (io: Io, { ci, force, json }: NewOptions): Promise<number> => {
  if (ci !== true) fail('usage', 'Say what to write: stateloop new --ci writes a workflow that runs evaluations on every change.')
  const { root } = await openProject(io)
  const path = join(root, WORKFLOW_PATH)
  if (existsSync(path) && force !== true) fail('usage', `${path} is there already. Write over it with --force.`)
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, CI_WORKFLOW)
  io.out(
    json === true
      ? `${JSON.stringify({ wrote: [WORKFLOW_PATH] }, null, 2)}\n`
      : `wrote ${WORKFLOW_PATH}\nAdd the secret OPENAI_API_KEY to the repository, and merge it: the first push to main stores what later changes are compared with.\n`,
  )
  return EXIT.done
}

/** `stateloop new --ci`. */
export const newCommand: CommandDefinition<NewOptions> = {
  name: 'new',
  about: 'write files that a project needs: with --ci a workflow that runs evaluations on every change',
  args: [],
  options: [JSON_OPTION, { flags: '--ci', about: 'a GitHub Actions workflow, .github/workflows/evals.yml' }, { flags: '--force', about: 'write over a file that is there' }],
  run: (io, _args, options) => create(io, options),
}
