// Finds evaluations: the files that were named, or every `*.eval.ts` of the project. Invariant: a file that exports no
// evaluation is an error, because a suite that silently runs nothing protects nothing.
import { readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { isEvaluation, type Evaluation } from '../../eval/index.ts'
import { fail } from '../../failure/index.ts'
import { importModule, type Exports } from '../import-module.ts'
import type { Project } from '../project.ts'

/** An evaluation with the module it came from. */
export interface FoundEvaluation {
  readonly evaluation: Evaluation
  readonly file: string
  readonly exports: Exports
}

const EVAL_FILE = /\.eval\.(ts|mts|js|mjs)$/
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'dist', 'coverage'])

/** Evaluation files below a folder, in order of their paths. */
const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.isDirectory()) return SKIPPED.has(entry.name) || entry.name.startsWith('.') ? [] : filesBelow(join(folder, entry.name))
      return EVAL_FILE.test(entry.name) ? [join(folder, entry.name)] : []
    })

const filesOf = ({ root, cwd }: Project, names: readonly string[]): readonly string[] => {
  if (names.length === 0) return filesBelow(root)
  return names.flatMap((name) => {
    const path = resolve(cwd, name)
    const found = statSync(path, { throwIfNoEntry: false })
    if (found?.isDirectory() === true) return filesBelow(path)
    return found === undefined ? fail('usage', `There is no file or folder ${path}. Name a *.eval.ts file, or none to run all of the project.`) : [path]
  })
}

const inFile = async (file: string): Promise<readonly FoundEvaluation[]> => {
  const exports = await importModule(file, 'usage')
  const found = [...new Set(Object.values(exports).flat())].filter(isEvaluation)
  if (found.length === 0) fail('usage', `${file} exports no evaluation. Write: export default evaluation({ name, agent, cases, scorers }).`)
  return found.map((evaluation) => ({ evaluation, file, exports }))
}

/** Loads evaluations. @throws FailureError `usage` when there are none, or two of a name. */
export const findEvaluations = async (project: Project, names: readonly string[]): Promise<readonly FoundEvaluation[]> => {
  const files = filesOf(project, names)
  if (files.length === 0) fail('usage', `There are no *.eval.ts files below ${project.root}. Write one: export default evaluation({ … }).`)
  const found = (await Promise.all(files.map(inFile))).flat()
  const twice = found.find(({ evaluation }, at) => found.findIndex((other) => other.evaluation.name === evaluation.name) !== at)
  if (twice !== undefined) fail('usage', `Two evaluations are named ${JSON.stringify(twice.evaluation.name)}, one of them in ${twice.file}. Results are stored under the name, so each needs its own.`)
  return found
}
