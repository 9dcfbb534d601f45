// What a model object of the AI SDK throws, as a failure of ours. Invariant: errors are told apart by name and status, so
// that it does not matter which copy of the SDK made them; their bodies and headers are not kept.
import type { Clock } from '../../clock/index.ts'
import type { ModelCallError } from '../call-error.ts'
import { oneLine, readError, readErrorBody } from '../openai/error-body.ts'
import { asFields, field, text, type Fields } from '../openai/fields.ts'
import { bodyFault, connectFault } from '../openai/network.ts'
import type { Reporter } from '../openai/report.ts'
import { RequestProblem } from '../openai/request.ts'
import { retryAfterMs } from '../openai/retry-after.ts'

const MALFORMED = /^AI_(JSONParseError|TypeValidationError|InvalidResponseDataError|EmptyResponseBodyError|NoContentGeneratedError)$/
const UNFINISHED = /ended without a finish reason/
const BAD_KEY = /^AI_(LoadAPIKeyError|LoadSettingError)$/
const NO_MODEL = /^AI_(NoSuchModelError|NoSuchProviderError)$/
const UNSENT = /^AI_(UnsupportedFunctionalityError|InvalidPromptError|InvalidArgumentError|TooManyEmbeddingValuesForCallError|UnsupportedModelVersionError)$/

const statusFault = (report: Reporter, clock: Clock, error: Fields, status: number): ModelCallError => {
  const headers = field(error, 'responseHeaders')
  const read = { get: (name: string): string | null => text(headers, name) ?? null }
  return report.status(status, readErrorBody(text(error, 'responseBody') ?? ''), { retryAfterMs: retryAfterMs(read, clock.now()) })
}

/** The failure of something thrown by `doGenerate`, or by `doStream` and its stream. @param streaming once pieces came. */
export const faultOf = (report: Reporter, clock: Clock, thrown: unknown, streaming: boolean): ModelCallError => {
  const error = asFields(thrown)
  const name = text(error, 'name') ?? ''
  const message = oneLine(text(error, 'message') ?? String(thrown))
  if (thrown instanceof RequestProblem) return report.error({ code: 'invalid_request' }, message)
  const status = error?.['statusCode']
  if (error !== undefined && typeof status === 'number' && status >= 300) return statusFault(report, clock, error, status)
  if (UNFINISHED.test(message)) return report.error({ code: 'stream_truncated' }, message)
  // A success whose body could not be read is reported as an error of the call, with the reason as its cause.
  const cause = text(field(error, 'cause'), 'name') ?? ''
  if (MALFORMED.test(name) || MALFORMED.test(cause) || cause === 'SyntaxError') return report.malformed(`the reply could not be read: ${message}.`)
  if (typeof status === 'number') return report.network(bodyFault(thrown))
  if (BAD_KEY.test(name)) return report.error({ code: 'auth_failed' }, message)
  if (NO_MODEL.test(name)) return report.error({ code: 'model_not_found' }, message)
  if (UNSENT.test(name)) return report.error({ code: 'invalid_request' }, `the request could not be sent: ${message}.`)
  return report.network(streaming ? bodyFault(thrown) : connectFault(thrown))
}

/** The failure of an error part inside a stream. */
export const streamFault = (report: Reporter, clock: Clock, error: unknown): ModelCallError => {
  const fields = asFields(error)
  const named = (text(fields, 'name') ?? '').startsWith('AI_') || error instanceof Error
  return named ? faultOf(report, clock, error, true) : report.embedded(readError(error, 'an error without words'))
}
