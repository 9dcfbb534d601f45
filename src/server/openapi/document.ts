// The OpenAPI 3.1 document of a server, made from the schemas of its agents. Invariant: every route that a client may call is
// in it, and its schemas are the ones that requests are checked with.
import type { AnyAgent } from '../../agent/index.ts'
import type { Json } from '../../failure/index.ts'
import { embedSchema, toJsonSchema, type JsonSchema, type Schema } from '../../schema/index.ts'
import { LONGEST_WAIT_MS } from '../requests.ts'
import { approveShape, cancelShape, rejectShape, startShape } from '../routes/runs.ts'
import { OPENAI_PATHS } from './openai-paths.ts'
import { runShape, SHAPES } from './shapes.ts'

/** A part of the document. */
export type Part = { readonly [key: string]: Json }

const ref = (name: string): Part => ({ $ref: `#/components/schemas/${name}` })
const json = (schema: JsonSchema): Part => ({ 'application/json': { schema } })
const events: Part = { 'text/event-stream': { schema: { type: 'string', description: 'Server-sent events whose data is an Event as JSON; the id is `seq.index`.' } } }

/** What every operation can answer beside what was asked for. */
const problem: Part = { description: 'A problem with a code.', content: { 'application/problem+json': { schema: ref('Problem') } } }

/** An operation. */
const operation = (id: string, summary: string, answers: Part, more: Part = {}): Part => ({ operationId: id, summary, responses: { ...answers, default: problem }, ...more })

/** The body of an operation. */
const body = (schema: JsonSchema): Part => ({ requestBody: { required: true, content: json(schema) } })

const runAnswer = (schema: JsonSchema, status = '200', description = 'The run.'): Part => ({ [status]: { description, content: json(schema) } })

const run: Part = { name: 'run', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }
const wait: Part = { name: 'waitMs', in: 'query', description: 'Answers once the run has ended or waits, or after this time.', schema: { type: 'integer', minimum: 0, maximum: LONGEST_WAIT_MS } }
const after: Part = { name: 'after', in: 'query', description: 'Id of the last event the client has, where it cannot send Last-Event-ID.', schema: { type: 'string' } }
const lastEvent: Part = { name: 'last-event-id', in: 'header', schema: { type: 'string' } }
const key: Part = { name: 'idempotency-key', in: 'header', description: 'Starting again with the same key gives the same run.', schema: { type: 'string', maxLength: 255 } }

const shapeOf = (schema: Schema): JsonSchema => toJsonSchema(schema)

const startBody = (agent: AnyAgent): JsonSchema => {
  const shape = shapeOf(startShape)
  return { ...shape, properties: { ...(shape['properties'] as Part), input: ref(`${agent.id}.input`) } }
}

const startPath = (agent: AnyAgent): readonly [string, Part] => {
  const started = runShape(ref(`${agent.id}.output`))
  const both: Part = { ...json(started), ...events }
  const answers = { 200: { description: 'The run that the key started before.', content: both }, 201: { description: 'The new run.', content: both } }
  return [`/v1/agents/${agent.id}/runs`, { post: operation(`start_${agent.id}`, `Starts a run of the agent ${agent.id}.`, answers, { parameters: [key, wait], ...body(startBody(agent)) }) }]
}

const eventShape = (agents: readonly AnyAgent[]): JsonSchema => {
  const declared = agents.flatMap((agent) => Object.keys(agent.events).map((type) => ({ allOf: [ref(`${agent.id}.${type}`), { type: 'object', required: ['type'], properties: { type: { const: type } } }] })))
  const own = {
    type: 'object',
    required: ['type'],
    properties: {
      type: { enum: ['APPROVE', 'EDIT', 'REJECT', 'RESOLVE'] },
      hash: { type: 'string' },
      hashes: { type: 'array', items: { type: 'string' } },
      args: {},
      reason: { type: 'string' },
      key: { type: 'string' },
      action: { type: 'string' },
    },
  }
  return { anyOf: [own, ...declared] }
}

