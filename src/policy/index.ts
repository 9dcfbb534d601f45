export { retryDelay, timeoutsOf } from './policy.ts'
export type { RetryPolicy, RetryQuestion, TimeoutPolicy } from './policy.ts'
