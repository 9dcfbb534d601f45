import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRuntime } from 'stateloop'
import { replayAll } from 'stateloop/replay'
import assistant, { offline } from './agent.ts'

test('an order is looked up before anything is said about it', async () => {
  await using runtime = createRuntime({ providers: [offline] })
  const run = await runtime.start(assistant, { question: 'Where is order 7?' })
  const outcome = await run.outcome()
  assert.equal(outcome.outcome, 'done')
  assert.match(outcome.outcome === 'done' ? outcome.output : '', /shipped/)
})

test('nothing is cancelled before a person has approved it', async () => {
  await using runtime = createRuntime({ providers: [offline] })
  const run = await runtime.start(assistant, { question: 'Please cancel order 8.' })
  const outcome = await run.outcome()
  assert.equal(outcome.outcome, 'waiting')
})

test('what was recorded still goes the same way', async () => {
  const reports = await replayAll(`${import.meta.dirname}/recordings`)
  assert.deepEqual(
    reports.map(({ status }) => status),
    reports.map(() => 'same'),
  )
})
