// Installed packages with everything they depend on, as names and versions. Invariant: a version that changes anywhere
// below a package changes its list.
import { readFileSync, realpathSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly dependencies?: { readonly [name: string]: string }
  readonly optionalDependencies?: { readonly [name: string]: string }
  readonly peerDependencies?: { readonly [name: string]: string }
}

const read = (folder: string): Manifest => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest

const folderOf = (name: string, from: string): string | undefined => {
  try {
    const manifest = findPackageJSON(name, pathToFileURL(join(from, 'package.json')))
    return manifest === undefined ? undefined : realpathSync(dirname(manifest))
  } catch {
    return undefined
  }
}

/** Adds a package and all below it. @param into versions by folder; what is there already is not walked again. */
export const addPackages = (folder: string, into: Map<string, string>): void => {
  const open = [folder]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (into.has(next)) continue
    const { name = next, version = 'no version', ...manifest } = read(next)
    into.set(next, `${name}@${version}`)
    const below = { ...manifest.dependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies }
    for (const dependency of Object.keys(below)) {
      const found = folderOf(dependency, next)
      if (found !== undefined) open.push(found)
    }
  }
}
