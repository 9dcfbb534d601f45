// A failure is a value: a closed code, a message that says what was tried, seen and what to do, and details.
// It survives JSON. `FailureError` carries one through `throw`, at the doors and inside performed effects only.
import { codeInfo, type FailureCode } from './codes.ts'

/** Anything that JSON can hold. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** What a provider said about a failed call; never headers, keys or bodies. */
export interface ProviderDetails {
  /** Id of the provider: `openai`. */
  readonly provider?: string
  /** Name of the model, as the provider knows it. */
  readonly model?: string
  /** HTTP status. */
  readonly status?: number
  /** The provider's own error code or type. */
  readonly code?: string
  /** The provider's id of the request, for its support. */
  readonly requestId?: string
  /** How long the provider asks to wait, milliseconds. */
  readonly retryAfterMs?: number
}

/** The original error, reduced to what may be kept. */
export interface FailureCause {
  /** Its class: `TypeError`. */
  readonly name: string
  /** What it said. */
  readonly message: string
  /** Where it was thrown. */
  readonly stack?: string
}

/** An expected, typed failure. */
export interface Failure {
  /** Which failure of the closed list it is: one of `FAILURE_CODES`. */
  readonly code: FailureCode
  /** What was attempted, what was seen, what to do. */
  readonly message: string
  /** Whether the same call may succeed when it is tried again. */
  readonly retryable: boolean
  /** What the provider said, when one was asked. */
  readonly provider?: ProviderDetails
  /** More facts, by code: the path of an invalid value, the limit and what was used, the accepted events. */
  readonly details?: { readonly [key: string]: Json }
  /** The error behind it, when there is one. */
  readonly cause?: FailureCause
}

/** What can be added to a failure beside its code and message. */
export interface FailureOptions {
  /** Whether trying again may help. Default: as the code says. */
  readonly retryable?: boolean
  /** What the provider said. Default: nothing. */
  readonly provider?: ProviderDetails
  /** More facts, for programs. Default: none. */
  readonly details?: { readonly [key: string]: Json }
  /** The error behind it; reduced to name, message and stack. Default: none. */
  readonly cause?: unknown
}

/** Reduces anything thrown to name, message and stack. */
const toCause = (thrown: unknown): FailureCause => {
  if (!(thrown instanceof Error)) return { name: 'NonError', message: describe(thrown) }
  const cause = { name: thrown.name, message: thrown.message }
  return thrown.stack === undefined ? cause : { ...cause, stack: thrown.stack }
}

const describe = (value: unknown): string => {
  try {
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value))
  } catch {
    return Object.prototype.toString.call(value)
  }
}

/**
 * Makes a failure as a value: a code, a message and details.
 *
 * @example failure('timeout', 'The model sent no token for 5000 ms. Raise timeout.idleMs.')
 */
export const failure = (code: FailureCode, message: string, options: FailureOptions = {}): Failure => {
  const { retryable = codeInfo(code)?.retryable ?? false, provider, details, cause } = options
  return {
    code,
    message,
    retryable,
    ...(provider === undefined ? {} : { provider }),
    ...(details === undefined ? {} : { details }),
    ...(cause === undefined ? {} : { cause: toCause(cause) }),
  }
}

/** Tells whether a value is a failure of the closed table. */
export const isFailure = (value: unknown): value is Failure =>
  typeof value === 'object' && value !== null && 'code' in value && 'message' in value && 'retryable' in value && typeof value.code === 'string' && codeInfo(value.code) !== undefined

/** A failure on its way through `throw`. */
export class FailureError extends Error {
  override readonly name = 'FailureError'
  /** The failure as a value. */
  readonly failure: Failure
  constructor(value: Failure) {
    super(`${value.code}: ${value.message}`)
    this.failure = value
  }
  /** The code, for `catch` blocks. */
  get code(): FailureCode {
    return this.failure.code
  }
  /** The failure, so that JSON of the error is JSON of the failure. */
  toJSON(): Failure {
    return this.failure
  }
}

/** Throws a failure as an error. @throws FailureError always. */
export const fail = (code: FailureCode, message: string, options?: FailureOptions): never => {
  throw new FailureError(failure(code, message, options))
}

/** The failure inside something caught, or undefined when it is a defect. */
export const failureOf = (thrown: unknown): Failure | undefined => {
  if (thrown instanceof FailureError) return thrown.failure
  return isFailure(thrown) ? thrown : undefined
}
