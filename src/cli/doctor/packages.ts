// Looks at the versions of packages: this one, the project's own copy of it, and those that its parts need. Invariant: a
// package that is not installed is no fault; whoever uses its part is told then.
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ownManifest, type OwnManifest } from '../own-package.ts'
import type { Project } from '../project.ts'
import { broken, ok, warning, type Check } from './check.ts'

const numbersOf = (version: string): readonly number[] => version.replace(/^\^/, '').split(/[.-]/).slice(0, 3).map(Number)

/** Tells whether a version such as `4.13.2` fits a range such as `^4.13.0`: at least that, up to the next breaking change. */
const fits = (version: string, range: string): boolean => {
  const [found, least] = [numbersOf(version), numbersOf(range)]
  const breaking = least.findIndex((part) => part > 0)
  const first = found.findIndex((part, at) => part !== least[at])
  return first === -1 || (first > breaking && (found[first] ?? 0) > (least[first] ?? 0))
}

/** The version of a package that the project's own files get; undefined when it is not installed. */
const installed = (root: string, name: string): string | undefined => {
  try {
    const path = findPackageJSON(name, pathToFileURL(join(root, 'package.json')))
    return path === undefined ? undefined : (JSON.parse(readFileSync(path, 'utf8')) as { readonly version: string }).version
  } catch {
    return undefined
  }
}

/** Looks at the packages that a project's files get. */
export const checkPackages = ({ root }: Pick<Project, 'root'>, { version, peerDependencies }: Pick<OwnManifest, 'version' | 'peerDependencies'> = ownManifest()): readonly Check[] => {
  const own = installed(root, 'stateloop')
  const peers = Object.entries(peerDependencies).flatMap(([name, range]) => {
    const found = installed(root, name)
    return found === undefined ? [] : [{ name, range, found }]
  })
  const unfit = peers.filter(({ found, range }) => !fits(found, range))
  return [
    ...(own === undefined || own === version ? [] : [warning('packages', `this command is stateloop ${version}, and the project has ${own}. Start it with npx, from the project's folder.`)]),
    ...unfit.map(({ name, found, range }) => broken('packages', `${name} ${found} is installed, and stateloop ${version} needs ${range}: npm install ${name}@${range}`)),
    ok('packages', [`stateloop ${version}`, ...peers.filter((peer) => !unfit.includes(peer)).map(({ name, found }) => `${name} ${found}`)].join(', ')),
  ]
}
