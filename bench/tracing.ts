// What traces, metrics and log events cost: CPU per step with the OpenTelemetry SDK taking them, beside the same run with
// nobody listening. Exporting is left out: it is the application's choice.
// Run: node --conditions=stateloop-source bench/tracing.ts
import { context, logs, metrics, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { LoggerProvider } from '@opentelemetry/sdk-logs'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { NoopSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { createRuntime, type RuntimeOptions } from '../src/run/index.ts'
import { benchAgent, provider } from './scenario.ts'

const STEPS = 1_000
const ROUNDS = 15

const play = async (options: RuntimeOptions): Promise<number> => {
  const runtime = createRuntime({ providers: [provider], ...options })
  const before = process.cpuUsage()
  const outcome = await (await runtime.start(benchAgent, { steps: STEPS })).outcome()
  const { user, system } = process.cpuUsage(before)
  if (outcome.outcome !== 'done') throw new Error(JSON.stringify(outcome))
  return (user + system) / STEPS
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const nothing: number[] = []
const spans: number[] = []
const all: number[] = []
for (let round = 0; round <= ROUNDS; round++) {
  const off = await play({})
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new NoopSpanProcessor()] }))
  const traced = await play({})
  logs.setGlobalLoggerProvider(new LoggerProvider())
  metrics.setGlobalMeterProvider(new MeterProvider())
  const everything = await play({})
  trace.disable()
  logs.disable()
  metrics.disable()
  // The first round warms up.
  if (round === 0) continue
  nothing.push(off)
  spans.push(traced)
  all.push(everything)
}
const show = (name: string, of: readonly number[]): void => console.log(`${name.padEnd(28)}${median(of).toFixed(1).padStart(8)} µs per step${(median(of) / median(nothing)).toFixed(2).padStart(8)}`)
show('nobody listens', nothing)
show('spans', spans)
show('spans, metrics, log events', all)
