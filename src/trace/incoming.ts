// The trace that a request came with, as a W3C header says it. Invariant: an application that traces its own requests is left
// alone: its span is already the parent of what it calls.
// @see https://www.w3.org/TR/trace-context/
import { context, createTraceState, trace } from '@opentelemetry/api'
import { idsOf } from './tracing.ts'

/** Does work below the span that `traceparent` names, where nothing else is active and the header can be read. */
export const inTraceOf = <T>(traceparent: string | undefined, tracestate: string | undefined, work: () => T): T => {
  const ids = traceparent === undefined || trace.getActiveSpan() !== undefined ? undefined : idsOf(traceparent)
  if (ids === undefined) return work()
  const { traceId, spanId, flags } = ids
  const state = tracestate === undefined ? {} : { traceState: createTraceState(tracestate.slice(0, 512)) }
  return context.with(trace.setSpanContext(context.active(), { traceId, spanId, traceFlags: flags, isRemote: true, ...state }), work)
}