const runPaths = (agents: readonly AnyAgent[]): Part => {
  const one = (id: string, summary: string, schema: JsonSchema | undefined): Part => ({ post: operation(id, summary, runAnswer(ref('Run')), { parameters: [run, wait], ...(schema === undefined ? {} : body(schema)) }) })
  const query = (name: string, schema: JsonSchema): Part => ({ name, in: 'query', schema })
  const listed = { 200: { description: 'Runs, newest first.', content: json({ type: 'object', required: ['runs'], properties: { runs: { type: 'array', items: ref('Run') } } }) } }
  return {
    '/v1/runs': {
      get: operation('list_runs', 'Lists runs of the caller.', listed, {
        parameters: [query('agent', { type: 'string' }), query('status', { type: 'string' }), query('session', { type: 'string' }), query('since', { type: 'integer' }), query('limit', { type: 'integer', maximum: 500 })],
      }),
    },
    '/v1/runs/{run}': { get: operation('get_run', 'Shows a run.', runAnswer(ref('Run')), { parameters: [run, wait] }) },
    '/v1/runs/{run}/events': {
      get: operation('watch_run', 'Streams the events of a run.', { 200: { description: 'Events, from the start or after the one that is named.', content: events } }, { parameters: [run, after, lastEvent] }),
      ...one('send_event', 'Sends an event to a run.', eventShape(agents)),
    },
    '/v1/runs/{run}/approve': one('approve_calls', 'Approves calls that a run holds back.', shapeOf(approveShape)),
    '/v1/runs/{run}/reject': one('reject_calls', 'Rejects calls that a run holds back.', shapeOf(rejectShape)),
    '/v1/runs/{run}/cancel': one('cancel_run', 'Cancels a run.', shapeOf(cancelShape)),
    '/v1/runs/{run}/resume': one('resume_run', 'Goes on with a run that no process drives.', undefined),
  }
}

const agentPaths = (agents: readonly AnyAgent[]): Part => {
  const listed = {
    type: 'object',
    required: ['agents'],
    properties: {
      agents: {
        type: 'array',
        items: {
          type: 'object',
          required: ['id', 'hash', 'input', 'output', 'events'],
          properties: { id: { type: 'string' }, version: { type: 'string' }, hash: { type: 'string' }, input: {}, output: {}, events: { type: 'object' } },
        },
      },
    },
  }
  return {
    '/v1/agents': { get: operation('list_agents', 'Lists the agents of this server.', { 200: { description: 'Agents with their schemas.', content: json(listed) } }) },
    ...Object.fromEntries(agents.map(startPath)),
  }
}

const component = (name: string, schema: Schema | undefined): Part => ({ [name]: embedSchema(schema, `#/components/schemas/${name}`) })

const schemasOf = (agent: AnyAgent): Part => ({
  ...component(`${agent.id}.input`, agent.input),
  ...component(`${agent.id}.output`, agent.output),
  ...Object.assign({}, ...Object.entries(agent.events).map(([type, schema]) => component(`${agent.id}.${type}`, schema))),
})

const chatPaths = (chats: readonly string[]): Part => {
  const page: JsonSchema = { type: 'object', required: ['messages'], properties: { id: { type: 'string' }, messages: { type: 'array', items: { type: 'object' } } } }
  const chat: Part = { name: 'chat', in: 'path', required: true, schema: chats.length === 0 ? { type: 'string' } : { enum: chats } }
  return {
    ...OPENAI_PATHS,
    '/v1/chat/{chat}': { post: operation('chat_message', 'Answers pages that use the AI SDK.', { 200: { description: 'The UI message stream.', content: events } }, { parameters: [chat], ...body(page) }) },
  }
}

const health: Part = {
  '/health/live': { get: operation('live', 'Tells that the process lives.', { 200: { description: 'It does.' } }, { security: [] }) },
  '/health/ready': { get: operation('ready', 'Tells whether the server takes runs.', { 200: { description: 'It does.' }, 503: { description: 'It drains, or its journal cannot be read.' } }, { security: [] }) },
}

/** The document of a server. @param chats names of the agents that chat clients can talk to. */
export const openApi = (agents: readonly AnyAgent[], chats: readonly string[], basePath: string): Part => ({
  openapi: '3.1.1',
  info: { title: 'Stateloop', version: '1', description: 'Agents as state machines: start them, watch them, decide what they may do.' },
  servers: [{ url: basePath === '' ? '/' : basePath }],
  security: [{ token: [] }],
  paths: { ...agentPaths(agents), ...runPaths(agents), ...chatPaths(chats), ...health },
  components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } }, schemas: { ...SHAPES, ...Object.assign({}, ...agents.map(schemasOf)) } },
})
