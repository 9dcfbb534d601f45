// Child agents: one researcher for each topic, two at a time, all in the journal of the same run.
import { createRuntime, lastUserText, replyText, scripted, setupAgent } from 'stateloop'
import { z } from 'zod'

const r = setupAgent({
  id: 'researcher',
  models: { fast: 'scripted/fast' },
  input: z.object({ topic: z.string() }),
  context: z.object({ finding: z.string() }),
  onFailure: 'failed',
})
const researcher = r.createAgent({
  initial: 'researching',
  states: {
    researching: r.model('fast', { prompt: ({ context }) => `What is known about ${context.topic}?`, save: 'finding', onDone: 'found' }),
    found: r.final({ output: ({ context }) => context.finding ?? '' }),
    failed: r.final({ outcome: 'failed' }),
  },
})

const t = setupAgent({
  id: 'report',
  models: { strong: 'scripted/strong' },
  agents: { researcher },
  input: z.object({ topics: z.array(z.string()) }),
  context: z.object({ findings: z.array(z.string()), report: z.string() }),
  onFailure: 'failed',
})
const report = t.createAgent({
  initial: 'researching',
  states: {
    researching: t.each('researcher', {
      items: ({ context }) => context.topics.map((topic) => ({ topic })),
      concurrency: 2,
      maxItems: 10,
      save: 'findings',
      onDone: 'writing',
    }),
    writing: t.model('strong', { prompt: ({ context }) => `Join these:\n${(context.findings ?? []).join('\n')}`, save: 'report', onDone: 'written' }),
    written: t.final({ output: ({ context }) => context.report ?? '' }),
    failed: t.final({ outcome: 'failed' }),
  },
})

const model = scripted({
  rules: (request) => {
    const asked = lastUserText(request)
    const topic = /about (.*)\?/.exec(asked)?.[1]
    return replyText(topic === undefined ? asked.split('\n').slice(1).join(' ') : `${topic}: mostly harmless.`)
  },
})

await using runtime = createRuntime({ providers: [model] })
const run = await runtime.start(report, { topics: ['earth', 'tea', 'towels'] })
const outcome = await run.outcome()
console.log(outcome.outcome === 'done' ? outcome.output : outcome, `(${outcome.modelCalls} model calls)`)

// prints:
// earth: mostly harmless. tea: mostly harmless. towels: mostly harmless. (4 model calls)
