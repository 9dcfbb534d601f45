// The package as it would be published, packed once for all tests of an invocation. Invariant: whoever comes first packs, and
// everybody else waits for that tarball.
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { inject } from 'vitest'
import { runProgram } from './program.ts'

/** The repository's root. */
export const root = dirname(dirname(import.meta.dirname))

/** A packed package. */
export interface Packed {
  /** Path of the tarball. */
  readonly tarball: string
  /** What is in it. */
  readonly files: readonly string[]
}

const pack = async (folder: string): Promise<Packed> => {
  const printed = await runProgram(folder, 'npm', ['pack', root, '--json', '--ignore-scripts'])
  const [{ filename, files }] = JSON.parse(printed) as [{ readonly filename: string; readonly files: readonly { readonly path: string }[] }]
  return { tarball: join(folder, filename), files: files.map(({ path }) => path) }
}

/** The tarball of `dist/` as it stands; build before. */
export const packed = async (): Promise<Packed> => {
  const folder = inject('packedFolder')
  const ready = join(folder, 'packed.json')
  const first = await mkdir(join(folder, 'packing')).then(
    () => true,
    () => false,
  )
  if (first) {
    const result = await pack(folder).catch((error: unknown) => ({ error: String(error) }))
    await writeFile(`${ready}.new`, JSON.stringify(result))
    await rename(`${ready}.new`, ready)
  }
  while (!existsSync(ready)) await pause(50)
  const result = JSON.parse(await readFile(ready, 'utf8')) as Packed | { readonly error: string }
  if ('error' in result) throw new Error(`The package could not be packed: ${result.error}`)
  return result
}
