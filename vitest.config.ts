// Projects: `fast` for everything, `slow` for the files named *.slow.test.ts (packing, killed processes), `soak` for what
// takes minutes and is not part of `npm test`.
// `stateloop` resolves to src/ here, so tests see an edit without a build; only the slow package test uses dist/.
import { defineConfig } from 'vitest/config'

const tests = ['test/**/*.test.ts', 'agents/**/*.test.ts', 'examples/**/*.test.ts']
const slow = ['**/*.slow.test.ts']
const soak = ['**/*.soak.test.ts']
const elsewhere = ['**/node_modules/**', 'test/fixtures/**']
const resolve = { conditions: ['stateloop-source', 'module', 'node'] }
const ssr = { resolve }

export default defineConfig({
  test: {
    // Most slow tests wait for other processes, so a core less than there are would stand idle.
    maxWorkers: '100%',
    projects: [
      // A loaded machine may be slow; only a test that hangs should fail by time.
      { resolve, ssr, test: { name: 'fast', include: tests, exclude: [...slow, ...soak, ...elsewhere], testTimeout: 60_000 } },
      { resolve, ssr, test: { name: 'soak', include: soak, execArgv: ['--max-old-space-size=768'], exclude: ['**/node_modules/**'], testTimeout: 1_800_000 } },
      { resolve, ssr, test: { name: 'slow', include: slow, exclude: elsewhere, globalSetup: './test/newcomer/packed.setup.ts', testTimeout: 180_000, hookTimeout: 180_000 } },
    ],
  },
})
