// A run outlives its runtime: the first one is closed while the run waits for a person, the second one, with nothing but
// the same SQLite file, takes the answer and goes on. What was done before is not done again.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRuntime, replyText, script, setupAgent, sqliteJournal } from 'stateloop'
import { z } from 'zod'

const t = setupAgent({
  id: 'letter',
  models: { fast: 'scripted/fast' },
  events: { SIGN: z.object({ name: z.string() }) },
  input: z.object({ topic: z.string() }),
  context: z.object({ topic: z.string(), draft: z.string(), name: z.string() }),
  onFailure: 'failed',
})

const letter = t.createAgent({
  initial: 'drafting',
  states: {
    drafting: t.model('fast', { prompt: ({ context }) => `Draft a letter about ${context.topic}.`, save: 'draft', onDone: 'signing' }),
    signing: t.human({ show: ({ context }) => context.draft, on: { SIGN: { to: 'signed', save: ({ event }) => ({ name: event.name }) } } }),
    signed: t.final({ output: ({ context }) => `${context.draft} Yours, ${context.name}` }),
    failed: t.final({ outcome: 'failed' }),
  },
})

const folder = await mkdtemp(join(tmpdir(), 'stateloop-'))
const open = (turns: Parameters<typeof script>[0]) => createRuntime({ journal: sqliteJournal({ path: join(folder, 'runs.db') }), providers: [script(turns)], agents: [letter] })

const monday = open([replyText('Dear neighbours, the roof is done.')])
const { id, outcome } = await monday.start(letter, { topic: 'the roof' })
console.log('monday:', (await outcome()).outcome)
await monday.close()

// This runtime's model has nothing to say: asking it for the draft again would fail.
const tuesday = open([])
const run = await tuesday.resume(id)
const waiting = await run.outcome()
console.log('tuesday:', waiting.outcome, waiting.outcome === 'waiting' ? waiting.waiting[0]?.show : '')
await run.send({ type: 'SIGN', name: 'Ada' })
const end = await run.outcome()
console.log('signed:', end.outcome, end.outcome === 'done' ? end.output : '')
console.log('causes:', (await tuesday.entries(id)).map((entry) => entry.body.cause.type).join(' '))
await tuesday.close()
await rm(folder, { recursive: true })

// prints:
// monday: waiting
// tuesday: waiting Dear neighbours, the roof is done.
// signed: done Dear neighbours, the roof is done. Yours, Ada
// causes: start attempt event
