// Seeded worlds in which runs spend in every way at once: parallel regions, children per item, calls inside tools, retries,
// repairs, failures and time limits. What is looked at is the provider's own bill, not what the runtime says of it.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineTool, fakeClock, FailureError, memoryJournal, setupAgent, textOf, type FakeClock, type Journal, type ModelProvider } from 'stateloop'
import { accountsOf, limitsOf } from '../../src/cost/index.ts'
import { failure } from '../../src/failure/index.ts'
import { seededRandom } from '../../src/clock/index.ts'
import { ModelCallError } from '../../src/model/index.ts'
import { createRuntime, type Runtime } from '../../src/run/index.ts'

const PRICE = { inputUsd: 1, outputUsd: 2 }
/** Most tokens that these calls read, a little below their bound of some 530: what is billed is near what is held. */
const MOST_INPUT = 500
const MOST_OUTPUT = 100

type Random = () => number

/** A provider that keeps its own bill: it charges for what it answered, for what it answered too late, and for some failures. */
const billing = (clock: FakeClock, random: Random): ModelProvider & { readonly billedNano: () => number; readonly calls: () => number } => {
  let billedNano = 0
  let calls = 0
  const upTo = (most: number): number => Math.floor(random() * (most + 1))
  const bill = () => {
    const usage = { inputTokens: MOST_INPUT - upTo(20), outputTokens: MOST_OUTPUT - upTo(10) }
    billedNano += usage.inputTokens * 1_000 + usage.outputTokens * 2_000
    return usage
  }
  return {
    id: 'fake',
    price: PRICE,
    billedNano: () => billedNano,
    calls: () => calls,
    call: ({ messages }, { signal }) => {
      if (signal.aborted) return Promise.reject(signal.reason as Error)
      calls += 1
      const fate = random()
      return new Promise((resolve, reject) => {
        const stop = (): void => {
          cancel()
          bill()
          reject(signal.reason as Error)
        }
        const answer = (): void => {
          signal.removeEventListener('abort', stop)
          // Turned away, at no cost; failed after work that was reported; cut off after work that nobody reports.
          if (fate < 0.12) return reject(new ModelCallError(failure('overloaded', 'full')))
          const usage = bill()
          if (fate < 0.2) return reject(new ModelCallError(failure('overloaded', 'full'), { usage }))
          if (fate < 0.26) return reject(new ModelCallError(failure('stream_truncated', 'cut')))
          const wantsJson = textOf(messages[0]?.content ?? '').startsWith('json')
          const content = wantsJson && fate > 0.6 ? '{"n":1}' : 'words'
          resolve({ message: { role: 'assistant', content }, finish: 'stop', usage: fate < 0.32 ? null : usage, model: 'm' })
        }
        const cancel = clock.timer(upTo(40), answer)
        signal.addEventListener('abort', stop)
      })
    },
  }
}

const model = { model: 'fake/m', maxOutputTokens: MOST_OUTPUT, price: PRICE } as const

/** Three regions: two that ask, one with children per item and a tool that asks several times at once. */
const agentWith = (capUsd: number | undefined) => {
  const look = defineTool({
    description: 'Asks several times at once, and forgets about the last.',
    input: z.object({ times: z.number() }),
    timeoutMs: 30,
    retry: { attempts: 2, backoffMs: 5 },
    run: async ({ times }, tool) => {
      const ask = () => tool.model({ model: 'fake/m', messages: 'look', maxOutputTokens: MOST_OUTPUT }).catch((error: unknown) => (error instanceof FailureError ? 'none' : Promise.reject(error as Error)))
      void ask()
      await Promise.all(Array.from({ length: times }, ask))
      tool.addCost(0.000_01, 'a search')
      return 'seen'
    },
  })
  const retry = { attempts: 3, backoffMs: 5 } as const
  const inner = setupAgent({ id: 'inner', models: { m: model }, input: z.string(), context: z.object({}), onFailure: 'failed' })
  const child = inner.createAgent({
    initial: 'asking',
    states: { asking: inner.model('m', { prompt: () => 'go', retry, timeout: { totalMs: 60 }, onDone: 'done' }), done: inner.final(), failed: inner.final() },
  })
  const t = setupAgent({ id: 'outer', agents: { child }, tools: { look }, models: { m: model }, input: z.string(), context: z.object({}), ...(capUsd === undefined ? {} : { limits: { costUsd: capUsd } }) })
  const asking = { prompt: () => 'json', output: z.object({ n: z.number() }), repairs: 2, retry, timeout: { totalMs: 60 } } as const
  return t.createAgent({
    initial: 'working',
    states: {
      working: t.parallel({
        onDone: 'done',
        states: {
          a: t.region({
            initial: 'asking',
            states: { asking: t.model('m', { ...asking, onDone: 'again', onError: { '*': 'again' } }), again: t.model('m', { ...asking, onDone: 'ready', onError: { '*': 'ready' } }), ready: t.final() },
          }),
          b: t.region({ initial: 'each', states: { each: t.each('child', { items: () => ['a', 'b', 'c'], concurrency: 3, onDone: 'ready', onError: { '*': 'ready' } }), ready: t.final() } }),
          c: t.region({ initial: 'looking', states: { looking: t.tool('look', { args: () => ({ times: 3 }), onDone: 'ready', onError: { '*': 'ready' } }), ready: t.final() } }),
        },
      }),
      done: t.final(),
    },
  })
}

