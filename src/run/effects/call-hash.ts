// What an approval is bound to: exactly this tool with exactly these arguments.
import type { Json } from '../../failure/index.ts'
import { hashOf, sha256 } from '../../schema/index.ts'

/** Hash of a tool call. */
export const callHash = (tool: string, args: Json): string => {
  try {
    return hashOf({ tool, args })
  } catch {
    // Lone surrogates have no canonical form; JSON text escapes them.
    return sha256(JSON.stringify([tool, args]))
  }
}
