// Routes that somebody else answers, such as an MCP endpoint. Invariant: they are under the same limits as ours: an answer holds
// a stream's slot until it is read, and nothing new begins while the server drains.
import type { Hono, MiddlewareHandler } from 'hono'
import type { HonoTypes, ServerOptions, ServerParts } from '../options.ts'
import { refuseWhenDraining, type ServerContext } from '../requests.ts'
import { pulledBody } from '../sse.ts'

type Answer = NonNullable<ServerOptions['mount']>[string]

/** A response whose slot is given back when its body was read, or nobody reads it any more. */
const held = (response: Response, { clock, limits }: ServerParts, context: ServerContext, release: () => void): Response => {
  if (response.body === null) {
    release()
    return response
  }
  const reader = response.body.getReader()
  const next = async (): Promise<Uint8Array | undefined> => (await reader.read()).value
  const onClose = (): void => {
    release()
    void reader.cancel().catch(() => {})
  }
  return new Response(pulledBody(next, { clock, stalledMs: limits.stalledMs, onClose, abandon: context.env?.abandon, signal: context.req.raw.signal }), response)
}

const answerWith = async (answer: Answer, parts: ServerParts, context: ServerContext): Promise<Response> => {
  if (context.req.method === 'POST') refuseWhenDraining(parts)
  const release = parts.streams.take(context.get('identity'))
  try {
    return held(await answer(context.req.raw, context.get('identity')), parts, context, release)
  } catch (error) {
    release()
    throw error
  }
}

/** Adds the routes. */
export const mountedRoutes = (app: Hono<HonoTypes>, parts: ServerParts, mount: NonNullable<ServerOptions['mount']>, letIn: MiddlewareHandler<HonoTypes>): void => {
  for (const [path, answer] of Object.entries(mount)) {
    app.use(path, letIn)
    app.all(path, (context) => answerWith(answer, parts, context))
  }
}
