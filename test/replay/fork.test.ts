import { describe, expect, it } from 'vitest'
import { fakeClock } from '../../src/clock/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { diffRuns, exportRun, forkRun, formatRunDiff } from '../../src/replay/index.ts'
import { createRuntime } from '../../src/run/index.ts'
import { z } from 'zod'
import { agentOf, assignAnswer, listModel, type Turn } from '../run/harness.ts'
import { desk, ran } from './desk.ts'

const live = (turns: readonly Turn[], options: { readonly journal: Awaited<ReturnType<typeof ran>>['journal'] }) => createRuntime({ ...options, providers: [listModel(turns)], clock: fakeClock({ seed: 9 }) })

describe('a fork', () => {
  it('has the entries up to the step, names where it came from, and goes on live', async () => {
    const agent = desk()
    const { journal, run } = await ran(agent)
    const id = await forkRun(journal, run, agent, { at: 3, clock: fakeClock({ seed: 5 }) })
    const runtime = live([{ text: 'It is lost.' }], { journal })
    const handle = await runtime.resume(id, { agent })
    expect(await handle.outcome()).toMatchObject({ outcome: 'done', output: 'It is lost.' })
    const [old, now] = [await runtime.entries(run), await runtime.entries(id)]
    expect(now[0]?.body.cause).toMatchObject({ type: 'start', forkedFrom: { run, seq: 3 } })
    expect(now.slice(1, 4).map(({ body }) => body)).toEqual(old.slice(1, 4).map(({ body }) => body))
    expect((await journal.get(run))?.output).toBe('It was sent.')
  })

  it('takes changed results, input and context', async () => {
    const agent = desk()
    const { journal, run } = await ran(agent)
    const outcomeOf = async (at: number, set: Parameters<typeof forkRun>[3]['set'], turns: readonly Turn[]) => {
      const id = await forkRun(journal, run, agent, { at, set: set ?? {}, clock: fakeClock({ seed: at + 20 }) })
      return (await live(turns, { journal }).resume(id, { agent })).outcome()
    }
    expect(await outcomeOf(1, { 'output.topic': 'other' }, [])).toMatchObject({ outcome: 'done', output: 'no' })
    expect(await outcomeOf(0, { 'input.question': 'Is it raining?' }, [{ text: '{"topic":"other"}' }])).toMatchObject({ output: 'no' })
    const asked = listModel([{ text: 'Yes.' }])
    const id = await forkRun(journal, run, agent, { at: 2, set: { 'context.question': 'Where is order B2?' }, clock: fakeClock({ seed: 40 }) })
    const handle = await createRuntime({ journal, providers: [asked], clock: fakeClock({ seed: 9 }) }).resume(id, { agent })
    expect(await handle.outcome()).toMatchObject({ outcome: 'done', output: 'Yes.' })
    expect(asked.asked[0]?.messages.at(-1)?.content).toBe('Where is order B2?')
  })

  it('performs an effect that was under way at the step, without asking whether it had happened', async () => {
    let sent = 0
    const send = defineTool({ description: 'Sends.', input: z.object({}), effect: 'reversible', run: () => ({ sent: ++sent }) })
    const mail = agentOf(
      {
        id: 'mail',
        initial: 'sending',
        states: { sending: { invoke: { id: 'sending', src: 'send', onDone: { target: 'done', actions: assignAnswer }, onError: { target: 'done', guard: 'stateloop.anyFailure' } } }, done: { type: 'final' } },
      },
      { send: { kind: 'tool', name: 'send', tool: send, args: () => ({}) } },
    )
    const { journal, run } = await ran(mail, listModel([]), null)
    const id = await forkRun(journal, run, mail, { at: 0, clock: fakeClock({ seed: 50 }) })
    const handle = await live([], { journal }).resume(id, { agent: mail })
    expect(await handle.outcome()).toMatchObject({ outcome: 'done', output: { sent: 2 } })
  })

  it('with a changed prompt goes on with the new one; with a machine that does not get there it is refused', async () => {
    const { journal, run } = await ran(desk())
    const id = await forkRun(journal, run, desk({ tone: 'long' }), { at: 4, clock: fakeClock({ seed: 60 }) })
    const asked = listModel([{ text: 'Longer.' }])
    const handle = await createRuntime({ journal, providers: [asked], clock: fakeClock({ seed: 9 }) }).resume(id, { agent: desk({ tone: 'long' }) })
    expect(await handle.outcome()).toMatchObject({ output: 'Longer.' })
    expect(asked.asked[0]?.messages[0]?.content).toBe('Give a long answer about orders.')
    await expect(forkRun(journal, run, desk({ orderTo: 'refused' }), { at: 4 })).rejects.toThrow(/cannot be forked at step 4 with this agent, because it no longer gets there: at step 1/)
  })

  it('says which steps there are and what can be set', async () => {
    const { journal, run } = await ran(desk())
    await expect(forkRun(journal, run, desk(), { at: 9 })).rejects.toThrow('The run has no step 9; its steps are 0 to 5.')
    await expect(forkRun(journal, run, desk(), { at: 1, set: { 'input.question': 'x' } })).rejects.toThrow(
      '--set input.question does not fit that step, which is the result of an effect. There it can be output.… or context.….',
    )
    await expect(forkRun(journal, run, desk(), { at: 1, set: { 'output.topic.x': 1 } })).rejects.toThrow(/There is no output\.topic\.x at that step/)
  })
})

describe('the difference of two runs', () => {
  it('aligns their steps and shows values, output and totals', async () => {
    const agent = desk()
    const { journal, run } = await ran(agent)
    const id = await forkRun(journal, run, agent, { at: 3, clock: fakeClock({ seed: 5 }) })
    await (await live([{ text: 'It is lost.' }], { journal }).resume(id, { agent })).outcome()
    const [a, b] = [await exportRun(journal, run), await exportRun(journal, id)]
    expect(diffRuns(a, a).same).toBe(true)
    expect(formatRunDiff(diffRuns(a, b))).toBe(
      `    0   0  start → triaging
    1   1  triaging done → searching
    2   2  searching done → answering
    3   3  answering done → acting
+       4  resumed
    4   5  acting done → answering
~   5   6  answering done → sent
            ~ output.content: "It was sent." → "It is lost."
output
  ~ output: "It was sent." → "It is lost."
outcome done · model calls 3 · tool calls 1 · tokens 45 · cost 0.00006 · time 0 ms`,
    )
  })
})
