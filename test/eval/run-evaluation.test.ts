import { mkdtemp, readFile, rm, appendFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { z } from 'zod'
import { defineTool, setupAgent } from '../../src/index.ts'
import { fakeClock } from '../../src/clock/index.ts'
import { fail } from '../../src/failure/index.ts'
import { replyCalls, replyFailure, replyOutput, replyText, scripted, type ModelRequest } from '../../src/model/index.ts'
import { ended, evaluation, exact, finalState, judge, ResultStore, runEvaluation, statePath, toolCalls, type EvaluationOptions, type Identity, type RunEvaluationOptions } from '../../src/eval/index.ts'
import { Answers } from '../../src/eval/answers.ts'

const identity: Identity = { code: 'c0de', structure: 's', states: {}, unknown: [], files: [] }

const folder = async (): Promise<string> => {
  const path = await mkdtemp(join(tmpdir(), 'stateloop-eval-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return path
}

const cases = (count: number): readonly { readonly id: string; readonly input: number; readonly expected: number }[] => Array.from({ length: count }, (_, at) => ({ id: `n${at}`, input: at, expected: at * 2 }))

/** A function whose answer is wrong for inputs below a number, and what it was called with. */
const doubling = (wrongBelow = 0): { readonly run: (input: number) => number; readonly calls: number[] } => {
  const calls: number[] = []
  return {
    calls,
    run: (input) => {
      calls.push(input)
      return input < wrongBelow ? -1 : input * 2
    },
  }
}

const doubles = (run: EvaluationOptions<number, number, number>['agent'], more: Partial<EvaluationOptions<number, number, number>> = {}) =>
  evaluation<number, number, number>({ name: 'doubles', agent: run, cases: cases(30), scorers: { double: exact() }, ...more })

const settings = (more: RunEvaluationOptions = {}): RunEvaluationOptions => ({ clock: fakeClock(), ...more })

describe('code that is no agent', () => {
  it('is run on every case and judged by its output', async () => {
    const result = await runEvaluation(doubles(doubling(3).run), settings())
    expect(result.cases.map(({ trials }) => trials[0]?.status)).toEqual([...Array.from({ length: 3 }, () => 'failed'), ...Array.from({ length: 27 }, () => 'passed')])
    expect(result).toMatchObject({ ran: 30, reused: 0, costUsd: 0, gate: { verdict: 'inconclusive' } })
  })

  it('fails a trial when it throws, and meets an error when what it throws is infrastructure', async () => {
    const throwing = (input: number): number => (input === 0 ? fail('overloaded', 'Busy.') : Math.floor(JSON.parse('{') as number))
    const { cases: results } = await runEvaluation(doubles(throwing, { cases: cases(2) }), settings())
    expect(results[0]?.trials[0]).toMatchObject({ status: 'error', error: 'overloaded' })
    expect(results[1]?.trials[0]).toMatchObject({ status: 'failed', observation: { failure: { code: 'defect', message: expect.stringContaining('The evaluated function threw: ') } } })
  })

  it('may report what it did', async () => {
    const reporting: EvaluationOptions<number, number, number>['agent'] = (input, { report }) => {
      report({ calls: [{ name: 'multiply', args: { by: 2 } }], costUsd: 0.5 })
      report({ states: [{ state: 'thinking' }] })
      return input * 2
    }
    const result = await runEvaluation(
      doubles(reporting, { cases: cases(1), scorers: { tools: toolCalls({ expected: [{ name: 'multiply', args: { by: 2 } }] }), path: statePath({ visited: ['thinking'] }) } }),
      settings(),
    )
    expect(result.cases[0]?.trials[0]?.status).toBe('passed')
    expect(result.costUsd).toBe(0.5)
  })

  it('is stopped at the time limit of a trial', async () => {
    const clock = fakeClock()
    const running = runEvaluation(
      doubles(() => new Promise<number>(() => {}), { cases: cases(1), timeoutMs: 5_000 }),
      { clock },
    )
    await clock.advance(5_000)
    expect((await running).cases[0]?.trials[0]?.observation).toMatchObject({ outcome: 'failed', failure: { code: 'timeout', message: expect.stringContaining('5000 ms') } })
  })
})

describe('a scorer', () => {
  it('that throws is an error of the evaluation, named with its case', async () => {
    const broken = doubles(doubling().run, {
      scorers: {
        broken: () => {
          throw new Error('oops')
        },
      },
    })
    await expect(runEvaluation(broken, settings())).rejects.toThrow(/The scorer broken threw on case n0: oops/)
  })

  it('may answer true, false or not at all', async () => {
    const result = await runEvaluation(doubles(doubling().run, { cases: cases(2), scorers: { even: ({ output }) => output === 0, other: () => undefined } }), settings())
    expect(result.cases.map(({ trials }) => trials[0]?.scores)).toEqual([{ even: { score: 1, pass: true, reasons: [] } }, { even: { score: 0, pass: false, reasons: ['it says no'] } }])
  })
})

describe('an agent', () => {
  const refund = defineTool({
    description: 'Refunds an order.',
    input: z.object({ order: z.number() }),
    effect: 'irreversible',
    run: ({ order }, { services }) => {
      ;(services['refunded'] as number[]).push(order)
      return { ok: true }
    },
  })
  const t = setupAgent({ id: 'desk', models: { m: 'scripted/m' }, tools: { refund }, input: z.object({ order: z.number() }), context: z.object({ order: z.number(), said: z.string() }), onFailure: 'failed' })
  const desk = t.createAgent({
    initial: 'asking',
    states: {
      asking: t.model('m', { prompt: ({ context }) => `order ${context.order}`, tools: ['refund'], save: 'said', onTools: 'approving', onDone: 'done' }),
      approving: t.approve({ onApproved: 'acting', onRejected: 'asking', onError: { expired: 'failed' } }),
      acting: t.tools({ onDone: 'asking' }),
      done: t.final({ output: ({ context }) => context.said }),
      failed: t.final({ outcome: 'failed' }),
    },
  })
  const provider = (reply: (request: ModelRequest) => ReturnType<typeof replyText> = () => replyText('done')) =>
    scripted({ rules: (request) => (request.messages.some(({ role }) => role === 'tool') ? reply(request) : replyCalls({ name: 'refund', args: { order: 7 } })), price: { inputUsd: 1, outputUsd: 1 } })
  const desks = (more: Partial<EvaluationOptions<{ order: number }, string, unknown>> = {}) =>
    evaluation<{ order: number }, string>({
      name: 'desk',
      agent: desk as never,
      cases: [{ id: 'seven', input: { order: 7 } }],
      services: () => ({ refunded: [] as number[] }),
      respond: (waiting) => ({ type: 'APPROVE', hashes: (waiting.calls ?? []).map(({ hash }) => hash) }),
      capture: ({ services }) => services['refunded'],
      scorers: { ended: ended('done') },
      ...more,
    })

  it('is watched: states, calls, use, models and the world afterwards', async () => {
    const world = desks({
      scorers: {
        path: statePath({ exactly: ['asking', 'approving', 'acting', 'asking', 'done'] }),
        tools: toolCalls({ mode: 'strict', expected: [{ name: 'refund', args: { order: 7 } }] }),
        world: finalState({ equals: [7] }),
      },
    })
    const { cases: results, costUsd } = await runEvaluation(world, settings({ providers: [provider()] }))
    expect(results[0]?.trials[0]).toMatchObject({ status: 'passed', observation: { outcome: 'done', output: 'done', modelCalls: 2, models: ['scripted/m'], refusals: 0, world: [7] } })
    expect(costUsd).toBeGreaterThan(0)
  })

  it('is left waiting when nobody answers it', async () => {
    const { cases: results } = await runEvaluation(desks({ respond: () => undefined, scorers: { waits: ended('waiting') } }), settings({ providers: [provider()] }))
    expect(results[0]?.trials[0]).toMatchObject({ status: 'passed', observation: { outcome: 'waiting', world: [] } })
  })

  it('keeps trials apart: services are made for each', async () => {
    const { cases: results } = await runEvaluation(desks({ trials: 3, scorers: { world: finalState({ equals: [7] }) } }), settings({ providers: [provider()] }))
    expect(results[0]?.trials.map(({ status }) => status)).toEqual(['passed', 'passed', 'passed'])
  })

  it('that failed by its provider is an error, by a refusal a failure', async () => {
    const statusWith = async (code: 'auth_failed' | 'refused') => (await runEvaluation(desks(), settings({ providers: [provider(() => replyFailure(code))] }))).cases[0]?.trials[0]
    expect(await statusWith('auth_failed')).toMatchObject({ status: 'error', error: 'auth_failed' })
    expect(await statusWith('refused')).toMatchObject({ status: 'failed', observation: { refusals: 1 } })
  })

  it('sits out a wait that ends within the trial, and is cancelled at the trial’s end', async () => {
    const clock = fakeClock()
    const u = setupAgent({ id: 'patient', models: { m: 'scripted/m' }, input: z.object({}), context: z.object({}), onFailure: 'failed' })
    const patient = u.createAgent({ initial: 'waiting', states: { waiting: u.wait({ ms: () => 60_000, onDone: 'done' }), done: u.final(), failed: u.final({ outcome: 'failed' }) } })
    const waits = (timeoutMs: number) => evaluation({ name: 'patient', agent: patient as never, cases: [{ id: 'a', input: {} }], scorers: { ended: ended('done') }, timeoutMs })
    const run = async (timeoutMs: number) => {
      const running = runEvaluation(waits(timeoutMs), { clock })
      await clock.advance(90_000)
      return (await running).cases[0]?.trials[0]?.observation
    }
    expect(await run(120_000)).toMatchObject({ outcome: 'done', states: [{ state: 'waiting' }, { state: 'done' }] })
    expect(await run(30_000)).toMatchObject({ outcome: 'cancelled', failure: { message: expect.stringContaining('30000 ms') } })
  })

  it('that does not take the input fails with the reason', async () => {
    const wrong = desks({ cases: [{ id: 'wrong', input: { order: 'seven' } as never }] })
    expect((await runEvaluation(wrong, settings({ providers: [provider()] }))).cases[0]?.trials[0]?.observation).toMatchObject({ outcome: 'failed', failure: { code: 'invalid_input' } })
  })
})

describe('stored results', () => {
  const open = async () => {
    const path = await folder()
    return () => ResultStore.open(path, 'doubles')
  }

  it('are reused while everything they depend on stays, and only where that is asked for', async () => {
    const store = await open()
    await runEvaluation(doubles(doubling().run), settings({ store: await store(), identity }))
    const again = doubling()
    const reused = await runEvaluation(doubles(again.run), settings({ store: await store(), identity, affected: true }))
    expect({ ran: reused.ran, reused: reused.reused, calls: again.calls }).toEqual({ ran: 0, reused: 30, calls: [] })
    const anew = await runEvaluation(doubles(doubling().run), settings({ store: await store(), identity }))
    expect(anew).toMatchObject({ ran: 30, reused: 0 })
  })

  it.each([
    ['the code', { code: 'other' }],
    ['the structure', { structure: 'other' }],
    ['nothing is known of the code', { code: undefined }],
  ])('do not hold when %s changed', async (_what, change) => {
    const store = await open()
    await runEvaluation(doubles(doubling().run), settings({ store: await store(), identity }))
    const result = await runEvaluation(doubles(doubling().run), settings({ store: await store(), identity: { ...identity, ...change }, affected: true }))
    expect(result).toMatchObject({ ran: 30, reused: 0 })
  })

  it('do not hold for a case that changed, and hold for the others', async () => {
    const store = await open()
    await runEvaluation(doubles(doubling().run), settings({ store: await store(), identity }))
    const changed = doubles(doubling().run, { cases: [...cases(29), { id: 'n29', input: 30, expected: 60 }] })
    expect(await runEvaluation(changed, settings({ store: await store(), identity, affected: true }))).toMatchObject({ ran: 1, reused: 29 })
  })

  it('hold for cases that did not touch a changed state', async () => {
    const store = await open()
    const passing = (input: number, { report }: { readonly report: (facts: { readonly states: readonly { readonly state: string }[] }) => void }): number => {
      report({ states: [{ state: input < 10 ? 'asking' : 'guessing' }] })
      return input * 2
    }
    const known = (asking: string): Identity => ({ ...identity, states: { asking, guessing: 'g' } })
    await runEvaluation(doubles(passing), settings({ store: await store(), identity: known('a1') }))
    expect(await runEvaluation(doubles(passing), settings({ store: await store(), identity: known('a2'), affected: true }))).toMatchObject({ ran: 10, reused: 20 })
  })

  it('are scored anew: a corrected expectation costs nothing', async () => {
    const store = await open()
    await runEvaluation(doubles(doubling().run), settings({ store: await store(), identity }))
    const strict = doubles(doubling().run, { scorers: { small: ({ output }) => (output ?? 0) < 10 } })
    const result = await runEvaluation(strict, settings({ store: await store(), identity, affected: true }))
    expect(result.ran).toBe(0)
    expect(result.cases.filter(({ trials }) => trials[0]?.status === 'passed')).toHaveLength(5)
  })

  it('are not made of errors', async () => {
    const store = await open()
    await runEvaluation(
      doubles(() => fail('overloaded', 'Busy.')),
      settings({ store: await store(), identity }),
    )
    expect(await runEvaluation(doubles(doubling().run), settings({ store: await store(), identity, affected: true }))).toMatchObject({ ran: 30 })
  })

  it('are left out of the file once only old standings name them', async () => {
    const path = await folder()
    const limits = { standings: 2, sizeBytes: 1_000 }
    for (let round = 0; round < 3; round++) await runEvaluation(doubles(doubling().run), settings({ clock: fakeClock({ startMs: round }), store: await ResultStore.open(path, 'doubles', limits), identity }))
    const lines = (await readFile(join(path, 'doubles.jsonl'), 'utf8')).trimEnd().split('\n')
    expect(lines.filter((line) => line.includes('"type":"standing"'))).toHaveLength(2)
    expect(lines.filter((line) => line.includes('"type":"observation"'))).toHaveLength(60)
  })

  it('survive a line that was cut off', async () => {
    const store = await open()
    const first = await store()
    await runEvaluation(doubles(doubling().run), settings({ store: first, identity }))
    await appendFile(first.path, '{"type":"observation","id":"half')
    const second = await store()
    expect(second.damaged).toBe(1)
    expect(await runEvaluation(doubles(doubling().run), settings({ store: second, identity, affected: true }))).toMatchObject({ ran: 0, reused: 30 })
    expect((await store()).damaged).toBe(1)
    expect((await readFile(first.path, 'utf8')).split('\n').filter((line) => line.includes('half'))).toEqual(['{"type":"observation","id":"half'])
  })
})

describe('the gate', () => {
  const withBase = async (head: (input: number) => number, more: RunEvaluationOptions = {}, base: (input: number) => number = doubling().run) => {
    const path = await folder()
    const store = await ResultStore.open(path, 'doubles')
    await runEvaluation(doubles(base, { trials: 8 }), settings({ store, identity }))
    const standing = store.standings.at(-1)
    return runEvaluation(doubles(head, { trials: 8 }), settings({ store, identity: { ...identity, code: 'changed' }, affected: true, ...(standing === undefined ? {} : { base: standing }), ...more }))
  }

  it('stops at the first look that decides', async () => {
    expect(await withBase(doubling().run)).toMatchObject({ ran: 30, gate: { verdict: 'non_inferior' } })
    expect(await withBase(doubling(20).run)).toMatchObject({ ran: 30, gate: { verdict: 'regressed' } })
  })

  it('adds trials while it cannot tell', async () => {
    const flaky = (): ((input: number) => number) => {
      const seen = new Map<number, number>()
      return (input) => {
        const time = (seen.get(input) ?? 0) + 1
        seen.set(input, time)
        return input < 10 && time % 2 === 0 ? -1 : input >= 25 && time === 1 ? -1 : input * 2
      }
    }
    const result = await withBase(flaky(), {}, flaky())
    expect(result.ran).toBeGreaterThan(30)
    expect(result.cases.every(({ trials }) => trials.length === result.ran / 30)).toBe(true)
  })

  it('stops adding trials at the budget and says so', async () => {
    const costly =
      (wrong: number) =>
      (input: number, { report }: { readonly report: (facts: { readonly costUsd: number }) => void }) => {
        report({ costUsd: 0.01 })
        return input % 7 === wrong ? -1 : input * 2
      }
    const path = await folder()
    const store = await ResultStore.open(path, 'doubles')
    await runEvaluation(doubles(costly(0), { trials: 8 }), settings({ store, identity }))
    const base = store.standings.at(-1)
    const result = await runEvaluation(doubles(costly(1), { trials: 8 }), settings({ store, identity: { ...identity, code: 'changed' }, ...(base === undefined ? {} : { base }), budgetUsd: 0.4 }))
    expect(result).toMatchObject({ ran: 30, stoppedBy: 'budget-usd', gate: { verdict: 'inconclusive' } })
    expect(result.costUsd).toBeCloseTo(0.3, 10)
  })

  it('runs nothing for cases that nothing touched, at no look', async () => {
    const result = await withBase(doubling().run, { identity })
    expect(result).toMatchObject({ ran: 0, gate: { verdict: 'non_inferior', reasons: ['nothing that any case touches has changed'] } })
  })
})

it('stops when it is told to and keeps what was run', async () => {
  const path = await folder()
  const stop = new AbortController()
  const stopping = (input: number): number => {
    if (input === 4) stop.abort()
    return input * 2
  }
  const store = await ResultStore.open(path, 'doubles')
  const result = await runEvaluation(doubles(stopping), settings({ store, identity, signal: stop.signal, concurrency: 1 }))
  expect(result).toMatchObject({ ran: 5, stoppedBy: 'signal' })
  expect(await runEvaluation(doubles(doubling().run), settings({ store: await ResultStore.open(path, 'doubles'), identity, affected: true }))).toMatchObject({ ran: 25, reused: 5 })
})

describe('a judge', () => {
  const asked: string[] = []
  const grading = scripted({
    rules: (request) => {
      const text = JSON.stringify(request.messages)
      asked.push(text)
      return replyOutput({ reason: 'Because.', grade: text.includes('<output>\\ngood') ? 5 : 2 })
    },
  })
  const rubric = { model: 'scripted/judge', rubric: 'Is it good?' } as const
  const judged = (options: Partial<Parameters<typeof judge>[0]> = {}) =>
    evaluation<string, string, string>({
      name: 'judged',
      agent: (input) => input,
      cases: [
        { id: 'a', input: 'good' },
        { id: 'b', input: 'bad' },
        { id: 'c', input: 'bad' },
      ],
      scorers: { quality: judge({ ...rubric, ...options }) },
    })

  it('grades by the rubric, and is asked each thing once', async () => {
    asked.length = 0
    const path = join(await folder(), 'judges.jsonl')
    const first = await runEvaluation(judged(), settings({ providers: [grading], answers: await Answers.open(path) }))
    expect(first.cases.map(({ trials }) => trials[0]?.scores['quality'])).toEqual([
      { score: 1, pass: true, reasons: ['grade 5 of 5: Because.'] },
      { score: 0.25, pass: false, reasons: ['grade 2 of 5: Because.'] },
      { score: 0.25, pass: false, reasons: ['grade 2 of 5: Because.'] },
    ])
    expect(asked).toHaveLength(2)
    await runEvaluation(judged(), settings({ providers: [grading], answers: await Answers.open(path) }))
    expect(asked).toHaveLength(2)
    await runEvaluation(judged({ model: 'scripted/other' }), settings({ providers: [grading], answers: await Answers.open(path) }))
    expect(asked).toHaveLength(4)
  })

  it('has its agreement with labelled rows measured', async () => {
    const labels = [
      { input: 'x', output: 'good one', pass: true },
      { input: 'x', output: 'good two', pass: true },
      { input: 'x', output: 'bad', pass: false },
      { input: 'x', output: 'worse', pass: true },
    ]
    const { judges } = await runEvaluation(judged({ labels }), settings({ providers: [grading] }))
    expect(judges).toEqual([{ scorer: 'quality', hash: expect.stringMatching(/^[0-9a-f]{16}$/), rows: 4, share: 0.75, kappa: expect.closeTo(0.5, 10) }])
  })

  it('that cannot be reached makes errors, not failures', async () => {
    const down = scripted({ rules: () => replyFailure('auth_failed') })
    const { cases: results } = await runEvaluation(judged(), settings({ providers: [down] }))
    expect(results[0]?.trials[0]).toMatchObject({ status: 'error', error: 'auth_failed', scores: { quality: { pass: false, reasons: [expect.stringMatching(/^it could not judge: auth_failed/)] } } })
  })

  it('puts the rubric and the answer where the answer cannot pass for the rubric', async () => {
    asked.length = 0
    await runEvaluation(judged(), settings({ providers: [grading] }))
    const [first = ''] = asked
    expect(first).toContain('<rubric>\\nIs it good?\\n</rubric>')
    expect(first).toContain('<output>\\ngood\\n</output>')
  })
})
