// What the page can ask for. Ids lead to rows of the journal, never to files. Invariant: everything here comes after the
// checks of Host, Origin and token, and only `control` routes change anything.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { fail, failureOf, type Failure } from '../../failure/index.ts'
import type { OutsideEvent } from '../../run/index.ts'
import { LiveCalls } from '../feed/live-calls.ts'
import type { Library } from '../feed/library.ts'
import { brokenStream, streamFeed, type Clean, type StreamTimes } from './stream.ts'

/** Bytes of a request's body. */
const LARGEST_BODY = 64 * 1024

/** An answer that is no failure. */
export type Answer = { readonly json: unknown } | { readonly streamed: true }

/** What routes work with. */
export interface RouteParts {
  readonly library: Library
  readonly times: StreamTimes
  /** Takes secrets out of what is sent. */
  readonly clean: Clean
}

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  if (request.headers['content-type']?.split(';')[0]?.trim() !== 'application/json') return fail('usage', 'Send JSON with content-type application/json.')
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > LARGEST_BODY) return fail('usage', `A request may hold ${LARGEST_BODY} bytes.`)
  }
  try {
    return JSON.parse(text) as unknown
  } catch {
    return fail('usage', 'The body is not JSON.')
  }
}

const isObject = (value: unknown): value is { readonly [field: string]: unknown } => typeof value === 'object' && value !== null && !Array.isArray(value)

const lastSeen = (request: IncomingMessage, url: URL): number => {
  const given = Number(request.headers['last-event-id'] ?? url.searchParams.get('after') ?? -1)
  return Number.isSafeInteger(given) && given >= -1 ? given : -1
}

const stream = async (request: IncomingMessage, response: ServerResponse, url: URL, run: string, { library, times, clean }: RouteParts): Promise<Answer> => {
  const feed = await library.feed(run)
  await feed.refresh()
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  const live = new LiveCalls()
  const stopWatching = library.source.tokens?.watch(run, (event) => live.take(event))
  await streamFeed(response, feed, lastSeen(request, url), times, clean, live)
    .catch((thrown: unknown) => response.end(clean(brokenStream(thrown))))
    .finally(stopWatching)
  return { streamed: true }
}

const required = (url: URL, name: string): string => url.searchParams.get(name) ?? fail('usage', `The parameter ${name} is missing.`)

/** Sends to a run. */
const act = async (request: IncomingMessage, run: string, verb: string, { library }: RouteParts): Promise<Answer> => {
  const control = library.source.control ?? fail('denied', 'This inspector only shows. Start it with --allow-control to send events.')
  const body = await readBody(request)
  if (!isObject(body)) return fail('usage', 'The body must be an object.')
  if (verb === 'cancel') await control.cancel(run, typeof body['reason'] === 'string' ? body['reason'] : undefined)
  else {
    const { event } = body
    if (!isObject(event) || typeof event['type'] !== 'string') return fail('usage', 'Send { "event": { "type": "…" } }.')
    await control.send(run, event as OutsideEvent, 'inspector')
  }
  return { json: { ok: true } }
}

/** Performs a request. @returns undefined when there is no such route. @throws FailureError. */
export const route = async (request: IncomingMessage, response: ServerResponse, url: URL, parts: RouteParts): Promise<Answer | undefined> => {
  const { library } = parts
  const [, verb, id, sub] = /^\/api\/(\w+)(?:\/([\w:.-]{1,128})(?:\/(\w+))?)?$/.exec(url.pathname) ?? []
  if (request.method === 'POST') return verb === 'runs' && id !== undefined && (sub === 'send' || sub === 'cancel') ? act(request, id, sub, parts) : undefined
  if (verb === 'overview' && id === undefined) return { json: await library.overview() }
  if (verb === 'runs' && id !== undefined && sub === 'stream') return stream(request, response, url, id, parts)
  if (verb === 'aggregate' && id === undefined) return { json: await library.aggregate(required(url, 'agent')) }
  if (verb === 'compare' && id === undefined) return { json: await library.compare(required(url, 'left'), required(url, 'right')) }
  return undefined
}

const STATUS: { readonly [code: string]: number } = { run_not_found: 404, agent_not_found: 404, usage: 400, denied: 403, invalid_event: 400, event_not_accepted: 409, run_ended: 409 }

/** A failure as an answer. */
export const failureAnswer = (thrown: unknown): { readonly status: number; readonly error: Pick<Failure, 'code' | 'message' | 'details'> } => {
  const known = failureOf(thrown)
  if (known === undefined) return { status: 500, error: { code: 'defect', message: 'The inspector stopped at a bug; its terminal says more.' } }
  return { status: STATUS[known.code] ?? 500, error: { code: known.code, message: known.message, ...(known.code === 'invalid_event' && known.details !== undefined ? { details: known.details } : {}) } }
}
