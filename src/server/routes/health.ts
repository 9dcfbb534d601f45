// Liveness and readiness for whatever starts, stops and balances servers. Open to everybody; they say nothing else.
import type { Hono } from 'hono'
import type { HonoTypes, ServerParts } from '../options.ts'

/** Adds the routes. */
export const healthRoutes = (app: Hono<HonoTypes>, { runtime, draining }: ServerParts): void => {
  app.get('/health/live', () => Response.json({ status: 'live' }))
  app.get('/health/ready', async () => {
    if (draining()) return Response.json({ status: 'draining' }, { status: 503 })
    const journal = await runtime.list({ limit: 1 }).then(
      () => true,
      () => false,
    )
    return Response.json({ status: journal ? 'ready' : 'journal_unavailable' }, { status: journal ? 200 : 503 })
  })
}
