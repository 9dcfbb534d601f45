// The builder: a match that must name every topic, and failures that take their own routes. The strong model is
// overloaded here, so the run falls back to the fast one.
import { createRuntime, replyFailure, replyOutput, replyText, script, setupAgent } from 'stateloop'
import { z } from 'zod'

const t = setupAgent({
  id: 'support-lite',
  models: { fast: 'scripted/fast', strong: 'scripted/strong' },
  input: z.object({ question: z.string() }),
  context: z.object({ question: z.string(), answer: z.string() }),
  limits: { modelCalls: 6 },
  onFailure: 'failed',
})

const support = t.createAgent({
  initial: 'triaging',
  states: {
    triaging: t.model('fast', {
      prompt: ({ context }) => `Sort this question: ${context.question}`,
      output: z.object({ topic: z.enum(['howto', 'abuse']) }),
      onDone: { match: 'topic', to: { howto: 'answering', abuse: 'declined' } },
    }),
    answering: t.model('strong', {
      prompt: ({ context }) => context.question,
      retry: { attempts: 1 },
      save: 'answer',
      onDone: 'answered',
      onError: { refused: 'declined', overloaded: 'answeringBriefly' },
    }),
    answeringBriefly: t.model('fast', { prompt: ({ context }) => `In one sentence: ${context.question}`, save: 'answer', onDone: 'answered' }),
    answered: t.final({ output: ({ context }) => context.answer ?? '' }),
    declined: t.final({ output: () => 'I cannot help with that.' }),
    failed: t.final({ outcome: 'failed' }),
  },
})

const model = script({
  triaging: [replyOutput({ topic: 'howto' })],
  answering: [replyFailure('overloaded')],
  answeringBriefly: [replyText('Open the settings and choose Reset.')],
})

await using runtime = createRuntime({ providers: [model] })
const run = await runtime.start(support, { question: 'How do I reset my password?' })
for await (const event of run) {
  if (event.type === 'state.entered') console.log(event.state)
  if (event.type === 'failure.raised') console.log(`  failed: ${event.failure.code}`)
}
const outcome = await run.outcome()
console.log(outcome.outcome === 'done' ? outcome.output : outcome)

// prints:
// triaging
// answering
//   failed: overloaded
// answeringBriefly
// answered
// Open the settings and choose Reset.
