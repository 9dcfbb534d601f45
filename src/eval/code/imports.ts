// What a source file imports at run time, read without running it. Invariant: an import whose name only a run could tell is
// reported as unknown, never left out.
import { init, parse } from 'es-module-lexer'

/** Imports of one file. */
export interface Imports {
  /** Names as the file writes them; what only types need is left out. */
  readonly specifiers: readonly string[]
  /** Why the list may be short; undefined when it is complete. */
  readonly unknown?: string
}

const REQUIRE = /\brequire\s*\(\s*(?:(['"])(?<name>[^'"\n]+)\1\s*\))?/g

const requiresOf = (text: string): Imports => {
  const found = [...text.matchAll(REQUIRE)].map(({ groups }) => groups?.['name'])
  const specifiers = found.filter((name) => name !== undefined)
  return found.length === specifiers.length ? { specifiers } : { specifiers, unknown: 'it calls require with a computed name' }
}

/** Reads the imports of JavaScript or TypeScript. */
export const importsOf = async (text: string): Promise<Imports> => {
  await init()
  const required = requiresOf(text)
  try {
    const [imports] = parse(text)
    const used = imports.filter((one) => one.type !== 'import-meta' && !(one.type === 'dynamic' ? one.probablyTypeOnly : one.typeOnly))
    const computed = used.some((one) => one.type === 'dynamic' && (one.glob || one.specifier === undefined))
    const unknown = computed ? 'it imports a computed name' : required.unknown
    const specifiers = [...used.flatMap((one) => (one.type === 'dynamic' && one.glob ? [] : (one.specifier ?? []))), ...required.specifiers]
    return unknown === undefined ? { specifiers } : { specifiers, unknown }
  } catch (error) {
    return { specifiers: required.specifiers, unknown: `its imports cannot be read (${error instanceof Error ? error.message : String(error)})` }
  }
}
