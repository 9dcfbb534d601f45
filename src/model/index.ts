export { ModelCallError } from './call-error.ts'
export type { FailedAttempt } from './call-error.ts'
export type { ModelDelta, ModelIo, ModelParams, ModelProvider, ModelReply, ModelRequest, ToolSchema } from './provider.ts'
