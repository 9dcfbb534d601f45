// What pages say about code is checked against the code: blocks compile, links lead somewhere, commands exist.
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, posix } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { anchorsOf, commandsOf, linksOf, modulesOf, pages, root } from './pages.ts'

const run = promisify(execFile)
const all = pages()

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
const compile = async (modules: { readonly [name: string]: string }): Promise<string> => {
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

test('the TypeScript on every page compiles: as the files it names, and else as one module from top to bottom', { timeout: 120_000 }, async () => {
  const modules = Object.fromEntries(all.flatMap((page) => Object.entries(modulesOf(page))))
  expect(Object.keys(modules).length).toBeGreaterThan(6)
  expect(await compile(modules)).toBe('')
})

test('a page that names what does not exist would be found', { timeout: 120_000 }, async () => {
  expect(await compile({ 'wrong.ts': "import { noSuchThing } from 'stateloop'\nnoSuchThing()\n" })).toContain("no exported member 'noSuchThing'")
})

test('every relative link leads to a file, and to a heading of it when it names one', () => {
  const links = all.flatMap((page) => linksOf(page).map((link) => ({ page, link })))
  const broken = links.filter(({ page, link }) => {
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page.path : posix.join(dirname(page.path), path)
    const heading = all.find((other) => other.path === target)
    return !existsSync(join(root, target)) || (anchor !== undefined && (heading === undefined || !anchorsOf(heading).includes(anchor)))
  })
  expect(links.length).toBeGreaterThan(10)
  expect(broken.map(({ page, link }) => `${page.path}: ${link}`)).toEqual([])
})

test('every page is reached from the README or from a page that is', () => {
  const reached = new Set(['README.md'])
  for (const path of reached) {
    const page = all.find((candidate) => candidate.path === path)
    for (const link of page === undefined ? [] : linksOf(page)) reached.add(posix.join(dirname(path), link.split('#')[0] ?? ''))
  }
  expect(all.map((page) => page.path).filter((path) => !reached.has(path))).toEqual([])
})

test('every command that a page names is in the help of the command line', { timeout: 60_000 }, async () => {
  const named = [...new Set(all.flatMap(commandsOf))].sort()
  const { stdout } = await run(process.execPath, ['--conditions=stateloop-source', '--disable-warning=ExperimentalWarning', join(root, 'src/cli/main.ts'), '--help'], { cwd: root })
  expect(named.length).toBeGreaterThan(5)
  expect(named.filter((command) => !new RegExp(`^\\s+${command}\\b`, 'm').test(stdout))).toEqual([])
})
