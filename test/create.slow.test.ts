// Makes a project from each template with the packed package, in an empty folder, as a newcomer would, and runs its tests.
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { TEMPLATES } from '../src/cli/new/project-files.ts'
import { packed, root } from './newcomer/packed.ts'
import { runProgram } from './newcomer/program.ts'

const folder = mkdtempSync(join(tmpdir(), 'stateloop-create-'))
const run = (cwd: string, program: string, ...args: readonly string[]): Promise<string> => runProgram(cwd, program, args)

let tarball = ''
const creator = join(folder, 'creator')
const names = Object.keys(TEMPLATES)
const first = names[0] ?? ''

beforeAll(async () => {
  tarball = (await packed()).tarball
  // `npm create stateloop` installs the creator with the package it depends on, and runs it.
  cpSync(join(root, 'create-stateloop'), creator, { recursive: true })
  await run(creator, 'npm', 'install', tarball, '--no-save', '--prefer-offline', '--no-audit', '--no-fund')
  for (const name of names) await run(folder, process.execPath, join(creator, 'index.js'), `my-${name}`, '--template', name, '--stateloop', `file:${tarball}`)
  await run(join(folder, `my-${first}`), 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund')
  // The projects need the same packages, so they are installed once.
  for (const name of names.slice(1)) symlinkSync(join(folder, `my-${first}`, 'node_modules'), join(folder, `my-${name}`, 'node_modules'), 'junction')
})

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('every template of the package can be chosen', () => {
  expect(readdirSync(join(root, 'templates')).sort()).toEqual(names.toSorted())
})

test.each(names)('a new project of the template %s has all its parts, and passes its own tests at once', async (name) => {
  const project = join(folder, `my-${name}`)
  for (const path of [`agents/${name}/agent.ts`, `agents/${name}/prompts.ts`, `agents/${name}/recordings/example.jsonl`, '.github/workflows/evals.yml', '.github/workflows/tests.yml', '.gitignore', 'README.md'])
    expect(existsSync(join(project, path)), path).toBe(true)
  const output = await run(project, 'npm', 'test')
  expect(output).toMatch(/pass 3\b/)
  expect(output).toContain('pass rate 100.0 %')
  expect(JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'))).toMatchObject({ name: `my-${name}`, private: true })
})

test('its agent runs by name', async () => {
  expect(await run(join(folder, 'my-documents'), 'npm', 'start', '--', '--question', 'Until when is the library open on Thursday?')).toContain('On Thursday it stays open until 20:00.')
})
