// The shortest agent: one model, one tool, and the loop between them. A scripted model stands in for the real one.
import { agent, createRuntime, defineTool, lastToolResults, replyCalls, replyText, scripted } from 'stateloop'
import { z } from 'zod'

const getWeather = defineTool({
  description: 'Says what the weather is in a city.',
  input: z.object({ city: z.string() }),
  run: ({ city }) => ({ city, sky: 'rain', celsius: 9 }),
})

const weather = agent({ id: 'weather', model: 'scripted/rules', prompt: 'Answer questions about the weather.', tools: { getWeather } })

const model = scripted({
  rules: (request) => (lastToolResults(request).length === 0 ? replyCalls({ name: 'getWeather', args: { city: 'Bern' } }) : replyText('Yes, take an umbrella: rain at 9 degrees.')),
})

await using runtime = createRuntime({ providers: [model] })
const run = await runtime.start(weather, 'Do I need an umbrella in Bern?')
for await (const event of run) if (event.type === 'state.entered') console.log(event.state)
const outcome = await run.outcome()
console.log(outcome.outcome, outcome.outcome === 'done' ? outcome.output : '')
console.log(`${outcome.modelCalls} model calls, ${outcome.toolCalls} tool call`)

// prints:
// answering
// acting
// answering
// done
// done Yes, take an umbrella: rain at 9 degrees.
// 2 model calls, 1 tool call
