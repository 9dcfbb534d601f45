import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent, type Agent } from '../../src/agent/index.ts'
import { fakeClock } from '../../src/clock/index.ts'
import { memoryJournal, type Journal } from '../../src/journal/index.ts'
import { replyFailure, replyOutput, replyText, script } from '../../src/model/index.ts'
import { client, createRuntime, historyOf, recordedHistory, type HistoryStep, type RunEvent } from '../../src/run/index.ts'
import { canonical } from '../../src/schema/index.ts'
import { defineTool } from '../../src/tool/index.ts'
import { adder, copyPrefix, listModel, loopAgent, testRuntime } from './harness.ts'
import { desk } from './observe/desk.ts'
import { play, settle } from './observe/play.ts'

const price = { inputUsd: 1, outputUsd: 1 }

/** Kinds of calls whose arguments the agent computes, so that the journal does not hold them. */
const DECIDED: ReadonlySet<string> = new Set(['tool', 'retrieve', 'rerank'])

/**
 * An event without what only the agent knows: edges, arguments that it computed,
 * what exactly a state waits for, and the name of a model that never answered.
 */
const known = (event: RunEvent): readonly object[] => {
  const { at: _at, seq, index: _index, ...rest } = event
  if (rest.type === 'tool.called') return []
  if (rest.type === 'transition.taken') return [{ seq, ...rest, edges: [] }]
  if (rest.type === 'run.waiting') return [{ seq, type: rest.type }]
  if ((rest.type === 'effect.started' || rest.type === 'attempt.ended') && rest.key.includes('1-strong')) return [{ seq, ...rest, name: 'never billed' }]
  if (rest.type !== 'effect.started' || !DECIDED.has(rest.kind)) return [{ seq, ...rest }]
  const { args: _args, ...bare } = rest
  return [{ seq, ...bare }]
}

const told = (steps: readonly HistoryStep[]): readonly object[] => steps.flatMap(({ events }) => events.flatMap(known))

const both = async (journal: Journal, run: string, agent: Agent): Promise<readonly [readonly object[], readonly object[]]> => [
  told(await recordedHistory(journal, run).next()),
  told(await historyOf(journal, run, agent).next()),
]

