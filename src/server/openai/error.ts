// Failures as clients of OpenAI's API read them. Invariant: the status tells such a client what it needs to know, and none of
// them makes it repeat a call that this server has already repeated.
import { failure, type Failure, type FailureCode } from '../../failure/index.ts'
import { judge, waitMsOf } from '../problem.ts'

const ERRORS: { readonly [C in FailureCode]?: readonly [status: number, type: string, code: string] } = {
  unauthorized: [401, 'invalid_request_error', 'invalid_api_key'],
  usage: [400, 'invalid_request_error', 'invalid_value'],
  invalid_input: [400, 'invalid_request_error', 'invalid_value'],
  invalid_request: [400, 'invalid_request_error', 'invalid_value'],
  agent_invalid: [400, 'invalid_request_error', 'invalid_value'],
  request_too_large: [413, 'invalid_request_error', 'request_too_large'],
  context_overflow: [400, 'invalid_request_error', 'context_length_exceeded'],
  content_filtered: [400, 'invalid_request_error', 'content_filter'],
  // A model that the provider does not have is no mistake of the client, so `model_not_found` is a 500.
  agent_not_found: [404, 'invalid_request_error', 'model_not_found'],
  run_not_found: [404, 'invalid_request_error', 'not_found'],
  rate_limited: [429, 'requests', 'rate_limit_exceeded'],
  throttled: [429, 'requests', 'rate_limit_exceeded'],
  quota_exhausted: [429, 'insufficient_quota', 'insufficient_quota'],
  budget_exceeded: [429, 'insufficient_quota', 'insufficient_quota'],
  overloaded: [503, 'server_error', 'server_is_overloaded'],
  saturated: [503, 'server_error', 'server_is_overloaded'],
  draining: [503, 'server_error', 'server_is_overloaded'],
  circuit_open: [503, 'server_error', 'server_is_overloaded'],
  invalid_output: [502, 'server_error', 'invalid_output'],
  timeout: [504, 'server_error', 'timeout'],
  deadline_exceeded: [504, 'server_error', 'timeout'],
}

/** Paths whose clients read errors as OpenAI writes them. */
export const isOpenAiPath = (path: string): boolean => /\/v1\/(chat\/completions|responses|embeddings|models)(\/|$)/.test(path)

/** A failure as the wire says it. */
export interface WireError {
  readonly status: number
  readonly body: { readonly error: { readonly message: string; readonly type: string; readonly param: string | null; readonly code: string; readonly stateloop_code: FailureCode } }
}

/** Writes a failure. */
export const wireError = (failed: Failure): WireError => {
  const [status, type, code] = ERRORS[failed.code] ?? [500, 'server_error', 'server_error']
  const param = failed.details?.['param']
  return { status, body: { error: { message: failed.message, type, param: typeof param === 'string' ? param : null, code, stateloop_code: failed.code } } }
}

/** Failures that another attempt of the client may cure, because none was made here. */
const COME_BACK: ReadonlySet<FailureCode> = new Set(['throttled', 'saturated', 'draining'])

/** The response that says a failure. @param status instead of the one that its code has. */
export const errorResponse = (failed: Failure, nowMs: number, headers: { readonly [name: string]: string } = {}, status = wireError(failed).status): Response => {
  const { body } = wireError(failed)
  const waitMs = waitMsOf(failed, nowMs)
  const wait = waitMs === undefined ? {} : { 'retry-after-ms': String(waitMs), 'retry-after': String(Math.ceil(waitMs / 1000)) }
  return Response.json(body, { status, headers: { ...headers, ...wait, 'x-should-retry': String(COME_BACK.has(failed.code)) } })
}

/** What was thrown, as a failure that may be told. @param onDefect hears of bugs. */
export const failureFor = (thrown: unknown, onDefect: (error: unknown) => string): Failure => {
  const { failure: failed, defect } = judge(thrown)
  return defect ? failure('defect', `${failed.message} (${onDefect(thrown)})`) : failed
}
