// A process that a crash test kills: it starts or resumes one run of 30 steps on a SQLite journal, and notes every
// performed tool call and every acknowledged entry in plain files that outlive it.
import { appendFileSync } from 'node:fs'
import { adder, listModel, loopAgent } from './harness.ts'
import { sqliteJournal } from '../../src/journal/index.ts'
import { createRuntime } from '../../src/run/index.ts'

const [db = '', ledger = '', resume = ''] = process.argv.slice(2)
const note = (line: string): void => appendFileSync(ledger, `${line}\n`)

const keyed = adder({ effect: 'reversible', idempotent: true, onRun: (key) => note(`tool ${key}`) })
const agent = loopAgent({ add: keyed }, { limits: { modelCalls: 1_000, toolCalls: 1_000, transitions: 1_000 } })
const model = listModel((request) => {
  const turns = request.messages.filter((message) => message.role === 'assistant').length
  return turns >= 15 ? { text: 'end' } : { calls: [{ id: `c${turns}`, name: 'add', args: { a: turns, b: 1 } }] }
})

const main = async (): Promise<void> => {
  const runtime = createRuntime({ journal: sqliteJournal({ path: db }), providers: [model], agents: [agent], leaseMs: 50 })
  const run = resume === '' ? await runtime.start(agent, 'x', { key: 'crash' }) : await runtime.resume(resume, { agent })
  note(`run ${run.id}`)
  for await (const event of run) if (event.type === 'transition.taken') note(`ack ${event.seq} ${JSON.stringify(event.to)}`)
  note(`outcome ${(await run.outcome()).outcome}`)
  await runtime.close()
}
void main()
