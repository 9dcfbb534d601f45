// Reads the repository's own TypeScript as syntax trees, so that rules about it look at code and never at text that resembles code.
// A file that does not parse is an error here: no rule can pass because it could not read.
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { parseSync, Visitor } from 'oxc-parser'
import type { Comment, Program, VisitorObject } from 'oxc-parser'

/** One parsed file; `path` is relative to the repository and uses `/`, e.g. `src/clock/index.ts`. */
export interface SourceFile {
  readonly path: string
  readonly text: string
  readonly program: Program
  readonly comments: readonly Comment[]
  readonly imports: readonly Import[]
}

/** One place where a file names a module, whether by an import, a re-export, `import()`, an import type, a created `require` or `getBuiltinModule`. */
export interface Import {
  readonly specifier: string
  readonly line: number
  readonly names: readonly string[]
}

/** A rule about files: which ones it looks at, what it finds, and a small tree that breaks it. */
export interface Rule {
  readonly name: string
  readonly applies: (path: string) => boolean
  readonly check: (files: readonly SourceFile[]) => readonly string[]
  /** Files by path, each of which breaks the rule or is needed to break it. */
  readonly planted: { readonly [path: string]: string }
  /** How many violations `check` must report for `planted`. */
  readonly caught: number
}

export const root = dirname(dirname(import.meta.dirname))

const trees = ['src/**/*.ts', 'agents/**/*.ts', 'examples/**/*.ts', 'bench/**/*.ts', 'test/**/*.ts', '*.ts']
const notOurs = (path: string): boolean => path.split('/').includes('node_modules') || path.startsWith('test/fixtures/package/')

/** The line of an offset, counted from 1. */
export const lineOf = (text: string, offset: number): number => text.slice(0, offset).split('\n').length

/** Calls the handlers for the nodes of a file, parents before children. */
export const visit = (file: Pick<SourceFile, 'program'>, handlers: VisitorObject): void => new Visitor(handlers).visit(file.program)

/** The room of a file under `src/`, e.g. `clock`; undefined for `src/index.ts` and files elsewhere. */
export const roomOf = (path: string): string | undefined => /^src\/([^/]+)\//.exec(path)?.[1]

/** The path that a relative specifier names, or undefined when it names a package. */
export const targetOf = (from: string, specifier: string): string | undefined => (specifier.startsWith('.') ? posix.join(posix.dirname(from), specifier) : undefined)

/** The package that a specifier names, e.g. `openai` for `openai/resources`; undefined for a relative one. */
export const packageOf = (specifier: string): string | undefined => {
  if (specifier.startsWith('.')) return undefined
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Parses one file. */
export const parse = (path: string, text: string): SourceFile => {
  const { program, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors.map((error) => error.message).join('; ')}`)
  return { path, text, program, comments, imports: importsOf(program, text) }
}

/** Every TypeScript file of the repository. */
export const readRepository = (): readonly SourceFile[] =>
  trees
    .flatMap((pattern) => globSync(pattern, { cwd: root }))
    .map((path) => path.replaceAll('\\', '/'))
    .filter((path) => !notOurs(path))
    .sort()
    .map((path) => parse(path, readFileSync(join(root, path), 'utf8')))

const importsOf = (program: Program, text: string): readonly Import[] => {
  const found: Import[] = []
  const requires = new Set<string>()
  const add = (specifier: string, start: number, names: readonly string[] = []): void => {
    found.push({ specifier, line: lineOf(text, start), names })
  }
  visit(
    { program },
    {
      ImportDeclaration: ({ source, specifiers, start }) => {
        const names = specifiers.map((one) => (one.type === 'ImportSpecifier' ? nameOf(one.imported) : '*'))
        add(source.value, start, names)
      },
      ExportNamedDeclaration: ({ source, start }) => source && add(source.value, start),
      ExportAllDeclaration: ({ source, start }) => add(source.value, start),
      ImportExpression: ({ source, start }) => {
        if (source.type === 'Literal' && typeof source.value === 'string') add(source.value, start)
      },
      TSImportType: ({ source, start }) => add(source.value, start),
      VariableDeclarator: ({ id, init }) => {
        const created = init?.type === 'CallExpression' && init.callee.type === 'Identifier' && init.callee.name === 'createRequire'
        if (created && id.type === 'Identifier') requires.add(id.name)
      },
      CallExpression: ({ callee, arguments: [argument], start }) => {
        const required = callee.type === 'Identifier' ? requires.has(callee.name) : isMember(callee, 'getBuiltinModule')
        if (required && argument?.type === 'Literal' && typeof argument.value === 'string') add(argument.value, start)
      },
    },
  )
  return found
}

const isMember = (node: { readonly type: string; readonly property?: unknown }, name: string): boolean => node.type === 'MemberExpression' && (node.property as { readonly name?: unknown }).name === name

const nameOf = (name: { readonly type: string; readonly name?: string; readonly value?: unknown }): string => name.name ?? String(name.value)
