// Records the example of each template anew, as `stateloop record` would. Run it after a change of a template:
// node --conditions=stateloop-source scripts/record-templates.ts
import { join } from 'node:path'
import { createRuntime, fakeClock, type Agent, type ModelProvider } from '../src/index.ts'
import { recordRun, writeRecording } from '../src/replay/index.ts'

const root = join(import.meta.dirname, '..', 'templates')

for (const name of ['assistant', 'documents', 'extraction']) {
  const { default: agent, offline, example } = (await import(join(root, name, 'agent.ts'))) as { readonly default: Agent; readonly offline: ModelProvider; readonly example: unknown }
  await using runtime = createRuntime({ providers: [offline], clock: fakeClock({ seed: 1 }) })
  const run = await runtime.start(agent, example)
  const outcome = await run.outcome()
  if (outcome.outcome !== 'done') throw new Error(`The example of ${name} ended as ${outcome.outcome}.`)
  await writeRecording(join(root, name, 'recordings', 'example.jsonl'), await recordRun(runtime.journal, run.id, agent))
  console.log(`recorded ${name}`)
}
