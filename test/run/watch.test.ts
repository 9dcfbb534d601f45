import { expect, test } from 'vitest'
import { agent, defineTool, replyCalls, replyText, script, type RunEvent } from 'stateloop'
import { z } from 'zod'
import { testRuntime } from './harness.ts'

const pay = defineTool({ description: 'Pays.', input: z.object({ amount: z.number() }), effect: 'irreversible', run: () => ({ paid: true }) })
const payer = agent({ id: 'payer', model: 'openai/gpt-5-mini', prompt: 'Pay what is asked for.', tools: { pay } })
const turns = () => script([replyCalls({ name: 'pay', args: { amount: 3 } }), replyText('It is paid.')], { id: 'openai' })

test('a watcher hears the whole run, tokens included and numbers what an entry holds, although another handle goes on with it after a wait', async () => {
  const { runtime } = testRuntime({ providers: [turns()] })
  const run = await runtime.start(payer, 'Pay 3.')
  const heard: RunEvent[] = []
  const stop = runtime.watch(run.id, (event) => heard.push(event))
  const waiting = await runtime.outcome(run.id)
  if (waiting.outcome !== 'waiting') throw new Error('the run should wait')
  await runtime.send(run.id, { type: 'APPROVE', hash: waiting.waiting[0]?.calls?.[0]?.hash ?? '' })
  expect(await runtime.outcome(run.id)).toMatchObject({ outcome: 'done', output: 'It is paid.' })
  expect(heard.map(({ type }) => type)).toEqual(expect.arrayContaining(['run.started', 'run.waiting', 'run.resumed', 'token.delta', 'run.ended']))
  const numbered = heard.filter(({ index }) => index !== undefined)
  const expected = numbered.map(({ seq }, at) => `${seq}.${numbered.slice(0, at).filter((before) => before.seq === seq).length}`)
  expect(numbered.map(({ seq, index }) => `${seq}.${index}`)).toEqual(expected)
  expect([...new Set(heard.filter(({ index }) => index === undefined).map(({ type }) => type))]).toEqual(['run.resumed', 'token.delta'])
  stop()
  await runtime.close()
})

test('a watcher that stopped hears nothing more, and one of another run never did', async () => {
  const { runtime } = testRuntime({ providers: [turns()] })
  const run = await runtime.start(payer, 'Pay 3.')
  const heard: RunEvent[] = []
  runtime.watch('another run', (event) => heard.push(event))
  runtime.watch(run.id, (event) => heard.push(event))()
  const before = heard.length
  await run.outcome()
  expect(heard.length).toBe(before)
  await expect(runtime.outcome('no such run')).rejects.toMatchObject({ code: 'run_not_found' })
  await runtime.close()
})
