// What a server offers: its agents with their schemas, and the document that describes every route.
import type { Hono } from 'hono'
import type { AnyAgent } from '../../agent/index.ts'
import { embedSchema } from '../../schema/index.ts'
import { openApi } from '../openapi/document.ts'
import type { HonoTypes, ServerParts } from '../options.ts'

const show = ({ id, version, hash, input, output, events }: AnyAgent): object => ({
  id,
  ...(version === undefined ? {} : { version }),
  hash,
  input: embedSchema(input, '#'),
  output: embedSchema(output, '#'),
  events: Object.fromEntries(Object.entries(events).map(([type, schema]) => [type, embedSchema(schema, '#')])),
})

/** Adds the routes. */
export const agentRoutes = (app: Hono<HonoTypes>, { agents, chats }: ServerParts, basePath: string): void => {
  const all = [...agents.values()]
  let document: object | undefined
  app.get('/v1/agents', () => Response.json({ agents: all.map(show) }))
  app.get('/openapi.json', () => Response.json((document ??= openApi(all, [...chats.keys()], basePath))))
}
