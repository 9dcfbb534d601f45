// Installs the packed package into an empty folder and uses it as a user would: on the oldest and the current Node,
// by `import` and by `require`, and with each TypeScript that users may have.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packed, root } from './newcomer/packed.ts'
import { runProgram } from './newcomer/program.ts'

const COMMAND = join('node_modules', 'stateloop', 'dist', 'cli', 'main.js')
const folder = mkdtempSync(join(tmpdir(), 'stateloop-package-'))
const toolchain = (name: string, file: string): string => join(root, 'test', 'toolchain', name, 'node_modules', file)

const nodes = { 'v22.19.0': toolchain('node-22', join('node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')), [process.version]: process.execPath }
const compilers = {
  '5.9': toolchain('typescript-5', 'typescript'),
  '6.0': toolchain('typescript-6', 'typescript'),
  '7.0': join(root, 'node_modules', 'typescript'),
}

/** Runs a program in the user's folder and returns what it printed; a failed program rejects with its output. */
const run = async (program: string, ...args: string[]): Promise<string> => (await runProgram(folder, program, args)).trim()

interface Manifest {
  readonly version: string
  readonly dependencies: { readonly [name: string]: string }
  readonly devDependencies: { readonly [name: string]: string }
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest
let files: readonly string[] = []

beforeAll(async () => {
  const { tarball, files: found } = await packed()
  files = found
  const dependencies = {
    stateloop: `file:${tarball}`,
    zod: manifest.dependencies['zod'],
    '@types/node': manifest.devDependencies['@types/node'],
  }
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module', dependencies }))
  await run('npm', 'install', '--prefer-offline', '--no-audit', '--no-fund')
  cpSync(join(root, 'test', 'fixtures', 'package'), folder, { recursive: true })
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the tarball holds the build, the templates, the readme and the license, and nothing else', () => {
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'dist/cli/main.js']))
  expect(files.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/.+\.(js|js\.map|d\.ts)|dist\/inspector\/page\/(index\.html|style\.css|icon\.svg)|templates\/\w+\/.+\.(ts|md|jsonl))$/.test(path))).toEqual([])
})

describe.each(Object.entries(nodes))('on Node %s', (version, node) => {
  test.each(['import.mjs', 'require.cjs'])('an agent runs from %s', async (file) => {
    expect(JSON.parse(await run(node, file))).toEqual({ node: version, outcome: 'done', output: 'Rain in Bern.', modelCalls: 2, toolCalls: 1 })
  })

  test('loading the package loads nothing that is only needed later', async () => {
    const loaded = JSON.parse(await run(node, 'loaded.mjs')) as readonly string[]
    expect(loaded).toContain('stateloop')
    expect(loaded).toContain('xstate')
    const later = ['openai', 'undici', 'pino', 'commander', 'yaml', '@pydantic/genai-prices', 'zod-to-json-schema', 'elkjs', 'ws', 'node:sqlite', 'node:http']
    expect(loaded.filter((name) => later.includes(name))).toEqual([])
  })

  test('the command line lists its commands, and knows its version', async () => {
    expect(await run(node, COMMAND, '--help')).toMatch(/Usage: stateloop .+ run .+ resume .+ show /s)
    expect(await run(node, COMMAND, '--version')).toBe(manifest.version)
  })
})

test('on a Node that is too old, the command line says which one it needs', async () => {
  const older = "Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.20.2' } })"
  await expect(run(process.execPath, '--import', `data:text/javascript,${encodeURIComponent(older)}`, COMMAND, 'runs')).rejects.toThrow('Node 20.20.2 is too old. Install 22.19.0 or later.')
})

test('the inspector serves its page, built for the browser', async () => {
  const child = spawn(process.execPath, [COMMAND, 'inspect', '--json', '--no-open'], { cwd: folder })
  try {
    const [printed] = (await once(child.stdout, 'data')) as [Buffer]
    const { url } = JSON.parse(printed.toString()) as { readonly url: string }
    const text = async (path: string): Promise<string> => (await fetch(new URL(path, url))).text()
    expect(await text('/')).toContain('src="/main.js"')
    expect(await text('/style.css')).toContain('.chart')
    expect(await text('/main.js')).not.toMatch(/\bimport\s*["'{*(]/)
    expect(await (await fetch(new URL('/api/overview', url), { headers: { authorization: `Bearer ${new URL(url).hash.slice(1)}` } })).json()).toMatchObject({ runs: [], control: false })
  } finally {
    child.kill()
  }
})

test('npm links the command', () => {
  expect(readdirSync(join(folder, 'node_modules', '.bin'))).toContain('stateloop')
})

test.each(Object.entries(compilers))('the types are right for TypeScript %s, library checks included', async (version, compiler) => {
  const tsc = join(compiler, 'bin', 'tsc')
  expect(await run(process.execPath, tsc, '--version')).toContain(`Version ${version}.`)
  expect(await run(process.execPath, tsc, '--project', '.')).toBe('')
})
