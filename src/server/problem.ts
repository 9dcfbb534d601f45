// Failures as HTTP says them: problem+json with our code. Invariant: what leaves the server names no stack, no path and no
// cause; a defect is reported to the operator and told to the caller as no more than that.
import { codeInfo, failure, failureOf, type Failure, type FailureCode, type FailureOptions } from '../failure/index.ts'

/** The status of codes that are not the server's own fault. */
const STATUS: { readonly [C in FailureCode]?: number } = {
  usage: 400,
  unauthorized: 401,
  agent_not_found: 404,
  run_not_found: 404,
  event_not_accepted: 409,
  run_ended: 409,
  session_busy: 409,
  definition_changed: 409,
  lease_held: 409,
  request_too_large: 413,
  invalid_input: 422,
  invalid_event: 422,
  throttled: 429,
  saturated: 503,
  draining: 503,
  lease_lost: 503,
  journal_unavailable: 503,
}

/** A request that is refused, with a status that its code alone does not say. */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly failure: Failure
  readonly status: number
  constructor(value: Failure, status = statusOf(value.code)) {
    super(value.message)
    this.failure = value
    this.status = status
  }
}

/** The status that a failure is answered with. */
const statusOf = (code: FailureCode): number => STATUS[code] ?? 500

/** Refuses a request. @throws Refusal always. */
export const refuse = (code: FailureCode, message: string, { status, ...options }: FailureOptions & { readonly status?: number } = {}): never => {
  throw new Refusal(failure(code, message, options), status)
}

/** The problem document that a failure becomes. @see https://www.rfc-editor.org/rfc/rfc9457 */
export interface Problem {
  /** `urn:stateloop:failure:` and the code. */
  readonly type: string
  /** What the code means, in a sentence. */
  readonly title: string
  /** HTTP status. */
  readonly status: number
  /** What was attempted, what was seen, what to do. */
  readonly detail: string
  /** The failure's code. */
  readonly code: FailureCode
  /** Whether the same request may succeed when it is sent again. */
  readonly retryable: boolean
  /** More facts, by code, such as the path of an invalid value. */
  readonly details?: Failure['details']
  /** Where the operator finds it: set for defects. */
  readonly instance?: string
}

const toProblem = ({ code, message, retryable, details }: Failure, status: number, instance?: string): Problem => ({
  type: `urn:stateloop:failure:${code}`,
  title: codeInfo(code)?.summary ?? code,
  status,
  detail: message,
  code,
  retryable,
  ...(details === undefined ? {} : { details }),
  ...(instance === undefined ? {} : { instance }),
})

/** How long to wait before it is worth asking again, milliseconds, where the failure knows: its own time, the provider's, or the end of a budget. */
export const waitMsOf = ({ details, provider }: Failure, nowMs: number): number | undefined => {
  const waitMs = details?.['retryAfterMs'] ?? provider?.retryAfterMs
  if (typeof waitMs === 'number') return waitMs
  const atMs = details?.['retryAtMs'] ?? details?.['endsAtMs']
  return typeof atMs === 'number' ? Math.max(0, atMs - nowMs) : undefined
}

const retryAfter = (failed: Failure, nowMs: number): { readonly 'retry-after'?: string } => {
  const waitMs = waitMsOf(failed, nowMs)
  return waitMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1000))) }
}

/** What was thrown while a request was answered: its failure, the status to answer with, and whether it is a bug. */
export const judge = (thrown: unknown): { readonly failure: Failure; readonly status: number; readonly defect: boolean } => {
  if (thrown instanceof Refusal) return { failure: thrown.failure, status: thrown.status, defect: false }
  const known = failureOf(thrown)
  if (known !== undefined && known.code !== 'defect') return { failure: known, status: statusOf(known.code), defect: false }
  return { failure: failure('defect', 'A bug stopped this request. It was reported to the operator.'), status: 500, defect: true }
}

/** The response that says a failure. @param instance the id under which a defect was reported. */
export const problemResponse = (failed: Failure, status: number, nowMs: number, instance?: string): Response =>
  new Response(JSON.stringify(toProblem(failed, status, instance)), {
    status,
    headers: { 'content-type': 'application/problem+json', 'cache-control': 'no-store', ...retryAfter(failed, nowMs), ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}) },
  })

/** A failure as callers are told it: without its cause, and of a bug no more than that there was one. What else is known is the operator's. */
export const tellableFailure = ({ cause: _cause, ...told }: Failure): Failure =>
  told.code === 'defect' ? failure('defect', 'A bug stopped this run. The operator finds it in the journal.', { retryable: told.retryable }) : told
