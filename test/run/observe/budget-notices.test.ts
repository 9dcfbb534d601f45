import { pino } from 'pino'
import { expect, it } from 'vitest'
import { logRuns } from '../../../src/run/index.ts'
import { listModel, loopAgent, testRuntime } from '../harness.ts'
import { recordTelemetry } from './telemetry.ts'

it('a limit that comes near and is reached is a log line and a metric, each once in its window', async () => {
  const telemetry = recordTelemetry()
  const written: string[] = []
  const log = logRuns(pino({ base: null, timestamp: false }, { write: (text: string) => void written.push(text) }))
  const { runtime } = testRuntime({ providers: [listModel(() => ({ text: 'x' }))], observers: [log], budgets: [{ scope: 'user:*', calls: '2/day', warnAt: 0.5 }] })
  for (let run = 0; run < 5; run++) await (await runtime.start(loopAgent({}, {}, { retry: { attempts: 1 } }), 'x', { user: 'ada' })).outcome()
  const lines = written.map((text) => JSON.parse(text) as { readonly level: number; readonly msg: string })
  expect(lines.filter(({ msg }) => msg.startsWith('limit is'))).toMatchObject([
    { level: 40, msg: 'limit is near', budget: 'user:*', unit: 'calls', window: 'day', limit: 2, spent: 1 },
    { level: 40, msg: 'limit is reached', budget: 'user:*', spent: 2 },
  ])
  const notices = (await telemetry.metrics()).find(({ descriptor }) => descriptor.name === 'stateloop.budget.notices')
  expect(notices?.dataPoints.map(({ attributes, value }) => [attributes['stateloop.budget.reached'], attributes['stateloop.budget.scope'], value])).toEqual([
    [false, 'user:*', 1],
    [true, 'user:*', 1],
  ])
})
