import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRuntime } from 'stateloop'
import { replayAll } from 'stateloop/replay'
import documents, { offline } from './agent.ts'

const ask = async (question: string): Promise<{ readonly answer: string; readonly sources: readonly string[] }> => {
  await using runtime = createRuntime({ providers: [offline] })
  const outcome = await (await runtime.start(documents, { question })).outcome()
  assert.equal(outcome.outcome, 'done')
  return (outcome.outcome === 'done' ? outcome.output : undefined) ?? { answer: '', sources: [] }
}

test('an answer names the page it is from', async () => {
  const { answer, sources } = await ask('How long may I keep a book?')
  assert.match(answer, /four weeks/)
  assert.match(sources.join(), /lending\.md/)
})

test('a question about something else is not answered from thin air', async () => {
  assert.deepEqual(await ask('xyzzy'), { answer: 'The documents do not answer this.', sources: [] })
})

test('what was recorded still goes the same way', async () => {
  const reports = await replayAll(`${import.meta.dirname}/recordings`)
  assert.deepEqual(
    reports.map(({ status }) => status),
    reports.map(() => 'same'),
  )
})
