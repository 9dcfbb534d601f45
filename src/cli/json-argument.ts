// JSON from the command line: as text, from a file, or from standard input. Invariant: what is not JSON is refused with
// the place where it stops being so and how to write plain text.
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fail, type Json } from '../failure/index.ts'
import type { Io } from './io.ts'

const read = async (io: Io, argument: string): Promise<string> => {
  if (argument === '-') return io.readInput()
  if (!argument.startsWith('@')) return argument
  const path = resolve(io.cwd, argument.slice(1))
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    return fail('usage', `Reading ${path} failed: ${error instanceof Error ? error.message : String(error)}.`, { cause: error })
  }
}

/**
 * Reads a JSON argument: `{"a":1}`, `@file.json` or `-`.
 * @param what names it in messages.
 * @throws FailureError `usage`.
 */
export const jsonArgument = async (io: Io, argument: string, what: string): Promise<Json> => {
  const text = (await read(io, argument)).replace(/^\uFEFF/, '')
  try {
    return JSON.parse(text) as Json
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    return fail('usage', `${what} is not JSON: ${problem}. Quote it for the shell, as in '{"question":"…"}'; plain text is '"…"'; @file reads a file, - standard input.`)
  }
}
