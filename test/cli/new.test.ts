import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { stripVTControlCharacters } from 'node:util'
import { expect, it, vi } from 'vitest'
import { testProject } from './project.ts'

it('new writes a project and says what to do with it', async () => {
  await using project = await testProject()
  const { code, out } = await project.stateloop(['new', 'helper', '--template', 'extraction'])
  expect(code).toBe(0)
  expect(out).toContain('cd helper\n  npm install\n  npm test\n  npm start')
  expect(readdirSync(join(project.folder, 'helper')).sort()).toEqual(['.github', '.gitignore', 'README.md', 'agents', 'package.json', 'tsconfig.json'])
  expect(readFileSync(join(project.folder, 'helper/README.md'), 'utf8')).toContain('agents/extraction/agent.ts')
})

it('new takes the assistant where nobody can be asked, and tells programs what it wrote', async () => {
  await using project = await testProject()
  const { code, value } = await project.json('new', 'helper')
  expect([code, value]).toMatchObject([0, { template: 'assistant', files: expect.arrayContaining(['package.json', 'agents/assistant/agent.ts']) }])
})

it('new writes nothing where something is, and nothing by a name that no package can have', async () => {
  await using project = await testProject()
  await project.write('helper/mine.txt', 'mine')
  expect(await project.stateloop(['new', 'helper'])).toMatchObject({ code: 2, err: expect.stringContaining('is not empty (it holds mine.txt)') })
  expect(await project.stateloop(['new', 'My Helper'])).toMatchObject({ code: 2, err: expect.stringContaining('cannot be the name of a package') })
  expect(await project.stateloop(['new', 'other', '--template', 'asistant'])).toMatchObject({ code: 2, err: expect.stringContaining("Did you mean 'assistant'?") })
  expect([readdirSync(join(project.folder, 'helper')), existsSync(join(project.folder, 'other'))]).toEqual([['mine.txt'], false])
})

/** A terminal: what is typed, and what is on the screen. Everything that is written stays, so each question can be waited for. */
const terminal = () => {
  const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => input })
  const output = Object.assign(new PassThrough(), { isTTY: true, columns: 100, rows: 40 })
  let screen = ''
  output.on('data', (data: Buffer) => (screen += stripVTControlCharacters(data.toString())))
  return {
    keyboard: { input, output },
    screen: () => screen,
    type: async (after: string, ...keys: readonly string[]): Promise<void> => {
      await vi.waitUntil(() => screen.includes(after), { timeout: 20_000 })
      for (const key of keys) input.write(key)
    },
  }
}

const ENTER = '\r'
const DOWN = '\u001b[B'
const CONTROL_C = '\u0003'

it('new asks a person for the name and the template, and says at once when a name cannot be used', async () => {
  await using project = await testProject()
  await project.write('taken/mine.txt', 'mine')
  const { keyboard, screen, type } = terminal()
  const ended = project.stateloop(['new'], { keyboard, terminal: true })
  await type('What is it called?', ...'taken', ENTER)
  await type('is not empty (it holds mine.txt)', ...Array.from('taken', () => '\u007f'), ...'helper', ENTER)
  await type('What does it do?', DOWN, ENTER)
  const { code, out } = await ended
  expect([code, out]).toEqual([0, expect.stringContaining('agents/documents/agent.ts')])
  expect(screen()).toContain('assistant (an assistant that works with tools')
  expect(existsSync(join(project.folder, 'helper/package.json'))).toBe(true)
})

it('new asks only for what was left out, and takes the suggestion for an empty line', async () => {
  await using project = await testProject()
  const { keyboard, screen, type } = terminal()
  const named = project.stateloop(['new', '--template', 'extraction'], { keyboard, terminal: true })
  await type('What is it called?', ENTER)
  expect((await named).code).toBe(0)
  expect(screen()).not.toContain('What does it do?')
  expect(existsSync(join(project.folder, 'my-agent/agents/extraction'))).toBe(true)
})

it.each([
  ['Ctrl-C at the name', async ({ type }: ReturnType<typeof terminal>) => type('What is it called?', 'h', CONTROL_C)],
  [
    'Ctrl-C at the template',
    async ({ type }: ReturnType<typeof terminal>) => {
      await type('What is it called?', 'h', ENTER)
      await type('What does it do?', CONTROL_C)
    },
  ],
  [
    'the end of the input',
    async ({ type, keyboard }: ReturnType<typeof terminal>) => {
      await type('What is it called?')
      keyboard.input.end()
    },
  ],
])('new writes nothing after %s', async (_how, leave) => {
  await using project = await testProject()
  const before = readdirSync(project.folder)
  const seat = terminal()
  const ended = project.stateloop(['new'], { keyboard: seat.keyboard, terminal: true })
  await leave(seat)
  expect(await ended).toEqual({ code: 5, out: '', err: '' })
  expect(seat.screen()).toContain('Nothing was written.')
  expect(readdirSync(project.folder)).toEqual(before)
})

it('new asks nobody with --yes, with --json, or where there is no terminal', async () => {
  await using project = await testProject()
  const { keyboard, screen } = terminal()
  expect((await project.stateloop(['new', '--yes'], { keyboard, terminal: true })).code).toBe(0)
  expect((await project.stateloop(['new', 'other', '--json'], { keyboard, terminal: true })).code).toBe(0)
  expect(await project.stateloop(['new'])).toMatchObject({ code: 2, err: expect.stringContaining('Name the folder of the project') })
  expect(screen()).toBe('')
  expect(existsSync(join(project.folder, 'my-agent/agents/assistant'))).toBe(true)
})
