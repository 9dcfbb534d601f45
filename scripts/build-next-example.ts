// Builds the Next.js example as a user would: packs this package, installs it beside Next.js in a folder of its own, and runs
// `next build`. Not part of `npm test`, because it downloads Next.js: `node scripts/build-next-example.ts`.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'stateloop-next-'))
const run = (program: string, ...args: readonly string[]): void => void execFileSync(program, args, { cwd: folder, stdio: 'inherit', env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' } })

try {
  cpSync(join(root, 'examples', 'next'), folder, { recursive: true, filter: (path) => !/[\\/](node_modules|\.next)$/.test(path) })
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit' })
  const [packed] = JSON.parse(execFileSync('npm', ['pack', root, '--json', '--ignore-scripts'], { cwd: folder, encoding: 'utf8' })) as [{ readonly filename: string }]
  const manifest = join(folder, 'package.json')
  writeFileSync(manifest, readFileSync(manifest, 'utf8').replace('file:../..', `file:${packed.filename}`))
  run('npm', 'install', '--no-audit', '--no-fund')
  run(process.execPath, join('node_modules', 'next', 'dist', 'bin', 'next'), 'build')
} finally {
  rmSync(folder, { recursive: true, force: true })
}
