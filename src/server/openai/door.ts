// What the doors for clients of OpenAI's APIs have in common: runs are started, listened to and let go. Invariant: what fails
// before anything was said is answered with a status; after that a stream ends as its protocol ends or with an error.
import type { Failure } from '../../failure/index.ts'
import type { ModelReply } from '../../model/index.ts'
import { readJson } from '../body.ts'
import type { ServerParts } from '../options.ts'
import { refuse } from '../problem.ts'
import type { ServerContext } from '../requests.ts'
import { EVENT_STREAM_HEADERS, pulledBody } from '../sse.ts'
import { answererOf, type Asked } from './answerer.ts'
import { errorResponse, failureFor } from './error.ts'
import type { Body, Parameters } from './parameters.ts'
import { startTelling, type Telling, type Told } from './telling.ts'

/** Reports a defect, and gives the id it is reported under. */
export type Report = (error: unknown) => string

/** Headers of an answer. */
export type Headers = { readonly [name: string]: string }

/** The runs that answer one request. */
export interface Runs {
  readonly tellings: readonly Telling[]
  readonly headers: Headers
}

/** The body of a request. @throws Refusal `usage`, `request_too_large`. */
export const bodyIn = async (parts: ServerParts, context: ServerContext): Promise<Body> => {
  const body = await readJson(context.req.raw, parts.limits.bodyBytes)
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Body) : refuse('usage', 'The body is JSON, but not an object.')
}

/** Answers in the client's terms, whatever happens. @param answer says which headers belong to every answer, once it knows. */
export const answering = async ({ clock }: ServerParts, report: Report, answer: (headersAre: (headers: Headers) => void) => Promise<Response>): Promise<Response> => {
  let headers: Headers = {}
  try {
    return await answer((known) => void (headers = known))
  } catch (error) {
    const failed: Failure = failureFor(error, report)
    return errorResponse(failed, clock.now(), headers)
  }
}

/** Starts the runs that answer a request. @throws FailureError, Refusal before anything is set to work. */
export const startRuns = async (parts: ServerParts, context: ServerContext, asked: Asked, parameters: Parameters): Promise<Runs> => {
  const answerer = answererOf(parts, asked, parameters)
  const tellings: Telling[] = []
  try {
    for (let at = 0; at < asked.count; at++) tellings.push(await startTelling(parts, context, answerer, asked, at))
  } catch (error) {
    for (const telling of tellings) telling.leave()
    throw error
  }
  const [first] = tellings
  const ignored = answerer.ignored.length === 0 ? {} : { 'x-stateloop-ignored': answerer.ignored.join(', ') }
  return { tellings, headers: { 'x-stateloop-run': tellings.map(({ run }) => run).join(', '), 'x-request-id': first?.run ?? '', ...ignored } }
}

const replyIn = async ({ told }: Telling): Promise<ModelReply> => {
  for await (const piece of told) if (piece.type === 'rested') return piece.reply
  throw new TypeError('A telling ended without a reply.')
}

/** Waits for the replies. A client that goes away, and one answer that fails, end all of them. */
export const replies = async ({ tellings }: Runs, context: ServerContext): Promise<readonly ModelReply[]> => {
  const { signal } = context.req.raw
  const leave = (): void => {
    for (const telling of tellings) telling.leave()
  }
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.all(tellings.map(replyIn))
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

/** What is told of one of several runs. */
export type ToldOf = Told & { readonly at: number }

const nextOf = async ({ told }: Telling, at: number): Promise<{ readonly at: number; readonly result: IteratorResult<Told, void> }> => ({ at, result: await told.next() })

/** Several runs as they are told, whichever is next. */
async function* together(tellings: readonly Telling[]): AsyncGenerator<ToldOf, void> {
  const nexts = new Map(tellings.map((telling, at) => [at, nextOf(telling, at)]))
  while (nexts.size > 0) {
    const { at, result } = await Promise.race(nexts.values())
    const telling = tellings[at]
    if (result.done === true || telling === undefined) nexts.delete(at)
    else {
      yield { ...result.value, at }
      // Not asked for before the piece was taken: nobody would hear how it fails once the client has gone.
      nexts.set(at, nextOf(telling, at))
    }
  }
}

const encoder = new TextEncoder()
/** An event on the wire. @param type where the protocol names its events twice. */
const encode = (data: object | string, type?: string): Uint8Array => encoder.encode(`${type === undefined ? '' : `event: ${type}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)
const HEARTBEAT = encoder.encode(':\n\n')

/** How one API writes a stream. */
export interface StreamWriter {
  /** The type of an event stands beside it on the wire, too. */
  readonly typed: boolean
  readonly begin: () => readonly object[]
  readonly take: (told: Exclude<ToldOf, { readonly type: 'idle' }>) => readonly object[]
  /** What closes a stream that went well. */
  readonly end: () => readonly (object | string)[]
  readonly fail: (failed: Failure) => readonly object[]
}

/** Streams the runs. @throws what fails before anything is said. */
export const streamed = async ({ tellings, headers }: Runs, writer: StreamWriter, parts: ServerParts, context: ServerContext, report: Report): Promise<Response> => {
  const { clock, limits, streams } = parts
  const release = streams.take(context.get('identity'))
  const close = (): void => {
    release()
    for (const telling of tellings) telling.leave()
  }
  const told = together(tellings)
  const { signal } = context.req.raw
  // Until the response is there, nothing but the request tells that the client has gone.
  signal.addEventListener('abort', close, { once: true })
  const first = await told
    .next()
    .catch((error: unknown) => {
      close()
      throw error
    })
    .finally(() => signal.removeEventListener('abort', close))
  const line = (event: object | string): Uint8Array => encode(event, writer.typed && typeof event === 'object' && 'type' in event ? String(event.type) : undefined)
  async function* lines(): AsyncGenerator<Uint8Array, void> {
    yield* writer.begin().map(line)
    try {
      for (let next = first; next.done !== true; next = await told.next()) {
        if (next.value.type === 'idle') yield HEARTBEAT
        else yield* writer.take(next.value).map(line)
      }
      yield* writer.end().map(line)
    } catch (error) {
      yield* writer.fail(failureFor(error, report)).map(line)
    }
  }
  const body = lines()
  const next = async (): Promise<Uint8Array | undefined> => (await body.next()).value ?? undefined
  return new Response(pulledBody(next, { clock, stalledMs: limits.stalledMs, abandon: context.env?.abandon, onClose: close, signal: context.req.raw.signal }), { headers: { ...EVENT_STREAM_HEADERS, ...headers } })
}
