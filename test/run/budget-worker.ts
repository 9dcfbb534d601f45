// A process that makes model calls under a budget on a shared database; killed or counted by the tests, never imported.
// Arguments: database, runs to start, `stuck` for calls that never end. Prints one line of JSON at its end: how many were done and
// refused. With `on` for the runs it makes one after the other until it is killed, and prints a line for each.
import { sqliteJournal } from '../../src/journal/index.ts'
import type { ModelProvider } from '../../src/model/index.ts'
import { createRuntime } from '../../src/run/index.ts'
import { loopAgent } from './harness.ts'

const [path = '', runs = '1', stuck = ''] = process.argv.slice(2)
const usage = { inputTokens: 400, outputTokens: 90 }

/** Answers after a moment; or says that it was asked, and never answers. */
const provider: ModelProvider = {
  id: 'fake',
  price: { inputUsd: 1, outputUsd: 2 },
  call: async () => {
    if (stuck !== '') {
      process.stdout.write('asked\n')
      await new Promise((resolve) => setTimeout(resolve, 600_000))
    }
    await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * 4))
    return { message: { role: 'assistant', content: 'x' }, finish: 'stop', usage, model: 'm' }
  },
}

const agent = loopAgent({}, {}, { retry: { attempts: 1 }, timeout: { totalMs: 2_000 } })
const runtime = createRuntime({
  journal: sqliteJournal({ path, busyTimeoutMs: 60_000 }),
  providers: [provider],
  agents: [agent],
  leaseMs: 2_000,
  limiter: false,
  budgets: [{ scope: 'tenant:acme', usd: '0.5/total', calls: '100000/total' }],
})
const codeOf = async (): Promise<string> => {
  const outcome = await (await runtime.start(agent, 'x', { tenant: 'acme', user: 'ada' })).outcome()
  return 'failure' in outcome ? outcome.failure.code : outcome.outcome
}
while (runs === 'on') {
  console.log(await codeOf())
  await new Promise((resolve) => setTimeout(resolve, 50))
}
const codes = await Promise.all(Array.from({ length: Number(runs) }, codeOf))
const counts: { [code: string]: number } = {}
for (const code of codes) counts[code] = (counts[code] ?? 0) + 1
await runtime.close()
console.log(JSON.stringify(counts))
