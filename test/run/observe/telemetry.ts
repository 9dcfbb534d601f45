// OpenTelemetry's own SDK with exporters that keep everything in memory, registered for one test, and a picture of the
// spans as a tree that a test can compare.
import { context, logs, metrics, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemoryLogRecordExporter, LoggerProvider, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs'
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader, type MetricData } from '@opentelemetry/sdk-metrics'
import { AlwaysOffSampler, InMemorySpanExporter, SimpleSpanProcessor, TracerProvider, type ReadableSpan } from '@opentelemetry/sdk-trace'
import { onTestFinished } from 'vitest'

/** What was recorded. */
export interface Telemetry {
  readonly spans: () => readonly ReadableSpan[]
  readonly named: (name: string) => readonly ReadableSpan[]
  readonly logs: () => readonly { readonly name: string | undefined; readonly severity: string | undefined; readonly spanId: string | undefined; readonly attributes: object }[]
  readonly metrics: () => Promise<readonly MetricData[]>
}

/** Registers providers until the test is over. */
export const recordTelemetry = ({ sampled = true, measures = true }: { readonly sampled?: boolean; readonly measures?: boolean } = {}): Telemetry => {
  const exported = new InMemorySpanExporter()
  const logged = new InMemoryLogRecordExporter()
  const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  const reader = new PeriodicExportingMetricReader({ exporter: measured, exportIntervalMillis: 2 ** 30 })
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: exported })], ...(sampled ? {} : { sampler: new AlwaysOffSampler() }) }))
  if (measures) {
    logs.setGlobalLoggerProvider(new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter: logged })] }))
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  }
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  onTestFinished(() => {
    trace.disable()
    logs.disable()
    metrics.disable()
    context.disable()
  })
  return {
    spans: () => exported.getFinishedSpans(),
    named: (name) => exported.getFinishedSpans().filter((span) => span.name === name),
    logs: () => logged.getFinishedLogRecords().map(({ eventName, severityText, spanContext, attributes }) => ({ name: eventName, severity: severityText, spanId: spanContext?.spanId, attributes })),
    metrics: async () => {
      await reader.forceFlush()
      return measured.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: found }) => found))
    },
  }
}

const nanos = ([seconds, rest]: readonly [number, number]): number => seconds * 1e9 + rest

/** Spans as indented names, children below their parent in the order in which they began. A span without its parent stands at the left. */
export const treeOf = (spans: readonly ReadableSpan[]): readonly string[] => {
  const ids = new Set(spans.map((span) => span.spanContext().spanId))
  const below = (parent: string | undefined, depth: number): readonly string[] =>
    spans
      .filter(({ parentSpanContext }) => (parent === undefined ? !ids.has(parentSpanContext?.spanId ?? '') : parentSpanContext?.spanId === parent))
      .toSorted((a, b) => nanos(a.startTime) - nanos(b.startTime))
      .flatMap((span) => [`${'  '.repeat(depth)}${span.name}${span.status.code === SpanStatusCode.ERROR ? ` !${String(span.attributes['error.type'])}` : ''}`, ...below(span.spanContext().spanId, depth + 1)])
  return below(undefined, 0)
}

/** Spans that are not inside their parent's time. */
export const outOfParent = (spans: readonly ReadableSpan[]): readonly string[] =>
  spans.flatMap((span) => {
    const parent = spans.find((other) => other.spanContext().spanId === span.parentSpanContext?.spanId)
    const inside = parent === undefined || (nanos(span.startTime) >= nanos(parent.startTime) && nanos(span.endTime) <= nanos(parent.endTime))
    return inside ? [] : [`${span.name} in ${parent.name}`]
  })
