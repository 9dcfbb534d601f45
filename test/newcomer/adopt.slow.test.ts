// The ways into an existing repository, each begun in an empty folder and followed to the letter.
import { replyOutput, replyText, scripted } from 'stateloop'
import { scriptedServer } from 'stateloop/testing'
import { expect, test } from 'vitest'
import { readPage } from '../docs/pages.ts'
import { startCollector } from '../run/observe/collector.ts'
import { newcomerFolder } from './folder.ts'
import { follow } from './follow.ts'

const KEY = 'sk-test-of-a-newcomer'

test('a typed client in an afternoon', async () => {
  await using model = await scriptedServer({ provider: scripted({ id: 'openai', rules: () => replyOutput({ desk: 'sales' }) }), apiKey: KEY })
  await using folder = await newcomerFolder({ OPENAI_BASE_URL: model.url, OPENAI_API_KEY: KEY })
  const { printed } = await follow(folder, readPage('docs/how-to/adopt-client.md'))
  expect(printed.get('npx stateloop doctor')).toContain('0 broken')
  expect(printed.get('node --test')).toMatch(/pass 2\b/)
  expect(printed.get('npx stateloop costs --by user,route')).toMatch(/ada +\/mails +\$0\.0000\d+ +100%/)
})

test('traces in a day', async () => {
  await using model = await scriptedServer({ provider: scripted({ id: 'openai', rules: () => replyText('It scatters blue light.') }), apiKey: KEY })
  await using collector = await startCollector()
  await using folder = await newcomerFolder({ OPENAI_BASE_URL: model.url, OPENAI_API_KEY: KEY, OTEL_EXPORTER_OTLP_ENDPOINT: collector.url })
  const { printed } = await follow(folder, readPage('docs/how-to/adopt-traces.md'))
  expect(printed.get('node src/try.ts')).toBe('It scatters blue light.\n')
  expect(printed.get('node src/chat.ts')).toBe('It scatters blue light.\n')
  expect(printed.get('npx stateloop runs')).toMatch(/ai-sdk +done .+\n.+ answer +done /)
  expect(printed.get('npx stateloop show <run>')).toMatch(/user ada · route \/chat .+✓ asking +model .+ openai\/gpt-5-mini /s)
  expect(printed.get('npx stateloop costs --by user,route')).toContain('3 calls')
  const runs = collector.spans.filter(({ name }) => name.startsWith('invoke_agent'))
  expect(runs.map(({ name, service, attributes }) => [name, service, attributes['user.id']])).toEqual([
    ['invoke_agent answer', 'shop', 'ada'],
    ['invoke_agent ai-sdk', 'shop', 'ada'],
  ])
  expect(collector.spans.filter(({ name }) => name === 'chat gpt-5-mini').map(({ attributes }) => attributes['stateloop.effect.key'])).toEqual(['/looping#1:draft', '/looping#1:check', '/asking#1'])
  expect(JSON.stringify(collector.spans)).not.toContain('blue')
})

test('the AI SDK both ways: its models for an agent, and its functions recorded', async () => {
  await using model = await scriptedServer({ provider: scripted({ rules: () => replyText('Hello.') }), apiKey: KEY })
  await using folder = await newcomerFolder({ GROQ_API_KEY: KEY })
  await folder.type('npm init --yes')
  await folder.type('npm pkg set type=module')
  const { printed } = await follow(folder, readPage('docs/how-to/ai-sdk.md'), { change: (text) => text.replace('https://api.groq.com/openai/v1', model.url) })
  expect(printed.get('node src/quick.ts')).toMatch(/outcome: 'done',\s+output: 'Hello.'/)
  expect(printed.get('node src/hello.ts')).toBe('Hello.\n')
  expect(printed.get('npx stateloop runs')).toMatch(/ai-sdk +done/)
})

test('ten cases in CI in a week', async () => {
  await using folder = await newcomerFolder({ GIT_AUTHOR_NAME: 'ada', GIT_AUTHOR_EMAIL: 'ada@example.com', GIT_COMMITTER_NAME: 'ada', GIT_COMMITTER_EMAIL: 'ada@example.com' })
  const { printed } = await follow(folder, readPage('docs/how-to/adopt-evals.md'))
  expect(printed.get('npx stateloop new --ci')).toContain('wrote .github/workflows/evals.yml')
  expect(printed.get('npx stateloop eval --affected')).toContain('pass rate 100.0 %')
})
