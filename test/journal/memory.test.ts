import { expect, test } from 'vitest'
import { memoryJournal } from '../../src/journal/index.ts'
import { journalContract } from '../contract/journal.ts'
import { entryAfter, sampleUpdate, startRun } from '../contract/journal/sample.ts'

journalContract('memory', async ({ clock }) => memoryJournal({ clock }))

test('two memory journals share nothing', async () => {
  const [one, two] = [memoryJournal(), memoryJournal()]
  await startRun(one, 'run')
  expect(await two.list()).toStrictEqual([])
})

test('a memory journal keeps the very entries it was given', async () => {
  const journal = memoryJournal()
  const { lease, first } = await startRun(journal, 'run')
  const second = entryAfter(first)
  await journal.append(lease, second, sampleUpdate())
  expect((await journal.read('run'))[1]).toBe(second)
})
