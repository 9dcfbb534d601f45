import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { sqliteJournal } from '../../src/journal/index.ts'
import { testProject, type TestProject } from './project.ts'

let project: TestProject
beforeAll(async () => {
  project = await testProject()
})
afterAll(() => project[Symbol.asyncDispose]())

it('begins queued runs, brings waiting ones back for an event, and ends when there is nothing to do', async () => {
  const queued = await project.json('run', 'order', '--input', '{"item":"lamp"}', '--queue', '--user', 'ann', '--priority', '2')
  const { run } = queued.value as { readonly run: string }
  expect((await project.json('runs')).value).toMatchObject({ runs: [{ id: run, status: 'queued' }] })
  expect(await project.json('worker', 'order', '--until-idle')).toStrictEqual({ code: 0, value: { taken: 1, ended: 0, waiting: 1, handedOver: 0 } })
  const journal = sqliteJournal({ path: join(project.folder, '.stateloop/stateloop.db') })
  await journal.post(run, { type: 'PAID', amount: 3 })
  await journal.close()
  const { out, code } = await project.stateloop(['worker', 'order', '--until-idle'])
  expect(code).toBe(0)
  expect(out).toContain('took up 1: 1 ended, 0 wait, 0 handed over')
  expect((await project.json('show', run)).value).toMatchObject({ run: { status: 'done', output: { item: 'lamp', packed: true } } })
})

it('works for every agent of the project unless told, and refuses numbers that are none', async () => {
  expect((await project.stateloop(['worker', '--until-idle'])).out).toMatch(/^working for .*desk, order, slow/)
  expect((await project.stateloop(['worker', 'order', '--concurrency', 'many'])).code).toBe(2)
  expect((await project.stateloop(['run', 'order', '--input', '{"item":"x"}', '--queue', '--priority', 'high'])).code).toBe(2)
})

it('says what the database is, and that a file migrates itself', async () => {
  expect((await project.json('db', 'status')).value).toMatchObject({ kind: 'sqlite', exists: true })
  expect((await project.stateloop(['db', 'migrate'])).out).toContain('is up to date')
  expect((await project.stateloop(['db', 'drop'])).code).toBe(2)
  expect(await project.json('db', 'status', '--db', 'postgres://ada:secret@127.0.0.1:1/app')).toMatchObject({ code: 3, value: { error: { code: 'journal_unavailable' } } })
})
