// A process that makes a run after the other with a lock it watches; started by the tests, never imported. Prints a line for each
// run: what the model was sent, and the hash of the prompt on the completion.
import { agent, createRuntime, definePrompt, promptLock, textOf, type ModelProvider } from 'stateloop'
import { z } from 'zod'

const provider: ModelProvider = {
  id: 'echo',
  call: async ({ messages }) => ({ message: { role: 'assistant', content: textOf(messages[0]?.content ?? '') }, finish: 'stop', usage: null, model: 'm' }),
}
const greeter = agent({ id: 'greeter', model: 'echo/m', prompt: definePrompt({ id: 'greet', vars: z.object({ input: z.string() }), messages: 'Code {{input}}' }) })
const runtime = createRuntime({ providers: [provider], prompts: promptLock({ path: process.argv[2] ?? '', watch: true }) })
for (;;) {
  const run = await runtime.start(greeter, 'Ada')
  const outcome = await run.outcome()
  const calls = (await runtime.entries(run.id)).flatMap(({ body: { cause } }) => (cause.type === 'attempt' ? (cause.outcome.calls ?? []) : []))
  console.log(JSON.stringify({ text: 'output' in outcome ? outcome.output : outcome, hash: calls[0]?.promptHash }))
  await new Promise((resolve) => setTimeout(resolve, 50))
}
