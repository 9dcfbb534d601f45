// The front door of `stateloop/ai-sdk`: model objects of the Vercel AI SDK as our providers, and our policies around code
// that already uses them.
export { aiSdk } from '../../model/index.ts'
export type { AiSdkModel, AiSdkOptions, AiSdkProvider } from '../../model/index.ts'
export { aiSdkMiddleware } from './middleware.ts'
export type { AiSdkMiddleware, AiSdkMiddlewareOptions } from './middleware.ts'
