export { noTracer } from './trace.ts'
export type { Span, SpanKind, Tracer } from './trace.ts'
