// `stateloop new`: writes a project, or the files that a project needs. Invariant: a file that is there is never written
// over unasked.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fail } from '../../failure/index.ts'
import { defined } from '../../schema/index.ts'
import { JSON_OPTION, type CommandDefinition } from '../command.ts'
import { CI_WORKFLOW, WORKFLOW_PATH } from '../eval/ci-workflow.ts'
import { EXIT } from '../exit-code.ts'
import type { Io } from '../io.ts'
import { askForProject, DEFAULT_ANSWERS, type Answers } from '../new/ask.ts'
import { createProject, folderProblem } from '../new/create-project.ts'
import { TEMPLATES } from '../new/project-files.ts'
import { openProject } from '../project.ts'

interface NewOptions {
  readonly json?: boolean
  readonly ci?: boolean
  readonly force?: boolean
  readonly yes?: boolean
  readonly template?: string
  readonly stateloop?: string
}

const writeWorkflow = async (io: Io, { force, json }: NewOptions): Promise<number> => {
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

/** What to write, asked for where it was left out; undefined when the user left. */
const choose = (io: Io, name: string | undefined, { template, json, yes }: NewOptions): Promise<Answers | undefined> => {
  const given: Partial<Answers> = defined({ name, template })
  const problemOf = (named: string): string | undefined => folderProblem(resolve(io.cwd, named))
  const known = yes === true || (name !== undefined && template !== undefined)
  if (!known && io.keyboard !== undefined && json !== true) {
    const problem = name === undefined ? undefined : problemOf(name)
    return problem === undefined ? askForProject(given, io.keyboard, problemOf) : fail('usage', problem)
  }
  if (name === undefined && yes !== true)
    return fail('usage', 'Name the folder of the project: stateloop new my-agent --template assistant. In a project, stateloop new --ci writes a workflow that runs evaluations on every change.')
  return Promise.resolve({ ...DEFAULT_ANSWERS, ...given })
}

const create = async (io: Io, named: string | undefined, options: NewOptions): Promise<number> => {
  if (options.ci === true) return named === undefined ? writeWorkflow(io, options) : fail('usage', 'A new project has the workflow already: leave out --ci, or the name.')
  const answers = await choose(io, named, options)
  if (answers === undefined) return EXIT.cancelled
  const { name, template } = answers
  const written = await createProject({ folder: resolve(io.cwd, name), template, ...defined({ stateloop: options.stateloop }) })
  if (options.json === true) io.out(`${JSON.stringify(written, null, 2)}\n`)
  else io.out(`${written.files.map((file) => `  ${file}\n`).join('')}\nwrote ${written.files.length} files to ${written.folder}\n\n  cd ${name}\n  npm install\n  npm test\n  npm start\n`)
  return EXIT.done
}

/** `stateloop new`. */
export const newCommand: CommandDefinition<NewOptions> = {
  name: 'new',
  about: 'write a new project with an agent, its tests, a recording and an evaluation; with --ci a workflow into this project',
  args: [{ name: 'name', about: 'the folder to make', optional: true }],
  options: [
    JSON_OPTION,
    {
      flags: '--template <name>',
      about: Object.entries(TEMPLATES)
        .map(([name, about]) => `${name}: ${about}`)
        .join('; '),
    },
    { flags: '--stateloop <version>', about: 'what to install as stateloop: a version, or a path; default this version' },
    { flags: '--yes', about: 'ask nothing: my-agent and assistant where name and template are left out' },
    { flags: '--ci', about: 'a GitHub Actions workflow that runs evaluations on every change, .github/workflows/evals.yml' },
    { flags: '--force', about: 'with --ci: write over a file that is there' },
  ],
  run: (io, [name], options) => create(io, name, options),
}
