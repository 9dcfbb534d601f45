// Everything that some modules may run: the files they reach by imports and the packages they use, as one hash. Invariant:
// the hash is undefined as soon as anything that may run could not be seen.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { dirname, extname, join, relative, sep } from 'node:path'
import { hashOf, sha256 } from '../../schema/index.ts'
import { importsOf } from './imports.ts'
import { addPackages } from './packages.ts'
import { resolveImport } from './resolve.ts'

/** Files that a graph may hold before it counts as unknown. */
const MOST_FILES = 20_000

const SOURCES: ReadonlySet<string> = new Set(['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs'])
const SKIPPED: ReadonlySet<string> = new Set(['node_modules', 'coverage'])

/** What may run. */
export interface CodeGraph {
  /** Covers every file and package; undefined when something is unknown. */
  readonly hash: string | undefined
  /** Files, in order of their paths. */
  readonly files: readonly string[]
  /** Packages as `name@version`. */
  readonly packages: readonly string[]
  /** What could not be seen, as sentences. */
  readonly unknown: readonly string[]
}

/** Options of `codeGraph`. */
export interface CodeGraphOptions {
  /** Paths in the hash are relative to this folder, so that every checkout has the same one. */
  readonly root: string
  /** Files and folders of data that the code reads. */
  readonly data?: readonly string[]
  /** Tells that other hashes see everything in this module, so that its text does not count. */
  readonly covered?: (path: string) => Promise<boolean>
}

const filesBelow = (path: string): readonly string[] => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (found === undefined) return []
  if (!found.isDirectory()) return [path]
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.name.startsWith('.') || SKIPPED.has(entry.name) ? [] : filesBelow(join(path, entry.name))))
}

const library = dirname(findPackageJSON(import.meta.url) ?? '')

/** This library's own files. What they import by computed names are modules of the project, which are walked anyway. */
const isOwn = (path: string): boolean => ['src', 'dist'].some((folder) => path.startsWith(join(library, folder) + sep))

class Walk {
  readonly files = new Map<string, string>()
  readonly packages = new Map<string, string>()
  readonly unknown: string[] = []
  readonly #open: string[] = []
  readonly #options: CodeGraphOptions

  constructor(options: CodeGraphOptions) {
    this.#options = options
  }

  async run(roots: readonly string[]): Promise<void> {
    this.#open.push(...roots)
    for (const path of this.#options.data ?? []) this.#data(path)
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop()) {
      if (this.files.has(next)) continue
      if (this.files.size >= MOST_FILES) return void this.unknown.push(`More than ${MOST_FILES} files are reached.`)
      await this.#file(next)
    }
  }

  #data(path: string): void {
    const files = filesBelow(path)
    if (files.length === 0) this.unknown.push(`${path}, which the evaluation depends on, is not there.`)
    for (const file of files) this.files.set(file, sha256(readFileSync(file, 'latin1')))
  }

  async #file(path: string): Promise<void> {
    const text = readFileSync(path, 'utf8')
    this.files.set(path, (await this.#options.covered?.(path)) === true ? 'covered' : sha256(text))
    if (!SOURCES.has(extname(path))) return
    const { specifiers, unknown } = await importsOf(text)
    if (unknown !== undefined && !isOwn(path)) this.unknown.push(`${path} cannot be seen through: ${unknown}.`)
    for (const specifier of specifiers) this.#import(specifier, path)
  }

  #import(specifier: string, from: string): void {
    const target = resolveImport(specifier, from)
    if (target.kind === 'file') this.#open.push(target.path)
    else if (target.kind === 'package') addPackages(target.folder, this.packages)
    else if (target.kind === 'folder') this.#open.push(...filesBelow(target.folder).filter((path) => SOURCES.has(extname(path))))
    else if (target.kind === 'unknown') this.unknown.push(`${from} imports ${specifier}, which was not found.`)
  }
}

/** Walks the modules that are reached from some files. */
export const codeGraph = async (roots: readonly string[], options: CodeGraphOptions): Promise<CodeGraph> => {
  const walk = new Walk(options)
  await walk.run(roots)
  const files = [...walk.files].map(([path, hash]) => [relative(options.root, path).replaceAll('\\', '/'), hash] as const).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const packages = [...new Set(walk.packages.values())].toSorted()
  const hash = walk.unknown.length > 0 ? undefined : hashOf({ files: files.filter(([, text]) => text !== 'covered'), packages, node: process.versions.node.split('.')[0] ?? '' }).slice(0, 16)
  return { hash, files: [...walk.files.keys()].toSorted(), packages, unknown: walk.unknown }
}
