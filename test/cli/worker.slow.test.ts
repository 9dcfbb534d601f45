import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sqliteJournal } from '../../src/journal/index.ts'
import { endOf, testProject, type TestProject } from './project.ts'

let project: TestProject
beforeAll(async () => {
  project = await testProject()
})
afterAll(() => project[Symbol.asyncDispose]())

it('a worker that gets SIGTERM hands over: the next one has the run at once, without waiting for a lease', async () => {
  const { value } = await project.json('run', 'slow', '--queue')
  const { run } = value as { readonly run: string }
  const first = project.begin(['worker', 'slow'])
  const ended = endOf(first)
  const status = async (): Promise<unknown> => ((await project.json('show', run)).value as { readonly run: { readonly status: string } }).run.status
  while ((await status()) !== 'running') await new Promise((resolve) => setTimeout(resolve, 50))
  first.kill('SIGTERM')
  expect(await ended).toMatchObject({ code: 0, out: expect.stringContaining('took up 1: 0 ended, 0 wait, 1 handed over') as string })
  const second = project.begin(['worker', 'slow', '--json'])
  const taken = endOf(second)
  const journal = sqliteJournal({ path: join(project.folder, '.stateloop/stateloop.db') })
  await journal.post(run, { type: 'stateloop.cancel' })
  await journal.close()
  while ((await status()) !== 'cancelled') await new Promise((resolve) => setTimeout(resolve, 50))
  second.kill('SIGTERM')
  expect(JSON.parse((await taken).out)).toMatchObject({ taken: 1, ended: 1 })
})
