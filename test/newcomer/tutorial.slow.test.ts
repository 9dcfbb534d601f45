// The first pages that somebody reads, from an empty folder: the tutorial, and then the code of the README.
import { replyText, scripted } from 'stateloop'
import { scriptedServer } from 'stateloop/testing'
import { expect, test } from 'vitest'
import { modulesOf, readPage } from '../docs/pages.ts'
import { newcomerFolder } from './folder.ts'
import { follow } from './follow.ts'

test('the tutorial and the code of the README run as they stand', async () => {
  await using model = await scriptedServer({ provider: scripted({ id: 'openai', rules: () => replyText('Take an umbrella.') }), apiKey: 'sk-test-of-a-newcomer' })
  await using folder = await newcomerFolder({ OPENAI_BASE_URL: model.url, OPENAI_API_KEY: 'sk-test-of-a-newcomer' })
  const tutorial = readPage('docs/tutorial/your-first-agent.md')
  await follow(folder, tutorial)
  await folder.save('first.ts', Object.values(modulesOf(tutorial)).join(''))
  expect(await folder.type('node first.ts')).toMatch(/output: 'Good morning, Ada.'[^]+\nanswering\nacting\nanswering\ndone\n$/)

  await folder.save('readme.ts', Object.values(modulesOf(readPage('README.md'))).join(''))
  expect(await folder.type('node readme.ts')).toMatch(/outcome: 'done',\s+output: 'Take an umbrella.'/)
})
