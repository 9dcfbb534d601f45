// Gives all slow tests of one invocation a folder to share, and takes it away at the end. Nothing is packed before a test asks.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    readonly packedFolder: string
  }
}

export default ({ provide }: TestProject): (() => void) => {
  const folder = mkdtempSync(join(tmpdir(), 'stateloop-packed-'))
  provide('packedFolder', folder)
  return () => rmSync(folder, { recursive: true, force: true })
}
