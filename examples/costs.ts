// What users and routes cost. A budget for each user stops one of two, and the report says who spent what and where.
// The price is made up; real models have those of the public price table.
import { createRuntime, lastUserText, memoryJournal, replyText, reportCosts, scripted, setupAgent } from 'stateloop'
import { z } from 'zod'

const t = setupAgent({
  id: 'helper',
  models: { fast: { model: 'scripted/fast', maxOutputTokens: 500 } },
  input: z.object({ question: z.string() }),
  context: z.object({ question: z.string(), answer: z.string() }),
  onFailure: 'failed',
})
const helper = t.createAgent({
  initial: 'answering',
  states: {
    answering: t.model('fast', { prompt: ({ context }) => context.question, save: 'answer', onDone: 'answered', onError: { budget_exceeded: 'stopped' } }),
    answered: t.final({ output: ({ context }) => context.answer ?? '' }),
    stopped: t.final({ outcome: 'limited', output: () => 'You have asked a lot today. Please come back tomorrow.' }),
    failed: t.final({ outcome: 'failed' }),
  },
})

// A letter is longer than a chat, so it costs more.
const model = scripted({ rules: (request) => replyText('It depends.', { usage: { inputTokens: lastUserText(request).length * 100, outputTokens: 200 } }), price: { inputUsd: 1, outputUsd: 5 } })
const journal = memoryJournal()
await using runtime = createRuntime({
  journal,
  providers: [model],
  budgets: [{ scope: 'user:*', usd: '0.01/day', warnAt: 0.5 }],
  onBudget: ({ type, spent, limit }) => console.log(`  ${type} $${spent} of $${limit}`),
})

const ask = async (user: string, route: string, question: string): Promise<void> => {
  const outcome = await (await runtime.start(helper, { question }, { user, route })).outcome()
  console.log(user, route, outcome.outcome, `$${outcome.costUsd}`)
}
await ask('ben', '/letters', 'Could you please tell me?')
for (let count = 0; count < 5; count++) await ask('ada', '/chat', 'Is it cheap?')

const now = Date.now()
const report = await reportCosts(journal.ledger!, { by: ['user', 'route'], sinceMs: now - 3_600_000, untilMs: now + 1 })
for (const { key, costUsd, calls, share } of report.groups) console.log(`${key.user} ${key.route}: $${costUsd} in ${calls} calls, ${Math.round((share ?? 0) * 100)} %`)
console.log(`together: $${report.total.costUsd}`)

// prints:
// ben /letters done $0.0035
// ada /chat done $0.0022
// ada /chat done $0.0022
// ada /chat done $0.0022
//   budget.warned $0.0066 of $0.01
// ada /chat done $0.0022
//   budget.reached $0.0088 of $0.01
// ada /chat limited $0
// ada /chat: $0.0088 in 4 calls, 72 %
// ben /letters: $0.0035 in 1 calls, 28 %
// together: $0.0123
