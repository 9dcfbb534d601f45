// From what `fetch` throws to a code of the failure table. Invariant: the error itself is not kept, only its words.
import type { FailureCode } from '../../failure/index.ts'

/** What broke. */
export interface NetworkFault {
  readonly code: FailureCode
  readonly retryable?: boolean
  /** `ECONNREFUSED`, `UND_ERR_SOCKET` …; the error's name without one, else `unknown`. */
  readonly errno: string
  /** The deepest message. */
  readonly message: string
}

/** Certificates and protocol mismatches stay wrong however often they are tried. */
const TLS = /^(CERT_|ERR_TLS_|ERR_SSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|EPROTO$|HOSTNAME_MISMATCH$)/
const GARBLED = /^(HPE_|HTTPParserError$|UND_ERR_HEADERS_OVERFLOW$|UND_ERR_INVALID_ARG$|Z_DATA_ERROR$|Z_NEED_DICT$|ERR_BROTLI|ERR_ZSTD|ERR__ERROR_)/
const TIMEOUT = /^(UND_ERR_CONNECT_TIMEOUT|ETIMEDOUT|UND_ERR_HEADERS_TIMEOUT|UND_ERR_BODY_TIMEOUT)$/

/** The code of an error, or its name where that says more than "an error". */
const codeOf = (error: Error): string | undefined => {
  if ('code' in error && typeof error.code === 'string') return error.code
  return /^(Type)?Error$/.test(error.name) ? undefined : error.name
}

/** The chain of causes, outermost first; an error that tried several addresses continues with its first. */
const chain = (thrown: unknown): readonly Error[] => {
  const errors: Error[] = []
  for (let next = thrown; next instanceof Error && errors.length < 8 && !errors.includes(next);) {
    errors.push(next)
    next = next.cause ?? (next instanceof AggregateError ? (next.errors[0] as unknown) : undefined)
  }
  return errors
}

const describe = (thrown: unknown): { readonly errno: string; readonly message: string } => {
  const errors = chain(thrown)
  const deepest = errors.findLast((error) => error.message !== '')
  return { errno: errors.map(codeOf).findLast((code) => code !== undefined) ?? 'unknown', message: deepest?.message ?? String(thrown) }
}

/** An error before the headers of a reply: nothing was answered. */
export const connectFault = (thrown: unknown): NetworkFault => {
  const seen = describe(thrown)
  if (TIMEOUT.test(seen.errno)) return { code: 'timeout', ...seen }
  if (TLS.test(seen.errno)) return { code: 'connection_failed', retryable: false, ...seen }
  return GARBLED.test(seen.errno) ? { code: 'malformed_response', ...seen } : { code: 'connection_failed', ...seen }
}

/** An error after the headers: the reply is cut. */
export const bodyFault = (thrown: unknown): NetworkFault => {
  const seen = describe(thrown)
  if (TIMEOUT.test(seen.errno)) return { code: 'timeout', ...seen }
  return GARBLED.test(seen.errno) ? { code: 'malformed_response', ...seen } : { code: 'stream_truncated', ...seen }
}
