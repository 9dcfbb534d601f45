import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { setupAgent, type Agent } from '../../../src/agent/index.ts'
import { callsOf } from '../../../src/cli/trace/calls.ts'
import { findingsOf } from '../../../src/cli/trace/findings.ts'
import { describeSlowest, drawLines, linesOf, waitsOf } from '../../../src/cli/trace/waterfall.ts'
import { fakeClock, sleep, type FakeClock } from '../../../src/clock/index.ts'
import { memoryJournal, sqliteJournal } from '../../../src/journal/index.ts'
import { replyCalls, replyFailure, replyText, script, type ScriptedReply } from '../../../src/model/index.ts'
import { client, createRuntime, historyOf, spansOf, type HistoryStep } from '../../../src/run/index.ts'
import { defineReranker, defineRetriever, defineTool } from '../../../src/tool/index.ts'
import { desk } from '../../run/observe/desk.ts'
import { play, settle } from '../../run/observe/play.ts'
import { fixture, testProject } from '../project.ts'

const faqOn = (clock: FakeClock): Agent<{ question: string }> => {
  const t = setupAgent({
    id: 'faq',
    models: { fast: 'scripted/fast' },
    tools: {
      look: defineTool({ description: 'Looks up.', input: z.object({ id: z.number() }), run: async ({ id }) => (await sleep(clock, 100), { id }) }),
      search: defineTool({
        description: 'Searches.',
        input: z.object({ q: z.string() }),
        run: () => {
          throw new Error('down')
        },
      }),
      weigh: defineTool({ description: 'Weighs.', input: z.object({}), run: () => 1 }),
    },
    retrievers: { kb: defineRetriever({ search: async ({ query }) => (await sleep(clock, 300), [{ id: 'a', text: query }]) }) },
    rerankers: { rank: defineReranker({ rank: async ({ documents }) => (await sleep(clock, 3_600), documents) }) },
    input: z.object({ question: z.string() }),
    context: z.object({ question: z.string(), docs: z.array(z.any()), answer: z.string() }),
    onFailure: 'failed',
  })
  return t.createAgent({
    initial: 'searching',
    states: {
      searching: t.retrieve('kb', { query: ({ context }) => context.question, k: 5, save: 'docs', onDone: 'reranking' }),
      reranking: t.rerank('rank', { query: ({ context }) => context.question, documents: ({ context }) => context.docs ?? [], k: 3, save: 'docs', onDone: 'answering' }),
      answering: t.model('fast', { prompt: ({ context }) => context.question, tools: ['look', 'search', 'weigh'], maxVisits: 9, onTools: 'acting', save: 'answer', onDone: 'answered' }),
      acting: t.tools({ parallel: 2, onDone: 'answering' }),
      answered: t.final({ output: ({ context }) => context.answer ?? '' }),
      failed: t.final({ outcome: 'failed' }),
    },
  }) as Agent<{ question: string }>
}

const TURNS: readonly ScriptedReply[] = [
  replyFailure('rate_limited', { provider: { retryAfterMs: 500 } }),
  replyCalls({ name: 'search', args: { q: 'x' } }),
  replyCalls({ name: 'look', args: { id: 7 } }, { name: 'look', args: { id: 8 } }),
  replyCalls({ name: 'look', args: { id: 7 } }),
  replyText('yes'),
]

/** Runs the agent as often as asked, and gives the history of each run. */
const histories = async (questions: readonly string[]): Promise<{ readonly agent: Agent; readonly runs: readonly (readonly HistoryStep[])[] }> => {
  const journal = memoryJournal()
  const clock = fakeClock({ seed: 2 })
  const agent = faqOn(clock)
  const runs: (readonly HistoryStep[])[] = []
  for (const question of questions) {
    const runtime = createRuntime({ journal, clock, providers: [script(TURNS)] })
    const run = await runtime.start(agent, { question })
    expect((await settle(clock, run.outcome())).outcome).toBe('done')
    runs.push(await historyOf(journal, run.id, agent as Agent).next())
  }
  return { agent: agent as Agent, runs }
}

const drawn = (agent: string, steps: readonly HistoryStep[]) => {
  const events = steps.flatMap((step) => step.events)
  const lines = linesOf(spansOf(agent, events), waitsOf(events))
  return { text: drawLines(lines), slowest: describeSlowest(lines) }
}

