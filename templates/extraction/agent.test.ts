import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRuntime } from 'stateloop'
import { replayAll } from 'stateloop/replay'
import extraction, { example, offline } from './agent.ts'

test('a total that was written as text is repaired', async () => {
  await using runtime = createRuntime({ providers: [offline] })
  const outcome = await (await runtime.start(extraction, example)).outcome()
  assert.deepEqual(outcome.outcome === 'done' ? outcome.output : outcome, { vendor: 'Lamp House', total: 129.5, dueDate: '2027-01-31' })
  assert.equal(outcome.modelCalls, 2)
})

test('a person fills in what cannot be read', async () => {
  await using runtime = createRuntime({ providers: [offline] })
  const run = await runtime.start(extraction, { letter: 'Greetings from the coast!' })
  assert.equal((await run.outcome()).outcome, 'waiting')
  await run.send({ type: 'FILLED_IN', invoice: { vendor: 'Nobody', total: 0 } })
  const outcome = await run.outcome()
  assert.deepEqual(outcome.outcome === 'done' ? outcome.output : outcome, { vendor: 'Nobody', total: 0 })
})

test('what was recorded still goes the same way', async () => {
  const reports = await replayAll(`${import.meta.dirname}/recordings`)
  assert.deepEqual(
    reports.map(({ status }) => status),
    reports.map(() => 'same'),
  )
})
