// From what a provider says went wrong to one code of the failure table. Names a provider uses for exactly one cause
// come first, then the HTTP status. Invariant: every status and every body gives a code.
import type { FailureCode } from '../../failure/index.ts'
import type { ProviderError } from './error-body.ts'

/** The code of a failed call, and whether a retry can help where that differs from the table. */
export interface Verdict {
  readonly code: FailureCode
  readonly retryable?: boolean
}

const QUOTA =
  /^(insufficient_quota|billing_hard_limit_reached|billing_not_active|credit_balance_exhausted|insufficient_(balance|credits|funds)|enforced_spend_limit_reached|\w*_spend_limit_exceeded|access_terminated_billing)$/
const OVERFLOW = /^(context_length_exceeded|request_too_large|string_above_max_length|max_tokens_exceeded|model_max_prompt_tokens_exceeded)$/
const FILTERED = /^(content_filter|content_policy_violation|responsibleaipolicyviolation|moderation_blocked|content_moderation|moderation_error)$/
const NO_MODEL = /^(model_not_found|deploymentnotfound|model_not_available|invalid_model|unknown_model)$/
const LIMITED = /^(rate_limit_exceeded|rate_limit_error|rate_limit_reached|too_many_requests|resource_exhausted|tokens|requests)$/
const OVERLOADED = /^(overloaded_error|server_overloaded|server_is_overloaded|slow_down|engine_overloaded(_error)?|service_unavailable(_error)?|unavailable|insufficient_system_resource|capacity_exceeded)$/
const UNAUTHORIZED = /^(invalid_api_key|authentication_error|permission_error|permission_denied|unauthenticated|invalid_authentication|unauthorized)$/
const SERVER = /^(server_error|api_error|internal_error|internal_server_error|internal|timeout_error|bad_gateway|upstream_error|tool_use_failed)$/
const INVALID = /^(invalid_request_error|invalid_argument|invalid_value|unsupported_value|unsupported_parameter|missing_required_parameter|validation_error|bad_request)$/

const LONG_MESSAGE =
  /maximum context length|context (window|length|size)|prompt is too long|input is too long|too many (input )?tokens|reduce the length of (the|your)|exceeds? the (available|maximum) (context|number of tokens)/i
const POOR_MESSAGE = /credit balance is too low|insufficient (credits?|balance|funds)|out of credits/i
const FLAGGED_MESSAGE = /flagged|content management policy|usage polic|safety system/i
/** One request is larger than a whole minute's allowance: waiting changes nothing. */
const NEVER_FITS = /request too large/i

const named = (names: readonly string[], pattern: RegExp): boolean => names.some((name) => pattern.test(name))

/** Causes that providers report under all kinds of status. */
const byName = ({ names }: ProviderError): Verdict | undefined => {
  if (named(names, QUOTA)) return { code: 'quota_exhausted' }
  if (named(names, OVERFLOW)) return { code: 'context_overflow' }
  if (named(names, FILTERED)) return { code: 'content_filtered' }
  if (named(names, NO_MODEL)) return { code: 'model_not_found' }
  return undefined
}

const rejected = (error: ProviderError): Verdict => {
  if (LONG_MESSAGE.test(error.message)) return { code: 'context_overflow' }
  if (POOR_MESSAGE.test(error.message)) return { code: 'quota_exhausted' }
  if (FLAGGED_MESSAGE.test(error.message)) return { code: 'content_filtered' }
  return { code: 'invalid_request' }
}

const forbidden = ({ message }: ProviderError): Verdict => (FLAGGED_MESSAGE.test(message) ? { code: 'content_filtered' } : { code: 'auth_failed' })

/** Classifies a reply by its HTTP status, 300 to 599 and beyond. */
export const classifyStatus = (status: number, error: ProviderError): Verdict => {
  const known = byName(error)
  if (known !== undefined) return known
  if (status === 429) return NEVER_FITS.test(error.message) ? { code: 'rate_limited', retryable: false } : { code: 'rate_limited' }
  if (status === 402) return { code: 'quota_exhausted' }
  if (status === 401) return { code: 'auth_failed' }
  if (status === 403) return forbidden(error)
  if (status === 404) return { code: 'model_not_found' }
  if (status === 413) return { code: 'context_overflow' }
  // 498 is Groq's word for no capacity.
  if (status === 503 || status === 529 || status === 498 || named(error.names, OVERLOADED)) return { code: 'overloaded' }
  if (status >= 500 || [408, 409, 424, 425].includes(status)) return { code: 'provider_error' }
  return rejected(error)
}

/** Classifies an error that came inside a reply with status 200, or inside a stream. */
export const classifyEmbedded = (error: ProviderError): Verdict => {
  const { names } = error
  // The model wrote a call that the provider itself could not accept: another attempt may not.
  if (names.includes('tool_use_failed')) return { code: 'provider_error' }
  if (error.status !== undefined) return classifyStatus(error.status, error)
  const known = byName(error)
  if (known !== undefined) return known
  if (named(names, LIMITED)) return { code: 'rate_limited' }
  if (named(names, OVERLOADED)) return { code: 'overloaded' }
  if (named(names, UNAUTHORIZED)) return { code: 'auth_failed' }
  if (named(names, SERVER)) return { code: 'provider_error' }
  return named(names, INVALID) ? rejected(error) : { code: 'provider_error' }
}
