// Makes the failures of one call. Invariant: no failure carries the API key, a header or an object of the SDK.
import { codeInfo, failure, type Json, type ProviderDetails } from '../../failure/index.ts'
import { ModelCallError, type FailedAttempt } from '../call-error.ts'
import { classifyEmbedded, classifyStatus, type Verdict } from './classify.ts'
import type { ProviderError } from './error-body.ts'
import type { NetworkFault } from './network.ts'

/** What is known beside the verdict. */
export interface Evidence {
  readonly provider?: Pick<ProviderDetails, 'status' | 'code' | 'retryAfterMs'>
  readonly details?: { readonly [key: string]: Json }
  readonly attempt?: FailedAttempt
}

/** Makes the failures of one call of one model. */
export interface Reporter {
  /** A failure. @param seen what was seen, as a sentence. */
  error(verdict: Verdict, seen: string, evidence?: Evidence): ModelCallError
  /** A reply that is not what the protocol promises. */
  malformed(seen: string, attempt?: FailedAttempt): ModelCallError
  network(fault: NetworkFault, attempt?: FailedAttempt): ModelCallError
  /** A reply with a status of 300 or more. */
  status(status: number, error: ProviderError, evidence?: { readonly retryAfterMs?: number | undefined; readonly shouldRetry?: boolean | undefined }): ModelCallError
  /** An error inside a reply that began as a success. */
  embedded(error: ProviderError, attempt?: FailedAttempt): ModelCallError
  /** The provider's id of the reply, once its headers are there. */
  requestId: string | undefined
}

/** Things that look like credentials, whoever echoes them. */
const CREDENTIAL = /\b(?:sk|pk|gsk|xai|rk)-[\w-]{8,}|\b[Bb]earer\s+[\w.~+/=-]{8,}/g

/** Removes the given secrets, and what looks like one, from text, and makes it fit to be stored. */
export const scrubber =
  (secrets: () => readonly string[]) =>
  (text: string): string =>
    secrets()
      .filter((secret) => secret.length >= 6)
      .reduce((clean, secret) => clean.replaceAll(secret, '***'), text)
      .replaceAll(CREDENTIAL, '***')
      .toWellFormed()

/** Who is called, for messages. */
export interface Callee {
  readonly provider: string
  readonly model: string
  readonly host: string
}

/** Codes that no header may turn into retryable ones. */
const FINAL: ReadonlySet<string> = new Set(['auth_failed', 'quota_exhausted'])

/** Time limits of the transport itself. */
const PHASES: Readonly<Record<string, string>> = {
  UND_ERR_CONNECT_TIMEOUT: 'connect',
  ETIMEDOUT: 'connect',
  UND_ERR_HEADERS_TIMEOUT: 'first_token',
  UND_ERR_BODY_TIMEOUT: 'idle',
}

/** Makes the reporter of one call. */
export const reporter = (callee: Callee, scrub: (text: string) => string): Reporter => {
  const report: Reporter = {
    requestId: undefined,
    error(verdict, seen, { provider, details, attempt } = {}) {
      const code = provider?.code === undefined ? {} : { code: scrub(provider.code) }
      const requestId = report.requestId === undefined ? {} : { requestId: scrub(report.requestId) }
      const message = `Called ${callee.provider}/${callee.model} at ${callee.host}: ${scrub(seen)} ${codeInfo(verdict.code)?.hint ?? ''}`
      const value = failure(verdict.code, message, {
        ...(verdict.retryable === undefined ? {} : { retryable: verdict.retryable }),
        provider: { provider: callee.provider, model: callee.model, ...provider, ...code, ...requestId },
        ...(details === undefined ? {} : { details }),
      })
      return new ModelCallError(value, attempt)
    },
    malformed: (seen, attempt) => report.error({ code: 'malformed_response' }, seen, attempt === undefined ? {} : { attempt }),
    network(fault, attempt) {
      const phase = PHASES[fault.errno]
      const details = { errno: fault.errno, ...(phase === undefined ? {} : { phase }) }
      return report.error(fault, `the connection broke with ${fault.errno}: ${fault.message}.`, { details, ...(attempt === undefined ? {} : { attempt }) })
    },
    status(status, error, { retryAfterMs, shouldRetry } = {}) {
      const verdict = classifyStatus(status, error)
      const asked = retryAfterMs === undefined ? {} : { retryAfterMs }
      const retryable = shouldRetry === undefined || FINAL.has(verdict.code) ? {} : { retryable: shouldRetry }
      const wait = retryAfterMs === undefined ? '' : ` It asks to wait ${retryAfterMs} ms.`
      const provider = { status, ...(error.code === undefined ? {} : { code: error.code }), ...asked }
      return report.error({ ...verdict, ...retryable }, `it answered HTTP ${status}: ${quote(error)}.${wait}`, { provider })
    },
    embedded(error, attempt) {
      const provider = { ...(error.status === undefined ? {} : { status: error.status }), ...(error.code === undefined ? {} : { code: error.code }) }
      return report.error(classifyEmbedded(error), `it began to answer, then reported ${quote(error)}.`, {
        provider,
        ...(attempt === undefined ? {} : { attempt }),
      })
    },
  }
  return report
}

const quote = (error: ProviderError): string => `${error.code === undefined ? '' : `${error.code} `}"${error.message}"`
