// Compiles what docs show, against the source and with the packages of the repository.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { onTestFinished } from 'vitest'
import { root } from './pages.ts'

const run = promisify(execFile)

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly exports: { readonly [subpath: string]: string | { readonly 'stateloop-source': string } } }
const sources = Object.entries(manifest.exports).flatMap(([subpath, target]) => (typeof target === 'string' ? [] : [[subpath, target['stateloop-source']] as const]))

const TSCONFIG = {
  compilerOptions: {
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable', 'esnext.iterator'],
    module: 'nodenext',
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
    paths: Object.fromEntries(sources.map(([subpath, source]) => [subpath.replace('.', 'stateloop'), [join(root, source)]])),
  },
  include: ['**/*.ts'],
}

/** Compiles modules by path. @returns what the compiler printed, nothing when all is well. */
export const compile = async (modules: { readonly [name: string]: string }): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'stateloop-docs-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  await symlink(join(root, 'node_modules'), join(folder, 'node_modules'), 'junction')
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG))
  for (const [path, code] of Object.entries(modules)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), code)
  }
  // A page whose code is in files may import the agent of a new project.
  for (const page of new Set(Object.keys(modules).flatMap((path) => (path.includes('/') ? [dirname(path).split('/')[0] ?? ''] : [])))) {
    await mkdir(join(folder, page, 'agents'), { recursive: true })
    await symlink(join(root, 'templates/assistant'), join(folder, page, 'agents/assistant'), 'junction')
  }
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  return run(process.execPath, [compiler, '-p', folder, '--pretty', 'false'], { cwd: folder }).then(
    ({ stdout }) => stdout,
    (error: { readonly stdout?: string }) => error.stdout ?? String(error),
  )
}
