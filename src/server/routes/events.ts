// The events of a run as a stream that goes on where a client left. Invariant: an answer that is not a stream is a problem;
// once the stream has begun, nothing but events is in it.
import type { Hono } from 'hono'
import type { Frame, FeedReader } from '../feed.ts'
import type { HonoTypes, ServerParts } from '../options.ts'
import { refuse } from '../problem.ts'
import { findRun, type FoundRun, type ServerContext } from '../requests.ts'
import { EVENT_STREAM_HEADERS, eventStream, parseCursor } from '../sse.ts'

/** A reader that tells a caller what the server's `show` lets through. */
const shownReader = (parts: ServerParts, context: ServerContext, reader: FeedReader): FeedReader => {
  const { show } = parts
  if (show === undefined) return reader
  const identity = context.get('identity')
  const shown = ({ order, id, event }: Frame): Frame | undefined => {
    const told = show(event, identity)
    return told === undefined ? undefined : { order, event: told, ...(id === undefined ? {} : { id }) }
  }
  return {
    close: reader.close,
    next: async (idleMs) => {
      for (;;) {
        const frame = await reader.next(idleMs)
        if (frame === undefined || frame === 'idle') return frame
        const told = shown(frame)
        if (told !== undefined) return told
      }
    },
  }
}

/** Answers with the events of a run, from what the client names as its last one. */
export const streamRun = async (parts: ServerParts, context: ServerContext, { row, agent }: FoundRun, headers: { readonly [name: string]: string } = {}): Promise<Response> => {
  const { clock, limits, streams, feeds } = parts
  const named = context.req.header('last-event-id') ?? context.req.query('after')
  const from = parseCursor(named)
  if (named !== undefined && from === undefined) refuse('usage', `${JSON.stringify(named.slice(0, 40))} is no id of an event. Leave it out to read from the start.`)
  const release = streams.take(context.get('identity'))
  try {
    const reader = shownReader(parts, context, await feeds.open(row.id, agent, from))
    const { signal } = context.req.raw
    const body = eventStream({ reader, clock, stalledMs: limits.stalledMs, onClose: release, abandon: context.env?.abandon, signal })
    return new Response(body, { headers: { ...EVENT_STREAM_HEADERS, ...headers, 'x-stateloop-run': row.id } })
  } catch (error) {
    release()
    throw error
  }
}

/** Adds the route. */
export const eventRoutes = (app: Hono<HonoTypes>, parts: ServerParts): void => {
  app.get('/v1/runs/:run/events', async (context) => {
    const found = await findRun(parts, context)
    // Hono answers HEAD with the headers of GET and never reads the body, which would leave it open.
    if (context.req.method === 'HEAD') return new Response(null, { headers: EVENT_STREAM_HEADERS })
    return streamRun(parts, context, found)
  })
}
