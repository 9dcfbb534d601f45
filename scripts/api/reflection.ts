// What the API reference is made of: the exports of every public entry point, read by TypeDoc from the source. Invariant: what
// TypeDoc warns of is handed on, so that a broken link or a forgotten comment cannot pass unseen.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))
const toolchain = join(root, 'test', 'toolchain', 'typedoc')

/** Kinds of reflections that matter here, as TypeDoc numbers them. */
export const KIND = {
  module: 2,
  variable: 32,
  function: 64,
  class: 128,
  interface: 256,
  constructor: 512,
  property: 1024,
  method: 2048,
  accessor: 262_144,
  typeAlias: 2_097_152,
  reference: 4_194_304,
} as const

export interface CommentPart {
  readonly kind: 'text' | 'code' | 'inline-tag' | 'relative-link'
  readonly text: string
  readonly target?: number | string | object
}

export interface Comment {
  readonly summary: readonly CommentPart[]
  readonly blockTags?: readonly { readonly tag: `@${string}`; readonly content: readonly CommentPart[] }[]
}

/** A type as TypeDoc says it. */
export type Type =
  | { readonly type: 'intrinsic' | 'unknown'; readonly name: string }
  | { readonly type: 'literal'; readonly value: string | number | boolean | null }
  | { readonly type: 'reference'; readonly name: string; readonly target: number | object; readonly typeArguments?: readonly Type[]; readonly refersToTypeParameter?: boolean }
  | { readonly type: 'array' | 'optional' | 'rest'; readonly elementType: Type }
  | { readonly type: 'tuple'; readonly elements?: readonly Type[] }
  | { readonly type: 'namedTupleMember'; readonly name: string; readonly isOptional: boolean; readonly element: Type }
  | { readonly type: 'union' | 'intersection'; readonly types: readonly Type[] }
  | { readonly type: 'typeOperator'; readonly operator: string; readonly target: Type }
  | { readonly type: 'reflection'; readonly declaration: Reflection }
  | { readonly type: 'conditional'; readonly checkType: Type; readonly extendsType: Type; readonly trueType: Type; readonly falseType: Type }
  | { readonly type: 'indexedAccess'; readonly objectType: Type; readonly indexType: Type }
  | {
      readonly type: 'mapped'
      readonly parameter: string
      readonly parameterType: Type
      readonly templateType: Type
      readonly readonlyModifier?: string
      readonly optionalModifier?: string
    }
  | { readonly type: 'query'; readonly queryType: Type }
  | { readonly type: 'predicate'; readonly name: string; readonly asserts: boolean; readonly targetType?: Type }
  | { readonly type: 'templateLiteral'; readonly head: string; readonly tail: readonly (readonly [Type, string])[] }
  | { readonly type: 'inferred'; readonly name: string; readonly constraint?: Type }

/** A declaration, a signature or a parameter. */
export interface Reflection {
  readonly id: number
  readonly name: string
  readonly kind: number
  readonly flags: { readonly isOptional?: boolean; readonly isRest?: boolean; readonly isPrivate?: boolean; readonly isConst?: boolean }
  readonly comment?: Comment
  readonly children?: readonly Reflection[]
  readonly signatures?: readonly Reflection[]
  readonly getSignature?: Reflection
  readonly indexSignatures?: readonly Reflection[]
  readonly parameters?: readonly Reflection[]
  readonly typeParameters?: readonly Reflection[]
  readonly extendedTypes?: readonly Type[]
  readonly type?: Type
  readonly default?: Type
  readonly defaultValue?: string
  readonly inheritedFrom?: object
  /** Of a reference: what it leads to. */
  readonly target?: number
  readonly sources?: readonly { readonly fileName: string; readonly line: number }[]
}

/** Functions carry their comment on their signatures. */
export const commentOf = ({ comment, signatures, getSignature }: Reflection): Comment | undefined => comment ?? signatures?.find((signature) => signature.comment !== undefined)?.comment ?? getSignature?.comment

/** Whether it is an interface or an alias. */
export const isType = ({ kind }: Reflection): boolean => kind === KIND.interface || kind === KIND.typeAlias

/** Name of a parameter, for one that is taken apart the name of its type. */
export const parameterName = ({ name, type }: Reflection): string => {
  if (name !== '__namedParameters') return name
  return type?.type === 'reference' && !/(Options|Definition|Setup)$/.test(type.name) ? `${type.name.charAt(0).toLowerCase()}${type.name.slice(1)}` : 'options'
}

/** A subpath of the package with what it exports. */
export interface EntryPoint {
  /** As users import it: `stateloop/eval`. */
  readonly name: string
  readonly exports: readonly Reflection[]
  /** Types that are not exported, though exports use them. */
  readonly companions: readonly Reflection[]
}

/** All entry points, and what TypeDoc had to say against them. */
export interface Api {
  readonly entryPoints: readonly EntryPoint[]
  readonly warnings: readonly string[]
}

/** Entry points of the package: name and source file. */
const sourcesOf = async (): Promise<readonly (readonly [name: string, source: string])[]> => {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly exports: { readonly [subpath: string]: string | { readonly 'stateloop-source': string } } }
  return Object.entries(manifest.exports).flatMap(([subpath, target]) => (typeof target === 'string' ? [] : [[subpath.replace('.', 'stateloop'), target['stateloop-source']] as const]))
}

/** How TypeDoc calls the module of a source file. */
const moduleName = (source: string): string => source.replace(/^\.\/src\//, '').replace(/(\/index)?\.ts$/, '')

/** What the plugin for types that are not exported calls the place where it puts them. */
const COMPANIONS = '<internal>'

/** What is read, when it is not this package. */
export interface ApiSource {
  /** Name and source file of each entry point, from the root of the repository. */
  readonly entryPoints: readonly (readonly [name: string, source: string])[]
  /** The compiler's settings, from the root of the repository. */
  readonly tsconfig: string
}

/** Reads the API. It takes some seconds, since it compiles the source with the TypeScript that TypeDoc needs. */
export const readApi = async (source?: ApiSource): Promise<Api> => {
  const sources = source?.entryPoints ?? (await sourcesOf())
  const tsconfig = join(root, source?.tsconfig ?? 'tsconfig.build.json')
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-api-'))
  try {
    const json = join(folder, 'api.json')
    const typedoc = join(dirname(createRequire(join(toolchain, 'package.json')).resolve('typedoc/package.json')), 'bin', 'typedoc')
    const entryPoints = sources.flatMap(([, source]) => ['--entryPoints', join(root, source)])
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [typedoc, '--options', join(toolchain, 'typedoc.json'), '--tsconfig', tsconfig, '--json', json, ...entryPoints], {
      cwd: toolchain,
      env: { ...process.env, NO_COLOR: '1' },
    })
    const project = JSON.parse(await readFile(json, 'utf8')) as Reflection
    return {
      entryPoints: sources.map(([name, file]) => {
        const found = source === undefined ? project.children?.find((module) => module.name === moduleName(file)) : project
        if (found === undefined) throw new Error(`TypeDoc gave no module for ${file}: it has ${project.children?.map((module) => module.name).join(', ')}`)
        const inside = (found.children ?? []).filter(({ name: child }) => child === COMPANIONS)
        return { name, exports: (found.children ?? []).filter(({ name: child }) => child !== COMPANIONS), companions: inside.flatMap(({ children = [] }) => children) }
      }),
      warnings: `${stdout}${stderr}`.split('\n').filter((line) => /\[(warning|error)\]/.test(line)),
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
