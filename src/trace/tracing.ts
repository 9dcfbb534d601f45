// The one door to OpenTelemetry, and only to its API: spans, log events and metrics with plain data in. Invariant: where
// the application has registered no provider, nothing is recorded and `openTelemetry` says so.
import {
  context,
  createNoopMeter,
  logs,
  metrics,
  SeverityNumber,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Counter,
  type Histogram,
  type Logger,
  type Meter,
  type Span,
  type Tracer,
} from '@opentelemetry/api'
import { METRIC, SCHEMA_URL, type Metric } from './names.ts'

/** Attributes as plain data; undefined ones are left out. */
export interface Attributes {
  readonly [name: string]: string | number | boolean | readonly string[] | undefined
}

/** Where a span stands, as the W3C writes it. */
export interface TraceIds {
  readonly traceId: string
  readonly spanId: string
  readonly flags: number
}

/** A span under way. */
export interface OpenSpan {
  /** Undefined when nobody traces. */
  readonly ids: TraceIds | undefined
  readonly recording: boolean
  readonly set: (attributes: Attributes) => void
  /** Ends it, once. @param failed failure code. */
  readonly end: (atMs: number, failed?: string, message?: string) => void
  /** Does work in the span's context, so that spans that begin inside belong to it. */
  readonly within: <T>(work: () => T) => T
  /** Begins a span that belongs to this one. */
  readonly child: (name: string, options: SpanStart) => OpenSpan
  /** Writes a log event in the span's context. */
  readonly log: (name: string, event: { readonly severity: 'info' | 'warn'; readonly at: number; readonly body: string; readonly attributes: Attributes }) => void
}

/** How a span begins. */
export interface SpanStart {
  /** Calls to other systems are `client`. */
  readonly kind: 'client' | 'internal'
  /** Milliseconds UTC. */
  readonly at: number
  readonly attributes: Attributes
  /** Context of another trace that this one goes on from, as `traceparent`. */
  readonly link?: string
}

/** What the application lets us record at this moment. */
export interface Tracing {
  /** Begins a span below whatever span is active in the caller. */
  readonly span: (name: string, options: SpanStart) => OpenSpan
  readonly measure: (metric: keyof typeof METRIC, value: number, attributes: Attributes) => void
  /** True when somebody takes metrics. */
  readonly measures: boolean
  /** True when somebody takes log events. */
  readonly logs: boolean
}

const SCOPE = 'stateloop'
const SEVERITY = { info: SeverityNumber.INFO, warn: SeverityNumber.WARN }
const KIND = { client: SpanKind.CLIENT, internal: SpanKind.INTERNAL }

const defined = (attributes: Attributes): { [name: string]: string | number | boolean | string[] } => {
  const kept: { [name: string]: string | number | boolean | string[] } = {}
  for (const name in attributes) if (attributes[name] !== undefined) kept[name] = attributes[name] as string
  return kept
}

const HEX = { trace: /^[0-9a-f]{32}$/, span: /^[0-9a-f]{16}$/ }

/** Ids as a `traceparent` header carries them. */
export const traceparentOf = ({ traceId, spanId, flags }: TraceIds): string => `00-${traceId}-${spanId}-${flags.toString(16).padStart(2, '0')}`

/** Reads a `traceparent`. Undefined when it is not one. */
export const idsOf = (traceparent: string): TraceIds | undefined => {
  const [, traceId = '', spanId = '', flags = ''] = traceparent.split('-')
  return HEX.trace.test(traceId) && HEX.span.test(spanId) ? { traceId, spanId, flags: Number.parseInt(flags, 16) || TraceFlags.NONE } : undefined
}

const linksOf = (link: string | undefined): { readonly links?: { context: { traceId: string; spanId: string; traceFlags: number } }[] } => {
  const ids = link === undefined ? undefined : idsOf(link)
  return ids === undefined ? {} : { links: [{ context: { traceId: ids.traceId, spanId: ids.spanId, traceFlags: ids.flags } }] }
}

class ApiSpan implements OpenSpan {
  readonly #span: Span
  readonly #tracer: Tracer
  readonly #logger: Logger | undefined
  readonly #parent: Context
  #own: Context | undefined

  constructor(tracer: Tracer, logger: Logger | undefined, parent: Context, name: string, { kind, at, attributes, link }: SpanStart) {
    this.#tracer = tracer
    this.#logger = logger
    this.#parent = parent
    this.#span = tracer.startSpan(name, { kind: KIND[kind], startTime: at, attributes: defined(attributes), ...linksOf(link) }, parent)
  }

  /** Made on first use: spans without anything inside never need it. */
  get #context(): Context {
    return (this.#own ??= trace.setSpan(this.#parent, this.#span))
  }

  get ids(): TraceIds | undefined {
    const found = this.#span.spanContext()
    return trace.isSpanContextValid(found) ? { traceId: found.traceId, spanId: found.spanId, flags: found.traceFlags } : undefined
  }

  get recording(): boolean {
    return this.#span.isRecording()
  }

  set(attributes: Attributes): void {
    for (const name in attributes) {
      const value = attributes[name]
      if (value !== undefined) this.#span.setAttribute(name, value as string)
    }
  }

  end(atMs: number, failed?: string, message?: string): void {
    if (failed !== undefined) {
      this.#span.setAttribute('error.type', failed)
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: message ?? failed })
    }
    this.#span.end(atMs)
  }

  within<T>(work: () => T): T {
    return context.with(this.#context, work)
  }

  child(name: string, options: SpanStart): OpenSpan {
    return new ApiSpan(this.#tracer, this.#logger, this.#context, name, options)
  }

  log(name: string, { severity, at, body, attributes }: Parameters<OpenSpan['log']>[1]): void {
    this.#logger?.emit({ eventName: name, severityNumber: SEVERITY[severity], severityText: severity.toUpperCase(), timestamp: at, body, attributes: defined(attributes), context: this.#context })
  }
}

type Instruments = { readonly [K in keyof typeof METRIC]: Histogram | Counter }
const instruments = new WeakMap<Meter, Instruments>()

const instrumentsOf = (meter: Meter): Instruments => {
  const known = instruments.get(meter)
  if (known !== undefined) return known
  const make = ({ name, unit, about, buckets }: Metric): Histogram | Counter =>
    buckets === undefined ? meter.createCounter(name, { unit, description: about }) : meter.createHistogram(name, { unit, description: about, advice: { explicitBucketBoundaries: buckets } })
  const made = Object.fromEntries(Object.entries(METRIC).map(([key, metric]) => [key, make(metric)])) as unknown as Instruments
  instruments.set(meter, made)
  return made
}

/** What can be recorded now: providers may be registered at any time, so ask once for each run. */
export const openTelemetry = (): Tracing => {
  const scope = { schemaUrl: SCHEMA_URL }
  const tracer = trace.getTracerProvider().getTracer(SCOPE, undefined, scope)
  const logger = logs.getLogger(SCOPE, undefined, scope)
  const meter = metrics.getMeter(SCOPE, undefined, scope)
  const measures = meter !== createNoopMeter()
  const logsEvents = logger.enabled?.() ?? true
  return {
    span: (name, options) => new ApiSpan(tracer, logsEvents ? logger : undefined, context.active(), name, options),
    measures,
    logs: logsEvents,
    measure: (metric, value, attributes) => {
      const instrument = instrumentsOf(meter)[metric]
      if ('record' in instrument) instrument.record(value, defined(attributes))
      else instrument.add(value, defined(attributes))
    },
  }
}
