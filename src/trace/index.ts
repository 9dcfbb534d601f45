export { inputContent, outputContent } from './content.ts'
export { ATTRIBUTE, CONTENT, GEN_AI_VERSION, LOG_EVENT, OPERATION } from './names.ts'
export { openTelemetry, traceparentOf } from './tracing.ts'
export type { Attributes, OpenSpan, TraceIds, Tracing } from './tracing.ts'
