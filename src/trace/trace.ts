// The tracing port: the driver opens a span per run, state visit, effect and attempt and closes it with what happened.
// The default does nothing and costs nothing.
import type { Json } from '../failure/index.ts'

/** What a span covers. */
export type SpanKind = 'run' | 'state' | 'model' | 'tool' | 'retrieval' | 'attempt'

/** An open span. */
export interface Span {
  set(attributes: { readonly [name: string]: Json }): void
  end(failureCode?: string): void
}

/** Opens spans. Must not throw. */
export interface Tracer {
  start(kind: SpanKind, name: string, parent: Span | undefined, attributes: { readonly [name: string]: Json }): Span
}

const noSpan: Span = { set() {}, end() {} }
/** Traces nothing. */
export const noTracer: Tracer = { start: () => noSpan }
