// A person approves: the refund cannot be undone, so the run waits until somebody has approved exactly that call.
import { createRuntime, defineTool, replyCalls, replyText, script, setupAgent } from 'stateloop'
import { z } from 'zod'

const refund = defineTool({
  description: 'Pays an order back.',
  input: z.object({ order: z.number(), amountUsd: z.number() }),
  effect: 'irreversible',
  idempotent: true,
  run: ({ order, amountUsd }, { user }) => {
    console.log(`refunding order ${order} of ${user}: ${amountUsd} USD`)
    return 'refunded'
  },
})

const t = setupAgent({
  id: 'refunds',
  models: { fast: 'scripted/fast' },
  tools: { refund },
  input: z.object({ question: z.string() }),
  context: z.object({ question: z.string(), answer: z.string() }),
  onFailure: 'failed',
})

const refunds = t.createAgent({
  initial: 'answering',
  states: {
    answering: t.model('fast', {
      prompt: ({ context }) => context.question,
      tools: ['refund'],
      maxVisits: 4,
      save: 'answer',
      onTools: { refund: 'approving' },
      onDone: 'answered',
    }),
    approving: t.approve({ expiresMs: 3_600_000, onApproved: 'acting', onRejected: 'answering' }),
    acting: t.tools({ onDone: 'answering' }),
    answered: t.final({ output: ({ context }) => context.answer ?? '' }),
    failed: t.final({ outcome: 'failed' }),
  },
})

const model = script([replyCalls({ name: 'refund', args: { order: 7, amountUsd: 900 } }), replyText('You get 90 USD back.')])

await using runtime = createRuntime({ providers: [model] })
const run = await runtime.start(refunds, { question: 'Please refund order 7.' }, { user: 'ada' })
const first = await run.outcome()
const [call] = first.outcome === 'waiting' ? (first.waiting[0]?.calls ?? []) : []
if (call === undefined) throw new Error('The run does not wait for an approval.')
console.log('waiting:', call.name, JSON.stringify(call.args))

// The model wrote one zero too many. The edited call is the one that is approved.
await run.send({ type: 'EDIT', hash: call.hash, args: { order: 7, amountUsd: 90 } }, 'bob')
const last = await run.outcome()
console.log(last.outcome, last.outcome === 'done' ? last.output : '')

// prints:
// waiting: refund {"order":7,"amountUsd":900}
// refunding order 7 of ada: 90 USD
// done You get 90 USD back.
