import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
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
