// Loads a user's module. Invariant: what goes wrong in there is told with the file's name and the user's own error, never
// as a bug of this program.
import { pathToFileURL } from 'node:url'
import { fail, type FailureCode } from '../failure/index.ts'
import { failureFrom } from './exit-code.ts'

/** What a module exports. */
export interface Exports {
  readonly [name: string]: unknown
}

const hintOf = (error: unknown): string => {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return ' Node runs only TypeScript that can be stripped: no enums, namespaces or parameter properties.'
  if (code === 'ERR_MODULE_NOT_FOUND') return ' Install what it imports; imports of own files need their extension.'
  if (code === 'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING') return ' Node does not run TypeScript under node_modules.'
  return ''
}

/**
 * Imports a file.
 * @throws FailureError with `code`, or the failure that the module itself threw, such as `agent_invalid`.
 */
export const importModule = async (path: string, code: FailureCode): Promise<Exports> => {
  try {
    const loaded = (await import(pathToFileURL(path).href)) as Exports
    // A CommonJS file that was compiled from a module keeps its exports one level deeper.
    const inner = loaded['default']
    return typeof inner === 'object' && inner !== null && '__esModule' in inner ? (inner as unknown as Exports) : loaded
  } catch (error) {
    const known = failureFrom(error)
    if (known.code !== 'defect') return fail(known.code, `Loading ${path}: ${known.message}`, { ...(known.details === undefined ? {} : { details: known.details }), cause: error })
    return fail(code, `Loading ${path} failed: ${error instanceof Error ? error.message : String(error)}${hintOf(error)}`, { cause: error })
  }
}
