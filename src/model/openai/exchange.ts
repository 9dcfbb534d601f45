// One request and the reply to it, from the wire to a checked result. Invariant: every way it can end is a reply, the
// caller's abort reason, or a ModelCallError.
import type { Clock } from '../../clock/index.ts'
import type { ModelCallError } from '../call-error.ts'
import { type FailedAttempt } from '../call-error.ts'
import type { ModelIo, ModelReply } from '../provider.ts'
import type { Control, TimeoutPhase } from './attempt.ts'
import { BodyError, readBeginning, readBody, readWhole, type BodyReader } from './body.ts'
import type { StreamReader } from './chat-stream.ts'
import { oneLine, readErrorBody } from './error-body.ts'
import { parseFields } from './fields.ts'
import { readRateLimits } from './rate-limits.ts'
import type { Reporter } from './report.ts'
import type { Body } from './request.ts'
import { retryAfterMs } from './retry-after.ts'
import type { Resource, Send } from './sdk.ts'
import { sseDecoder } from './sse.ts'
import type { Exchange, Transport } from './transport.ts'

/** Everything one exchange needs. */
export interface Call {
  readonly io: ModelIo
  readonly clock: Clock
  readonly report: Reporter
  readonly transport: Transport
  readonly send: Send
  readonly maxReplyBytes: number
}

/** More of an error than this says nothing new. */
const MAX_ERROR_BYTES = 65_536

const REQUEST_IDS = ['x-request-id', 'request-id', 'apim-request-id', 'cf-ray']

/** The error of a watchdog. */
export const timedOut = (report: Reporter, phase: TimeoutPhase, limitMs: number, attempt?: FailedAttempt): ModelCallError => {
  const seen = phase === 'first_token' ? `nothing usable arrived within ${limitMs} ms (timeout.firstTokenMs).` : `the stream paused for ${limitMs} ms (timeout.idleMs).`
  return report.error({ code: 'timeout' }, seen, { details: { phase, limitMs }, ...(attempt === undefined ? {} : { attempt }) })
}

/** A header can only carry visible ASCII; keys of other kinds stay here. */
const keyHeaders = (key: string): { readonly [name: string]: string } => (/^[\x21-\x7e]{1,512}$/.test(key) ? { 'idempotency-key': key, 'x-client-request-id': key } : {})

/** Sends the request and returns the response of a success. */
export const open = async (call: Call, resource: Resource, body: Body, control: Control): Promise<Response> => {
  const { io, clock, report, transport } = call
  const exchange: Exchange = {}
  const dispatcher = transport.dispatcher(io.timeouts.connectMs)
  const fetchOptions = { exchange, redirect: 'manual', ...(dispatcher === undefined ? {} : { dispatcher }) } as const
  control.begin()
  try {
    await call.send(resource, body, { signal: control.signal, fetchOptions, headers: keyHeaders(io.key) })
  } catch (error) {
    if (exchange.fault !== undefined) throw report.network(exchange.fault)
    // Neither a response nor a fault: the SDK refused to send it.
    if (exchange.response === undefined) throw report.error({ code: 'invalid_request' }, `the request could not be sent: ${oneLine(error instanceof Error ? error.message : String(error))}.`)
  }
  const { response } = exchange
  if (response === undefined) throw report.malformed('there was no response.')
  report.requestId = REQUEST_IDS.map((name) => response.headers.get(name)).find((id) => id !== null) ?? undefined
  const limits = readRateLimits(response.headers)
  if (limits !== undefined) io.onRateLimits?.(limits)
  if (response.ok) return response
  const shouldRetry = { true: true, false: false }[response.headers.get('x-should-retry') ?? '']
  const text = await readBeginning(readBody(response.body, MAX_ERROR_BYTES), clock)
  throw report.status(response.status, readErrorBody(text), { retryAfterMs: retryAfterMs(response.headers, clock.now()), shouldRetry })
}

/** Turns what broke the body into a failure. */
const broken = (error: unknown, { report, maxReplyBytes }: Call, attempt?: FailedAttempt): unknown => {
  if (!(error instanceof BodyError)) return error
  if (error.fault !== undefined) return report.network(error.fault, attempt)
  const seen = `the reply is larger than ${maxReplyBytes} bytes, so reading stopped.`
  return report.error({ code: 'malformed_response' }, seen, { details: { maxReplyBytes }, ...(attempt === undefined ? {} : { attempt }) })
}

const contentType = (response: Response): string => (response.headers.get('content-type') ?? '').toLowerCase()

/** What a body that is no JSON looks like, without quoting what a model may have said. */
const describeText = (response: Response, text: string): string => {
  if (text.trim() === '') return `the reply is empty (HTTP ${response.status}).`
  if (/^\s*</.test(text)) return `the reply is a web page, not JSON: "${readErrorBody(text.slice(0, 4000)).message}".`
  return `the reply is not JSON (${contentType(response) || 'no content type'}, ${text.length} characters).`
}

/** Reads a JSON reply. @throws ModelCallError */
export const readJson = async (call: Call, response: Response): Promise<unknown> => {
  const body = readBody(response.body, call.maxReplyBytes)
  try {
    const text = await readWhole(body)
    const parsed = parseFields(text)
    if (parsed === undefined) throw call.report.malformed(describeText(response, text))
    return parsed
  } catch (error) {
    body.discard()
    throw broken(error, call)
  }
}

/** Feeds the events of a stream to its reader until it is complete. */
const pump = async (call: Call, body: BodyReader, reader: StreamReader, control: Control): Promise<void> => {
  const decoder = sseDecoder()
  for (let piece = await body.next(); piece !== undefined; piece = await body.next()) {
    for (const event of decoder.push(piece)) {
      const { deltas, done } = reader.take(event)
      control.progress(deltas.length > 0)
      for (const delta of deltas) {
        // An attempt that was stopped shows nothing more.
        if (control.signal.aborted) return
        call.io.onDelta?.(delta)
      }
      if (done) return
    }
  }
}

/** Reads a stream. @param asJson reads the reply of a server that did not stream, for its usage. @throws ModelCallError */
export const readStream = async (call: Call, response: Response, reader: StreamReader, control: Control, asJson: (body: unknown) => ModelReply): Promise<ModelReply> => {
  if (/json|html/.test(contentType(response))) {
    const { usage, model } = asJson(await readJson(call, response))
    throw call.report.malformed('it answered a streaming request with one JSON document. Call it without a listener for deltas, or use a server that streams.', { usage, model })
  }
  const body = readBody(response.body, call.maxReplyBytes)
  try {
    await pump(call, body, reader, control)
    const reply = reader.finish()
    body.drain(call.clock)
    return reply
  } catch (error) {
    body.discard()
    throw broken(error, call, reader.known())
  }
}
