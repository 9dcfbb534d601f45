// Routes of chats: OpenAI's chat completions, responses and embeddings with the list of models, and the AI SDK's UI messages.
import type { Hono } from 'hono'
import { chatCompletions } from '../openai/chat-completions.ts'
import { embeddings } from '../openai/embeddings.ts'
import { responses } from '../openai/responses.ts'
import { uiMessages } from '../chat/ui-door.ts'
import type { HonoTypes, ServerParts } from '../options.ts'
import { refuse } from '../problem.ts'

/** Adds the routes. @param report reports a defect and gives the id it is reported under. */
export const chatRoutes = (app: Hono<HonoTypes>, parts: ServerParts, report: (error: unknown) => string): void => {
  const created = Math.floor(parts.clock.now() / 1000)
  const models = [...parts.aliases.names, ...parts.chats.keys()].map((id) => ({ id, object: 'model', created, owned_by: 'stateloop' }))
  app.post('/v1/chat/completions', (context) => chatCompletions(parts, context, report))
  app.post('/v1/responses', (context) => responses(parts, context, report))
  app.post('/v1/embeddings', (context) => embeddings(parts, context, report))
  app.get('/v1/models', () => Response.json({ object: 'list', data: models }))
  app.get('/v1/models/:model', (context) => {
    const found = models.find(({ id }) => id === context.req.param('model'))
    return found === undefined ? refuse('agent_not_found', `There is no model ${JSON.stringify(context.req.param('model').slice(0, 100))} here. GET /v1/models lists them.`) : Response.json(found)
  })
  app.post('/v1/chat/:agent', (context) => uiMessages(parts, context, report))
}
