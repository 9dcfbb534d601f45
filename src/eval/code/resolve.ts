// Where an import leads: to a file of the project, to an installed package, or nowhere that can be told. Invariant: what is
// not found is unknown; only what Node brings itself is left out.
import { readFileSync, realpathSync, statSync } from 'node:fs'
import { createRequire, findPackageJSON, isBuiltin } from 'node:module'
import { dirname, join, resolve, sep } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

/** Where an import leads. */
export type Target =
  | { readonly kind: 'file'; readonly path: string }
  /** An installed package, by its folder. */
  | { readonly kind: 'package'; readonly folder: string }
  /** A package of the same repository whose entry cannot be told: all of its files. */
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'builtin' }
  | { readonly kind: 'unknown' }

const ENDINGS = ['', '.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json', '/index.ts', '/index.js', '/index.mjs', '/index.cjs'] as const

const isFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true

const fileTarget = (path: string): Target => {
  const found = ENDINGS.map((ending) => `${path}${ending}`).find((candidate) => isFile(candidate))
  return found === undefined ? { kind: 'unknown' } : { kind: 'file', path: realpathSync(found) }
}

/** The nearest package.json around a file. */
const manifestAround = (path: string): string | undefined => {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (isFile(join(folder, 'package.json'))) return join(folder, 'package.json')
    if (dirname(folder) === folder) return undefined
  }
}

const nameIn = (manifest: string): unknown => (JSON.parse(readFileSync(manifest, 'utf8')) as { readonly name?: unknown }).name

const packageName = (specifier: string): string => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

const manifestOf = (specifier: string, from: string): string | undefined => {
  const own = manifestAround(from)
  if (specifier.startsWith('#') || (own !== undefined && nameIn(own) === packageName(specifier))) return own
  try {
    return findPackageJSON(specifier, pathToFileURL(from))
  } catch {
    return undefined
  }
}

const required = (specifier: string, from: string): string | undefined => {
  try {
    return createRequire(from).resolve(specifier)
  } catch {
    return undefined
  }
}

const packageTarget = (specifier: string, from: string): Target => {
  const manifest = manifestOf(specifier, from)
  if (manifest === undefined) return { kind: 'unknown' }
  const folder = realpathSync(dirname(manifest))
  if (folder.includes(`${sep}node_modules${sep}`)) return { kind: 'package', folder }
  const path = required(specifier, from)
  return path === undefined ? { kind: 'folder', folder } : { kind: 'file', path: realpathSync(path) }
}

/** Resolves an import of a file. */
export const resolveImport = (specifier: string, from: string): Target => {
  if (isBuiltin(specifier)) return { kind: 'builtin' }
  if (specifier.startsWith('file:')) return fileTarget(fileURLToPath(specifier))
  if (/^\.{0,2}\//.test(specifier) || specifier === '.' || specifier === '..') return fileTarget(resolve(dirname(from), specifier))
  return /^[a-z][a-z+.-]*:/.test(specifier) ? { kind: 'unknown' } : packageTarget(specifier, from)
}
