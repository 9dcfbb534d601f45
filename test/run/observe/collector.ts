// An independent OTLP receiver on loopback, and what it received as plain data.
import { MockOtlpServer } from '@elastic/mockotlpserver'

/** Fields that are not set are absent or null, depending on the protocol. */
interface Value {
  readonly stringValue?: string | null
  readonly boolValue?: boolean | null
  readonly intValue?: number | string | null
  readonly doubleValue?: number | null
  readonly arrayValue?: { readonly values: readonly Value[] } | null
  /** Which of them is set, where the protocol says so. */
  readonly value?: 'stringValue' | 'boolValue' | 'intValue' | 'doubleValue' | 'arrayValue'
}
type Attributes = readonly { readonly key: string; readonly value: Value }[]

interface WireSpan {
  readonly name: string
  readonly kind: number | string
  readonly traceId: Uint8Array | string
  readonly spanId: Uint8Array | string
  readonly parentSpanId?: Uint8Array | string
  readonly startTimeUnixNano: string | number
  readonly endTimeUnixNano: string | number
  readonly attributes?: Attributes
  readonly links?: readonly { readonly spanId: Uint8Array | string }[]
  readonly status?: { readonly code?: number | string; readonly message?: string }
}

interface Scope {
  readonly name: string
}

interface Callbacks {
  readonly onTrace: (trace: {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes: Attributes }
      readonly schemaUrl?: string
      readonly scopeSpans: readonly { readonly scope: Scope; readonly schemaUrl?: string; readonly spans: readonly WireSpan[] }[]
    }[]
  }) => void
  readonly onMetrics: (metrics: {
    readonly resourceMetrics: readonly { readonly scopeMetrics: readonly { readonly scope: Scope; readonly metrics: readonly { readonly name: string; readonly unit: string }[] }[] }[]
  }) => void
  readonly onLogs: (logs: {
    readonly resourceLogs: readonly {
      readonly scopeLogs: readonly { readonly logRecords: readonly { readonly body?: Value; readonly spanId: Uint8Array | string; readonly attributes?: Attributes; readonly severityText?: string }[] }[]
    }[]
  }) => void
}

const hex = (id: Uint8Array | string | undefined): string => (id === undefined ? '' : typeof id === 'string' ? id : Buffer.from(id).toString('hex'))

const plainValue = (value: Value): unknown => {
  const kind = value.value ?? (Object.keys(value)[0] as NonNullable<Value['value']>)
  if (kind === 'arrayValue') return value.arrayValue?.values.map(plainValue)
  return kind === 'intValue' ? Number(value.intValue) : value[kind]
}

const plainOf = (attributes: Attributes = []): { readonly [name: string]: unknown } => Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]))

/** A span as it arrived. */
export interface ReceivedSpan {
  readonly name: string
  readonly traceId: string
  readonly id: string
  readonly parent: string
  readonly kind: number | string
  readonly startMs: number
  readonly endMs: number
  readonly attributes: { readonly [name: string]: unknown }
  readonly links: readonly string[]
  readonly failed: boolean
  readonly service: unknown
  readonly schemaUrl: string | undefined
}

/** A collector and what it has. */
export interface Collector extends AsyncDisposable {
  readonly url: string
  readonly spans: readonly ReceivedSpan[]
  readonly metrics: ReadonlyMap<string, string>
  readonly logs: readonly { readonly body: unknown; readonly span: string; readonly severity: string | undefined; readonly attributes: { readonly [name: string]: unknown } }[]
  /** Resource attributes of everything that sent. */
  readonly resources: readonly { readonly [name: string]: unknown }[]
}

/** Starts a collector on a free port. */
export const startCollector = async (): Promise<Collector> => {
  const spans: ReceivedSpan[] = []
  const metrics = new Map<string, string>()
  const logs: { readonly body: unknown; readonly span: string; readonly severity: string | undefined; readonly attributes: { readonly [name: string]: unknown } }[] = []
  const resources: { readonly [name: string]: unknown }[] = []
  const callbacks: Callbacks = {
    onTrace: ({ resourceSpans }) => {
      for (const { resource, scopeSpans } of resourceSpans) {
        const about = plainOf(resource.attributes)
        resources.push(about)
        for (const { spans: found, schemaUrl } of scopeSpans)
          spans.push(
            ...found.map(({ name, kind, traceId, spanId, parentSpanId, startTimeUnixNano, endTimeUnixNano, attributes, links = [], status }) => ({
              name,
              kind,
              traceId: hex(traceId),
              id: hex(spanId),
              parent: hex(parentSpanId),
              startMs: Number(startTimeUnixNano) / 1e6,
              endMs: Number(endTimeUnixNano) / 1e6,
              attributes: plainOf(attributes),
              links: links.map((link) => hex(link.spanId)),
              failed: status?.code === 2 || status?.code === 'STATUS_CODE_ERROR',
              service: about['service.name'],
              schemaUrl,
            })),
          )
      }
    },
    onMetrics: ({ resourceMetrics }) => {
      for (const { scopeMetrics } of resourceMetrics) for (const { metrics: found } of scopeMetrics) for (const { name, unit } of found) metrics.set(name, unit)
    },
    onLogs: ({ resourceLogs }) => {
      for (const { scopeLogs } of resourceLogs)
        for (const { logRecords } of scopeLogs)
          logs.push(
            ...logRecords.map(({ body, spanId, severityText, attributes }) => ({ body: body === undefined ? undefined : plainValue(body), span: hex(spanId), severity: severityText, attributes: plainOf(attributes) })),
          )
    },
  }
  const server = new MockOtlpServer({ logLevel: 'error', services: ['http'], httpHostname: '127.0.0.1', httpPort: 0, ...callbacks })
  await server.start()
  return { url: String(server.httpUrl).replace(/\/$/, ''), spans, metrics, logs, resources, [Symbol.asyncDispose]: () => server.close() }
}