describe('the waterfall of a run', () => {
  it('shows states, calls and repeated attempts with their time, and marks the slowest path', async () => {
    const { runs } = await histories(['Can I?'])
    const { text, slowest } = drawn('faq', runs[0] ?? [])
    expect(`\n${text.replaceAll(/\d+ in, \d+ out · \$0/g, 'tokens')}\n`).toBe(WATERFALL)
    expect(slowest).toBe('slowest: reranking › rerank rank, 3.6 s of 4.6 s (78 %)')
  })

  it('gives no room to the time in which the run waited for a person', async () => {
    const { journal, id } = await play()
    const steps = await historyOf(journal, id, desk as Agent).next()
    const { text } = drawn('desk', steps)
    const approving = text.split('\n').find((line) => line.includes('approving'))
    expect(approving).toMatch(/approving +\d+ ms .*waited 1 min 0 s$/)
    expect(text.split('\n')[0]).toMatch(/invoke_agent desk +\d+ ms/)
    expect(text).toContain('      invoke_agent checker')
    expect(text).toContain('overloaded')
  })

  it('of a run without entries is empty', () => {
    expect(drawn('faq', []).slowest).toBeUndefined()
  })
})

const WATERFALL = `
  invoke_agent faq          4.6 s  ████████████████████████████  tokens
    searching              300 ms  ██
      retrieval kb         300 ms  ██
▶   reranking               3.6 s   ██████████████████████
▶     rerank rank           3.6 s   ██████████████████████
    answering              500 ms                         ███
      chat fast            500 ms                         ███    tokens
        attempt 1            0 ms                         ·      rate_limited
        attempt 2            0 ms                            ·
    acting                   0 ms                            ·
      execute_tool search    0 ms                            ·   tool_failed
    answering                0 ms                            ·
      chat fast              0 ms                            ·   tokens
    acting                 100 ms                            █
      execute_tool look    100 ms                            █
      execute_tool look    100 ms                            █
    answering                0 ms                             ·
      chat fast              0 ms                             ·  tokens
    acting                 100 ms                             █
      execute_tool look    100 ms                             █
    answering                0 ms                             ·
      chat fast              0 ms                             ·  tokens
    answered                 0 ms                             ·
`

describe('what stands out in a run', () => {
  it('is a call that is made a second time, a tool that failed and was left, and a tool that nobody chose', async () => {
    const { agent, runs } = await histories(['Can I?'])
    const messages = findingsOf(agent, callsOf('faq', runs[0] ?? []), []).map(({ kind, message }) => `${kind}: ${message}`)
    expect(messages).toEqual([
      'repeated: look {"id":7} was called 2 times, with the same result. Cache it, or keep the answer in the context. The repetition took 100 ms.',
      'abandoned: search was chosen once, failed (tool_failed) and then left for look. Say in its description when to use it and what it takes.',
      'unused: answering offered weigh in 4 calls and the model never chose it.',
    ])
  })

  it('is a call that another run made too', async () => {
    const { agent, runs } = await histories(['Can I?', 'Can I?', 'May I?'])
    const [first, second, third] = runs.map((steps) => callsOf('faq', steps))
    const across = findingsOf(agent, first ?? [], [...(second ?? []), ...(third ?? [])]).filter(({ kind }) => kind === 'across_runs')
    expect(across.map(({ name, durationMs, message }) => [name, durationMs, message])).toEqual([
      ['rank', 3600, 'rank {"query":"Can I?","k":3,"documents":["a"]} was also made by 1 other run. A cache on reranking would have saved 3.6 s here.'],
      ['kb', 300, 'kb {"query":"Can I?","k":5} was also made by 1 other run. A cache on searching would have saved 300 ms here.'],
      ['look', 200, '2 calls of look were also made by 2 other runs. Remembering its answers would have saved 200 ms here.'],
      ['scripted/fast', 0, '4 calls of scripted/fast were also made by 1 other run. A cache on answering would have saved 0 ms here.'],
    ])
  })

  it('is nothing when each call is made once and every tool is used', async () => {
    const { journal, id } = await play()
    const steps = await historyOf(journal, id, desk as Agent).next()
    expect(findingsOf(desk as Agent, callsOf('desk', steps), [])).toEqual([])
  })
})

