import { gunzipSync } from 'node:zlib'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { parseRecording } from '../../src/replay/index.ts'
import { testProject, type TestProject } from './project.ts'

let project: TestProject
beforeAll(async () => {
  project = await testProject()
})
afterAll(() => project[Symbol.asyncDispose]())

const start = async (user: string): Promise<string> => ((await project.json('run', 'desk', '--question', 'Open on Sunday?', '--user', user)).value as { readonly run: string }).run

it('shows what would go, archives what goes, and leaves runs that are younger', async () => {
  const run = await start('ann')
  expect(await project.json('prune', '--older-than', '30d')).toMatchObject({ code: 0, value: { found: 0, removed: 0, before: { runs: 1 } } })
  expect((await project.stateloop(['prune', '--older-than', '0h', '--dry-run'])).out).toMatch(/1 runs, \d+ entries.*\nwould remove 1 runs/)
  expect((await project.stateloop(['prune', '--older-than', '0h', '--archive', 'old'])).out).toContain('removed 1 runs')
  const [file = ''] = await readdir(join(project.folder, 'old'))
  expect(file).toBe(`${run}.jsonl.gz`)
  const recording = parseRecording(gunzipSync(await readFile(join(project.folder, 'old', file))).toString('utf8'), file)
  expect(recording.row).toMatchObject({ id: run, status: 'done' })
  expect((await project.stateloop(['show', run])).code).toBe(2)
})

it('forgets a person and nobody else', async () => {
  const [ann, bob] = [await start('ann'), await start('bob')]
  expect(await project.json('forget', '--user', 'ann')).toStrictEqual({ code: 0, value: { user: 'ann', removed: 1, left: 0 } })
  expect((await project.stateloop(['show', ann])).code).toBe(2)
  expect((await project.stateloop(['show', bob])).code).toBe(0)
})

it('refuses an age that is none, and forgetting nobody', async () => {
  expect((await project.stateloop(['prune', '--older-than', 'soon'])).code).toBe(2)
  expect((await project.stateloop(['forget'])).code).toBe(2)
})
