// One life of the desk's run in a process of its own, with telemetry exported as a user would: the first life until a
// person is asked, the second one from their answer on. Prints one line of JSON.
import { sqliteJournal } from '../../../src/journal/index.ts'
import { createRuntime } from '../../../src/run/index.ts'
import { exportTelemetry } from '../../../src/trace/otel.ts'
import { desk, firstHalf, secondHalf } from './desk.ts'

const [db = '', id = '', hash = ''] = process.argv.slice(2)

const main = async (): Promise<void> => {
  await using _telemetry = await exportTelemetry({ serviceName: 'desk-app' })
  await using runtime = createRuntime({ journal: sqliteJournal({ path: db }), agents: [desk], providers: [id === '' ? firstHalf() : secondHalf()] })
  const run = id === '' ? await runtime.start(desk, { question: 'Refund order 7' }, { user: 'ada', session: 's1' }) : await runtime.resume(id)
  if (hash !== '') await run.send({ type: 'APPROVE', hash })
  const outcome = await run.outcome()
  process.stdout.write(JSON.stringify({ id: run.id, outcome: outcome.outcome, hash: outcome.outcome === 'waiting' ? outcome.waiting[0]?.calls?.[0]?.hash : undefined }))
}
void main()
