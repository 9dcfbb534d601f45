// One model call, without a machine to write: the output is validated, a failure goes on to the fallback, an equal call is
// answered from the cache, and everything is priced.
import { client, definePrompt, replyFailure, replyOutput, script } from 'stateloop'
import { z } from 'zod'

const sentiment = definePrompt({ id: 'sentiment', vars: z.object({ text: z.string() }), messages: 'Is this positive or negative?\n{{text}}' })
const Sentiment = z.object({ label: z.enum(['positive', 'negative', 'unknown']), score: z.number() })

// The first call gets its answer, the second finds the model down.
const model = script([replyOutput({ label: 'positive', score: 0.9 }), replyFailure('quota_exhausted')])

await using ai = client({ models: { fast: { model: 'scripted/fast', price: { inputUsd: 1, outputUsd: 2 } } }, providers: [model] })

const classify = (text: string) =>
  ai.call({
    model: 'fast',
    prompt: sentiment,
    vars: { text },
    output: Sentiment,
    fallback: [{ value: { label: 'unknown', score: 0 } }],
    cache: { ttlMs: 60_000 },
    user: 'ada',
    route: '/reviews',
  })

for (const text of ['I love it', 'I love it', 'I hate it']) {
  const outcome = await classify(text)
  if (outcome.outcome !== 'done') throw new Error(outcome.outcome)
  console.log(text, '→', outcome.output.label, outcome.costUsd === 0 ? 'for nothing' : 'billed')
}

// prints:
// I love it → positive billed
// I love it → positive for nothing
// I hate it → unknown for nothing
