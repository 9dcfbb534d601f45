// The routes for clients of OpenAI's APIs, as the document of a server describes them. Invariant: a parameter is listed exactly
// when it is not refused, from the same tables that requests are checked with.
import type { Json } from '../../failure/index.ts'
import type { JsonSchema } from '../../schema/index.ts'
import { CHAT, EMBEDDINGS, RESPONSES, type Parameters } from '../openai/parameters.ts'

type Part = { readonly [key: string]: Json }

/** How a refusal reads. */
const error: JsonSchema = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['message', 'type', 'param', 'code'],
      properties: {
        message: { type: 'string' },
        type: { type: 'string' },
        param: { type: ['string', 'null'] },
        code: { type: 'string' },
        stateloop_code: { type: 'string', description: 'A code of the closed table of failures.' },
      },
    },
  },
}

const json = (schema: JsonSchema): Part => ({ 'application/json': { schema } })
const events: Part = { 'text/event-stream': { schema: { type: 'string', description: 'Server-sent events as the API defines them.' } } }

/** The body of a request. @param typed what is known of some parameters. */
const bodyOf = (parameters: Parameters, required: readonly string[], typed: { readonly [name: string]: JsonSchema }): JsonSchema => {
  const taken = Object.keys(parameters).filter((name) => typeof parameters[name] !== 'object')
  return { type: 'object', required, properties: Object.fromEntries(taken.map((name) => [name, typed[name] ?? {}])) }
}

const post = (id: string, summary: string, answer: string, body: JsonSchema, content: Part): Part => ({
  post: {
    operationId: id,
    summary,
    requestBody: { required: true, content: json(body) },
    responses: { 200: { description: answer, content }, default: { description: 'An error as OpenAI writes it.', content: json(error) } },
  },
})

const get = (id: string, summary: string, answer: string, parameters: readonly Json[] = []): Part => ({
  get: {
    operationId: id,
    summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    responses: { 200: { description: answer, content: json({ type: 'object' }) }, default: { description: 'An error as OpenAI writes it.', content: json(error) } },
  },
})

const list: JsonSchema = { type: 'array', items: { type: 'object' } }
const common = { model: { type: 'string', description: 'A model alias or an agent of this server.' }, stream: { type: 'boolean' }, temperature: { type: 'number' }, tools: list }

/** The paths. */
export const OPENAI_PATHS: Part = {
  '/v1/chat/completions': post(
    'chat_completion',
    'Answers clients of the chat completions API of OpenAI.',
    'The answer, or its chunks.',
    bodyOf(CHAT, ['model', 'messages'], { ...common, messages: list, n: { type: 'integer', minimum: 1, maximum: 128 } }),
    { ...json({ type: 'object' }), ...events },
  ),
  '/v1/responses': post(
    'response',
    'Answers clients of the responses API of OpenAI.',
    'The response, or its events.',
    bodyOf(RESPONSES, ['model', 'input'], { ...common, input: { anyOf: [{ type: 'string' }, list] }, previous_response_id: { type: 'string', description: 'A response of the same caller.' } }),
    { ...json({ type: 'object' }), ...events },
  ),
  '/v1/models': get('list_models', 'Lists what can be asked for as model.', 'Aliases and agents.'),
  '/v1/models/{model}': get('get_model', 'Shows what can be asked for as model.', 'The alias or agent.', [{ name: 'model', in: 'path', required: true, schema: { type: 'string' } }]),
  '/v1/embeddings': post(
    'embeddings',
    'Answers clients of the embeddings API of OpenAI.',
    'A vector for each text.',
    bodyOf(EMBEDDINGS, ['model', 'input'], {
      model: { type: 'string', description: 'A model alias.' },
      input: { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      encoding_format: { enum: ['float', 'base64'] },
    }),
    json({ type: 'object' }),
  ),
}