describe('stateloop trace', () => {
  it('prints the tree of a run and what it repeated of others', async () => {
    await using project = await testProject()
    await project.stateloop(['run', 'desk', '--question', 'Open on Sunday?'])
    const { value } = await project.json('run', 'desk', '--question', 'Open on Sunday?')
    const { run } = value as { readonly run: string }
    const { code, out, err } = await project.stateloop(['trace', run])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/^desk .*run [0-9a-f-]{36} · done/)
    expect(out).toMatch(/invoke_agent desk +\d+ ms/)
    expect(out).toMatch(/! .* was also made by 1 other run\./)
    const alone = await project.json('trace', run, '--compare', '0')
    expect(alone).toMatchObject({ code: 0, value: { run: { id: run }, trace: { name: 'invoke_agent desk' }, findings: [{ kind: 'unused', name: 'refund' }] } })
  })

  it('prints the calls of a client and of a hand-written loop, whose agents are in no file', async () => {
    await using project = await testProject()
    const journal = sqliteJournal({ path: join(project.folder, '.stateloop/stateloop.db') })
    const ai = client({ journal, models: { fast: 'scripted/fast' }, providers: [script([replyText('hi'), replyFailure('refused')])] })
    const { run: called } = await ai.call({ model: 'fast', prompt: 'Say hello.', name: 'greet' })
    const look = defineTool({ description: 'Looks up.', input: z.object({ id: z.number() }), run: ({ id }) => id })
    const loop = await ai.runtime.record('sums', {}, async (run) => {
      for (const turn of [1, 2]) await run.tool(`look-${turn}`, look, { id: 7 })
      return (await run.model('ask', { model: 'scripted/fast', messages: 'And?' })).text
    })
    expect((await loop.outcome()).outcome).toBe('failed')
    await ai.close()
    const call = await project.stateloop(['trace', called])
    expect(call).toMatchObject({ code: 0, err: '' })
    expect(call.out).toMatch(/invoke_agent greet .*in, .* out/)
    expect(call.out).toContain('chat fast')
    expect(call.out).toContain('what the journal alone tells')
    const sums = await project.stateloop(['trace', loop.id])
    expect(sums.out).toMatch(/execute_tool look/)
    expect(sums.out).toMatch(/chat fast .*refused/)
    expect(sums.out).toContain('! look {"id":7} was called 2 times, with the same result.')
    expect((await project.stateloop(['show', loop.id])).out).toMatch(/✗ looping .*refused/)
    expect((await project.json('runs', '--where', 'visited = looping and failure = refused')).value).toMatchObject({ runs: [{ id: loop.id }] })
  })

  it('prints a run whose agent has changed or is gone, and says so', async () => {
    await using project = await testProject()
    const agentFile = (id: string, more = ''): string => `export { default } from ${JSON.stringify(fixture(id))}${more}`
    await project.write('agents/mine/agent.ts', agentFile('desk'))
    const { value } = await project.json('run', 'mine', '--question', 'Open on Sunday?')
    const { run } = value as { readonly run: string }
    await rm(join(project.folder, 'agents/mine'), { recursive: true })
    const gone = await project.stateloop(['trace', run])
    expect(gone).toMatchObject({ code: 0, err: '' })
    expect(gone.out).toMatch(/invoke_agent desk +[\d.]+ m?s/)
    expect(gone.out).toMatch(/There is no agent "mine".*what the journal alone tells/)
    const named = await project.stateloop(['trace', run, '--agent', 'order'])
    expect(named.code).toBe(0)
    expect(named.out).toContain('has changed since this run')
    expect((await project.stateloop(['trace', run, '--agent', 'nothing'])).code).toBe(2)
  })

  it('says what to do when there is no such run', async () => {
    await using project = await testProject()
    await project.stateloop(['run', 'desk', '--question', 'x'])
    const { code, err } = await project.stateloop(['trace', 'nothing'])
    expect(code).toBe(2)
    expect(err).toContain('`stateloop runs` lists what is there')
  })

  it('finds runs with --where, and refuses a field that runs do not have', async () => {
    await using project = await testProject()
    await project.stateloop(['run', 'desk', '--question', 'x', '--user', 'ada'])
    await project.stateloop(['run', 'desk', '--question', 'y', '--user', 'bob'])
    const { value } = await project.json('runs', '--where', 'user = bob and outcome = done')
    expect(value).toMatchObject({ runs: [{ user: 'bob' }] })
    expect((value as { readonly runs: readonly unknown[] }).runs).toHaveLength(1)
    const refused = await project.stateloop(['runs', '--where', 'usr = bob'])
    expect(refused.code).toBe(2)
    expect(refused.err).toContain("Did you mean 'user'?")
  })
})
