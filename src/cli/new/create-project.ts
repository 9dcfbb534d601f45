// Writes a new project: an agent from a template, and what a project needs around it. Invariant: nothing that is there is
// written over, and either the whole project is written or none of it.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { suggest } from '../../agent/index.ts'
import { fail } from '../../failure/index.ts'
import { ownFolder, ownManifest } from '../own-package.ts'
import { projectFiles, TEMPLATES, type Template, type Versions } from './project-files.ts'

/** What is to be written. */
export interface NewProject {
  /** The folder; its name becomes the package's. */
  readonly folder: string
  readonly template: string
  /** What to install as `stateloop`. Default: this version. */
  readonly stateloop?: string
}

/** What was written. */
export interface WrittenProject {
  readonly folder: string
  readonly template: Template
  /** Paths from the folder, sorted. */
  readonly files: readonly string[]
}

const versionsOf = (stateloop: string | undefined): Versions => {
  const { version, dependencies, devDependencies } = ownManifest()
  const of = (name: string): string => devDependencies[name] ?? dependencies[name] ?? 'latest'
  return { stateloop: stateloop ?? `^${version}`, zod: of('zod'), typescript: of('typescript'), node: of('@types/node') }
}

const isTemplate = (name: string): name is Template => Object.hasOwn(TEMPLATES, name)

/** Why a folder cannot become a project; undefined when it can. */
export const folderProblem = (folder: string): string | undefined => {
  const name = basename(folder)
  if (!/^[a-z0-9][a-z0-9._-]{0,200}$/.test(name)) return `${JSON.stringify(name)} cannot be the name of a package. Use small letters, digits, '-', '_' and '.', and begin with a letter or a digit.`
  if (!existsSync(folder)) return undefined
  if (!statSync(folder).isDirectory()) return `${folder} is a file, so nothing was written. Name a new folder.`
  const there = readdirSync(folder).filter((entry) => entry !== '.git')
  return there.length === 0 ? undefined : `${folder} is not empty (it holds ${there.slice(0, 3).join(', ')}${there.length > 3 ? ' …' : ''}), so nothing was written. Name a new folder.`
}

/** @throws FailureError `usage` for a name, a template or a folder that cannot be used. */
export const createProject = async ({ folder: given, template, stateloop }: NewProject): Promise<WrittenProject> => {
  const folder = resolve(given)
  const problem = folderProblem(folder)
  if (problem !== undefined) return fail('usage', problem)
  if (!isTemplate(template)) return fail('usage', `There is no template '${template}'.${suggest(template, Object.keys(TEMPLATES))} There are: ${Object.keys(TEMPLATES).join(', ')}.`)
  const draft = `${folder}.new`
  await rm(draft, { recursive: true, force: true })
  try {
    await cp(join(ownFolder(), 'templates', template), join(draft, 'agents', template), { recursive: true })
    for (const [path, text] of Object.entries(projectFiles(basename(folder), template, versionsOf(stateloop)))) {
      await mkdir(dirname(join(draft, path)), { recursive: true })
      await writeFile(join(draft, path), text)
    }
    await mkdir(folder, { recursive: true })
    for (const entry of await readdir(draft)) await rename(join(draft, entry), join(folder, entry))
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  const written = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = written.filter((entry) => entry.isFile() && !entry.parentPath.includes('.git/')).map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
  return { folder, template, files: files.sort() }
}
