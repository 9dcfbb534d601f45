// What pages say about code is checked against the code: blocks compile, links lead somewhere, commands exist.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { compile } from './compile.ts'
import { anchorsOf, commandsOf, linksOf, modulesOf, pages, root } from './pages.ts'

const run = promisify(execFile)
const all = pages()

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
