// The import graph of small projects made for the purpose.
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { codeGraph, type CodeGraph } from '../../src/eval/code/code-graph.ts'

type Files = { readonly [path: string]: string }

const project = async (
  files: Files,
): Promise<{ readonly root: string; readonly write: (path: string, text: string) => Promise<void>; readonly graph: (from?: string, data?: readonly string[]) => Promise<CodeGraph> }> => {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'stateloop-graph-')))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), text)
  }
  await write('package.json', '{ "name": "app", "type": "module", "imports": { "#rules": "./rules.ts" } }')
  for (const [path, text] of Object.entries(files)) await write(path, text)
  return { root, write, graph: (from = 'agent.ts', data = []) => codeGraph([join(root, from)], { root, data: data.map((path) => join(root, path)) }) }
}

const namesOf = (root: string, { files }: CodeGraph): readonly string[] => files.map((path) => relative(root, path).replaceAll('\\', '/'))

describe('the graph', () => {
  it('follows what runs: imports, re-exports, import() and require, but not what only types need', async () => {
    const { root, graph } = await project({
      'agent.ts': "import { tool } from './tools.ts'\nimport type { T } from './types-only.ts'\nexport * from './again.ts'\nexport const later = (t: T) => import('./later.ts')\nexport { tool }",
      'tools.ts': "import data from './data.json' with { type: 'json' }\nimport { rule } from '#rules'\nexport const tool = () => [data, rule]",
      'data.json': '[1]',
      'rules.ts': "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\nexport const rule = require('./old.cjs')",
      'old.cjs': 'module.exports = 1',
      'again.ts': 'export const again = 1',
      'later.ts': 'export default 1',
      'types-only.ts': 'export type T = 1',
      'unrelated.ts': 'export const unrelated = 1',
    })
    const found = await graph()
    expect(namesOf(root, found)).toEqual(['again.ts', 'agent.ts', 'data.json', 'later.ts', 'old.cjs', 'rules.ts', 'tools.ts'].toSorted())
    expect(found.unknown).toEqual([])
    expect(found.hash).toMatch(/^[0-9a-f]{16}$/)
  })

  it('changes its hash with any text in it, and with nothing else', async () => {
    const { write, graph } = await project({ 'agent.ts': "import './tools.ts'", 'tools.ts': 'export const tool = () => 1', 'other.ts': '' })
    const before = (await graph()).hash
    await write('other.ts', 'changed')
    expect((await graph()).hash).toBe(before)
    await write('tools.ts', 'export const tool = () => 2')
    expect((await graph()).hash).not.toBe(before)
  })

  it('is the same in every checkout', async () => {
    const files = { 'agent.ts': "import './tools.ts'", 'tools.ts': 'export const tool = () => 1' }
    expect((await (await project(files)).graph()).hash).toBe((await (await project(files)).graph()).hash)
  })

  it('holds data that the code reads, and does not know data that is not there', async () => {
    const { write, graph } = await project({ 'agent.ts': 'export const a = 1', 'prices/one.csv': '1', 'prices/two.csv': '2' })
    const before = await graph('agent.ts', ['prices'])
    await write('prices/two.csv', '3')
    expect((await graph('agent.ts', ['prices'])).hash).not.toBe(before.hash)
    expect((await graph('agent.ts', ['absent'])).unknown).toEqual([expect.stringMatching(/absent, which the evaluation depends on, is not there/)])
  })
})

describe('installed packages', () => {
  const installed = (version: string): Files => ({
    'agent.ts': "import { a } from 'direct/part'\nexport { a }",
    'node_modules/direct/package.json': JSON.stringify({ name: 'direct', version: '1.0.0', exports: { './part': './part.js' }, dependencies: { below: '*' } }),
    'node_modules/direct/part.js': 'export const a = 1',
    'node_modules/below/package.json': JSON.stringify({ name: 'below', version }),
    'node_modules/unused/package.json': JSON.stringify({ name: 'unused', version: '9.0.0' }),
  })

  it('count by name and version, those below them too', async () => {
    const one = await (await project(installed('1.0.0'))).graph()
    expect(one.packages).toEqual(['below@1.0.0', 'direct@1.0.0'])
    expect((await (await project(installed('1.0.1'))).graph()).hash).not.toBe(one.hash)
  })

  it('that are linked from the same repository count by their text', async () => {
    const { root, write, graph } = await project({
      'agent.ts': "import 'ours'\nimport 'ours-without-entry'",
      'packages/ours/package.json': JSON.stringify({ name: 'ours', version: '1.0.0', exports: './index.js' }),
      'packages/ours/index.js': "import './inner.js'",
      'packages/ours/inner.js': '1',
      'packages/ours/unused.js': '1',
      'packages/esm/package.json': JSON.stringify({ name: 'ours-without-entry', version: '1.0.0', exports: { '.': { import: './index.js' } } }),
      'packages/esm/index.js': '1',
    })
    await mkdir(join(root, 'node_modules'))
    await symlink(join(root, 'packages/ours'), join(root, 'node_modules/ours'), 'junction')
    await symlink(join(root, 'packages/esm'), join(root, 'node_modules/ours-without-entry'), 'junction')
    const before = await graph()
    expect(namesOf(root, before)).toEqual(['agent.ts', 'packages/esm/index.js', 'packages/ours/index.js', 'packages/ours/inner.js'])
    await write('packages/ours/inner.js', '2')
    expect((await graph()).hash).not.toBe(before.hash)
  })
})

describe('what cannot be seen', () => {
  it.each([
    ['a computed import', 'export const load = (name: string) => import(name)', /agent\.ts cannot be seen through: it imports a computed name/],
    ['an import built from a template', 'export const load = (name: string) => import(`./rules/${name}.ts`)', /it imports a computed name/],
    ['a computed require', "import { createRequire } from 'node:module'\nconst require = createRequire(import.meta.url)\nexport const load = (name: string) => require(name)", /it calls require with a computed name/],
    ['a file that is not there', "import './absent.ts'", /agent\.ts imports \.\/absent\.ts, which was not found/],
    ['a package that is not there', "import 'absent'", /agent\.ts imports absent, which was not found/],
    ['an address', "import 'https://example.org/x.js'", /which was not found/],
  ])('%s means that nothing is known', async (_what, text, message) => {
    const { hash, unknown } = await (await project({ 'agent.ts': text })).graph()
    expect(hash).toBeUndefined()
    expect(unknown).toEqual([expect.stringMatching(message)])
  })
})
