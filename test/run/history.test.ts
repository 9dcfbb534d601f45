import { describe, expect, it } from 'vitest'
import { graphOf } from '../../src/agent/index.ts'
import { memoryJournal } from '../../src/journal/index.ts'
import { historyOf, type HistoryStep, type RunEvent } from '../../src/run/index.ts'
import { adder, copyPrefix, listModel, loopAgent, testRuntime } from './harness.ts'

const calls = { calls: [{ id: 'c1', name: 'add', args: { a: 1, b: 2 } }] }

const playedRun = async () => {
  const journal = memoryJournal()
  const agent = loopAgent({ add: adder() })
  const { runtime } = testRuntime({ providers: [listModel([calls, { text: 'three' }])], journal })
  const run = await runtime.start(agent, 'x')
  const told: RunEvent[] = []
  for await (const event of run) if (event.type !== 'token.delta') told.push(event)
  return { journal, agent, run: run.id, told }
}

const edgesIn = (steps: readonly HistoryStep[]): readonly string[] => steps.flatMap(({ events }) => events.flatMap((event) => (event.type === 'transition.taken' ? event.edges : [])))

describe('the history of a run', () => {
  it('tells what watchers were told, entry by entry', async () => {
    const { journal, agent, run, told } = await playedRun()
    const steps = await historyOf(journal, run, agent).next()
    expect(steps.flatMap(({ events }) => events)).toEqual(told)
    expect(steps.map(({ entry }) => entry.seq)).toEqual([0, 1, 2, 3])
  })

  it('says where each machine stood, with its context and its messages so far', async () => {
    const { journal, agent, run } = await playedRun()
    const steps = await historyOf(journal, run, agent).next()
    expect(steps.map(({ actors }) => actors[0]?.value)).toEqual(['thinking', 'acting', 'thinking', 'done'])
    expect(steps.map(({ actors }) => actors[0]?.context['answer'])).toEqual([null, null, null, 'three'])
    expect(steps.map(({ actors }) => actors[0]?.threads[0]?.length)).toEqual([1, 2, 3, 4])
    expect(steps[2]?.actors[0]?.context['input']).toBe(steps[0]?.actors[0]?.context['input'])
  })

  it('names the edges that were taken as the graph of the machine does', async () => {
    const { journal, agent, run } = await playedRun()
    const graph = graphOf(agent.machine)
    const taken = edgesIn(await historyOf(journal, run, agent).next()).map((id) => graph.edges.find((edge) => edge.id === id))
    expect(taken.map((edge) => [edge?.source, edge?.targets[0]])).toEqual([
      ['thinking', 'acting'],
      ['acting', 'thinking'],
      ['thinking', 'done'],
    ])
  })

  it('goes on with the entries that came since', async () => {
    const { journal, agent, run } = await playedRun()
    const other = memoryJournal()
    await copyPrefix(journal, other, run, 2)
    const history = historyOf(other, run, agent)
    expect((await history.next()).map(({ entry }) => entry.seq)).toEqual([0, 1])
    expect(await history.next()).toEqual([])
    const row = await journal.get(run)
    const lease = await other.acquire(run, 'later', 1_000)
    for (const entry of await journal.read(run, 2)) await other.append(lease, entry, row as never)
    expect((await history.next()).map(({ actors }) => actors[0]?.value)).toEqual(['thinking', 'done'])
  })

  it('refuses a run that belongs to another agent', async () => {
    const { journal, agent, run } = await playedRun()
    const changed = { ...agent, machine: agent.machine.provide({ guards: { 'stateloop.calls': () => false } }) }
    await expect(historyOf(journal, run, changed).next()).rejects.toMatchObject({ code: 'definition_changed' })
  })
})