describe('a run that is read without its agent', () => {
  it('tells what watchers were told: retries, fallbacks, tools, a child agent, a person who approves', async () => {
    const { journal, id } = await play()
    const [recorded, folded] = await both(journal, id, desk as Agent)
    expect(recorded).toEqual(folded)
  })

  it('tells parallel regions, items with a child each, and a state that leads to itself', async () => {
    const c = setupAgent({ id: 'pricer', models: { m: { model: 'scripted/m', price } }, input: z.object({ name: z.string() }), onFailure: 'failed' })
    const pricer = c.createAgent({
      initial: 'asking',
      states: { asking: c.model('m', { prompt: 'p', onDone: 'done' }), done: c.final({ output: () => 1 }), failed: c.final({ outcome: 'failed' }) },
    })
    const t = setupAgent({ id: 'shop', models: { m: { model: 'scripted/m', price } }, agents: { pricer }, input: z.object({ names: z.array(z.object({ name: z.string() })) }), onFailure: 'failed' })
    const shop = t.createAgent({
      initial: 'both',
      states: {
        both: t.parallel({
          states: {
            pricing: t.region({ initial: 'each', states: { each: t.each('pricer', { items: ({ context }) => context.names, concurrency: 2, onDone: 'priced' }), priced: t.final() } }),
            greeting: t.region({
              initial: 'hello',
              states: { hello: t.model('m', { prompt: 'h', output: z.object({ again: z.enum(['yes', 'no']) }), maxVisits: 5, onDone: { match: 'again', to: { yes: 'hello', no: 'greeted' } } }), greeted: t.final() },
            }),
          },
          onDone: 'done',
        }),
        done: t.final(),
        failed: t.final({ outcome: 'failed' }),
      },
    })
    const journal = memoryJournal()
    const clock = fakeClock({ seed: 4 })
    const model = script({ asking: [replyText('1'), replyFailure('overloaded'), replyText('2')], hello: [replyOutput({ again: 'yes' }), replyOutput({ again: 'no' })] })
    const runtime = createRuntime({ journal, clock, providers: [model] })
    const run = await runtime.start(shop, { names: [{ name: 'a' }, { name: 'b' }] })
    expect((await settle(clock, run.outcome())).outcome).toBe('done')
    const [recorded, folded] = await both(journal, run.id, shop as Agent)
    // Which of two regions was told first is not in the journal.
    const sorted = (events: readonly object[]): readonly string[] => events.map(canonical).toSorted()
    expect(sorted(recorded)).toEqual(sorted(folded))
  })

  it('tells how a run ended that a limit stopped, and one that was cancelled while it called', async () => {
    const journal = memoryJournal()
    const agent = loopAgent({ add: adder() }, { limits: { modelCalls: 2 } })
    const { runtime } = testRuntime({ providers: [listModel(() => ({ calls: [{ id: 'c1', name: 'add', args: { a: 1, b: 2 } }] }))], journal })
    const limited = await runtime.start(agent, 'x')
    expect((await limited.outcome()).outcome).not.toBe('done')
    const never = { id: 'fake', call: () => new Promise<never>(() => {}) }
    const other = createRuntime({ providers: [never], journal, clock: fakeClock({ seed: 9 }) })
    const cancelled = await other.start(agent, 'y')
    await cancelled.cancel('enough')
    expect((await cancelled.outcome()).outcome).toBe('cancelled')
    for (const run of [limited.id, cancelled.id]) {
      const [recorded, folded] = await both(journal, run, agent)
      // The structure of this agent is not in the journal, so kinds and names of tools are not known.
      const bare = (events: readonly object[]): readonly object[] => events.map((event) => ({ ...event, kind: '', name: '', args: '' }))
      expect(bare(recorded)).toEqual(bare(folded))
    }
  })

  it('tells the calls of a hand-written loop, with their arguments', async () => {
    const add = defineTool({ description: 'Adds.', input: z.object({ a: z.number(), b: z.number() }), run: ({ a, b }) => a + b })
    const clock = fakeClock({ seed: 1 })
    const runtime = createRuntime({ clock, providers: [script([replyFailure('rate_limited'), replyText('3')], { price })] })
    const run = await runtime.record('sums', { user: 'ada' }, async (calls) => {
      const sum = await calls.tool('add-1', add, { a: 1, b: 2 })
      return (await calls.model('ask', { model: 'scripted/m', messages: `Is it ${String(sum)}?` })).text
    })
    const live: RunEvent[] = []
    runtime.watch(run.id, (event) => live.push(event))
    expect(await settle(clock, run.outcome())).toMatchObject({ outcome: 'done', output: '3' })
    const steps = await recordedHistory(runtime.journal, run.id).next()
    const comparable = (events: readonly RunEvent[]): readonly object[] =>
      events.filter(({ type }) => type !== 'token.delta').flatMap((event) => ('kind' in event && event.kind === 'tool' ? [{ ...known(event)[0], args: 'args' in event ? event.args : undefined }] : known(event)))
    expect(comparable(steps.flatMap(({ events }) => events))).toEqual(comparable(live))
    expect(steps.flatMap(({ events }) => events).find((event) => event.type === 'effect.started' && event.kind === 'tool')).toMatchObject({ name: 'add', args: { a: 1, b: 2 } })
  })

  it('tells the calls of a client', async () => {
    const ai = client({ models: { fast: { model: 'scripted/fast', price } }, providers: [script([replyFailure('refused'), replyText('hi')], { price })] })
    const { run } = await ai.call({ model: 'fast', prompt: 'x', name: 'greet', fallback: ['scripted/other', { value: 'none' }] })
    const steps = await recordedHistory(ai.runtime.journal, run).next()
    const ended = steps.flatMap(({ events }) => events.flatMap((event) => (event.type === 'attempt.ended' ? [[event.state, event.kind, event.name, event.failure?.code]] : [])))
    expect(ended).toEqual([
      // A call that was not billed does not say which model it asked.
      ['asking.1-fast', 'model', 'asking.1-fast', 'refused'],
      ['asking.2-scripted_other', 'model', 'scripted/other', undefined],
    ])
    expect(steps.at(-1)?.events.at(-1)).toMatchObject({ type: 'run.ended', outcome: 'done', output: 'hi' })
  })

  it('goes on with the entries that came since', async () => {
    const { journal, id } = await play()
    const whole = await recordedHistory(journal, id).next()
    const other = memoryJournal()
    await copyPrefix(journal, other, id, 3)
    const history = recordedHistory(other, id)
    const first = await history.next()
    expect(first).toHaveLength(3)
    expect(await history.next()).toEqual([])
    const row = await journal.get(id)
    const lease = await other.acquire(id, 'later', 1_000)
    for (const entry of await journal.read(id, 3)) await other.append(lease, entry, row as never)
    const states = (steps: readonly HistoryStep[]): readonly unknown[] => steps.flatMap(({ events }) => events.flatMap((event) => (event.type === 'state.entered' ? [event.state] : [])))
    expect(states([...first, ...(await history.next())])).toEqual(states(whole))
  })

  it('refuses a run that is not there', async () => {
    await expect(recordedHistory(memoryJournal(), 'nothing').next()).rejects.toMatchObject({ code: 'run_not_found' })
  })
})
