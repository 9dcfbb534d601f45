export { FAILURE_CODES, codeInfo, codesOf } from './codes.ts'
export type { BreakerEffect, CodeInfo, CodesOf, DoorCode, EffectCode, FailureCode, FailureKind } from './codes.ts'
export { FailureError, fail, failure, failureOf, isFailure } from './failure.ts'
export type { Failure, FailureCause, FailureOptions, Json, ProviderDetails } from './failure.ts'