/** A journal whose writes take a few turns, so that things happen between a result and its entry. */
const slowJournal = (clock: FakeClock, random: Random): Journal => {
  const journal = memoryJournal({ clock })
  return {
    ...journal,
    append: async (...given) => {
      for (let turns = Math.floor(random() * 4); turns > 0; turns--) await new Promise(setImmediate)
      return journal.append(...given)
    },
  }
}

/** Lets time pass until all of these have settled, and what they left behind has ended. */
const untilSettled = async (clock: FakeClock, promises: readonly Promise<unknown>[]): Promise<void> => {
  let left = promises.length
  for (const promise of promises) void promise.finally(() => (left -= 1))
  for (let quiet = 0; quiet < 10; quiet = left > 0 ? 0 : quiet + 1) await clock.advance(5)
}

const wasRefused = async (runtime: Runtime, run: string): Promise<boolean> =>
  (await runtime.entries(run)).some(({ body: { cause } }) => cause.type === 'attempt' && !cause.outcome.ok && cause.outcome.failure.code === 'budget_exceeded')

describe('whatever happens at the same time', () => {
  it('a run never spends more than its cap', async () => {
    let refused = 0
    for (let seed = 1; seed <= 40; seed++) {
      const random = seededRandom(seed)
      const clock = fakeClock({ seed })
      const capUsd = 0.001_5 + random() * 0.004
      const provider = billing(clock, random)
      const runtime = createRuntime({ providers: [provider], clock, journal: slowJournal(clock, random), breaker: false })
      const run = await runtime.start(agentWith(capUsd), 'x')
      if (seed % 5 === 0) clock.timer(30, () => void run.cancel())
      await untilSettled(clock, [run.outcome()])
      expect(provider.billedNano(), `seed ${seed}`).toBeLessThanOrEqual(capUsd * 1e9)
      if (await wasRefused(runtime, run.id)) refused += 1
    }
    expect(refused).toBeGreaterThan(15)
  })

  it('a user never spends more than a budget, over several runs', async () => {
    let refused = 0
    for (let seed = 1; seed <= 25; seed++) {
      const random = seededRandom(seed)
      const clock = fakeClock({ seed })
      const usd = Number((0.003 + random() * 0.006).toFixed(6))
      const limit = { scope: 'user:*', usd: `${usd}/day` } as const
      const provider = billing(clock, random)
      const journal = slowJournal(clock, random)
      const runtime = createRuntime({ providers: [provider], clock, journal, breaker: false, budgets: [limit] })
      const agent = agentWith(undefined)
      const runs = await Promise.all(['x', 'y', 'z'].map((input) => runtime.start(agent, input, { user: 'ada' })))
      if (seed % 5 === 0) clock.timer(30, () => void runs[0]?.cancel())
      await untilSettled(
        clock,
        runs.map((run) => run.outcome()),
      )
      const [standing] = (await journal.budgets?.standing(accountsOf(limitsOf(limit), { run: 'r', agent: 'outer', user: 'ada' }, clock.now()))) ?? []
      const { spent = 0, reserved = 0 } = standing ?? {}
      expect(provider.billedNano(), `seed ${seed}`).toBeLessThanOrEqual(usd * 1e9)
      // Counted is at least what was billed: a call that nobody reports counts as what was held for it.
      expect(spent + reserved, `seed ${seed}`).toBeGreaterThanOrEqual(provider.billedNano())
      expect(reserved, `seed ${seed}`).toBe(0)
      if ((await Promise.all(runs.map(({ id }) => wasRefused(runtime, id)))).includes(true)) refused += 1
    }
    expect(refused).toBeGreaterThan(10)
  })
})
