// The schemas that every server's document has: runs, events and problems. Kept beside the types they describe by the tests,
// which hold real answers to them.
import type { JsonSchema } from '../../schema/index.ts'

const text: JsonSchema = { type: 'string' }
const count: JsonSchema = { type: 'integer', minimum: 0 }
const time: JsonSchema = { type: 'integer', description: 'Milliseconds UTC.' }

const failure: JsonSchema = {
  type: 'object',
  required: ['code', 'message', 'retryable'],
  properties: { code: { ...text, description: 'A code of the closed table of failures.' }, message: text, retryable: { type: 'boolean' }, details: { type: 'object' }, provider: { type: 'object' } },
}

const waiting: JsonSchema = {
  type: 'object',
  required: ['for', 'state', 'accepts'],
  properties: {
    for: { enum: ['event', 'approval', 'timer', 'in_doubt'] },
    state: text,
    accepts: { type: 'array', items: text, description: 'Types of events that are accepted now.' },
    show: { description: 'What the author shows to the person.' },
    calls: {
      type: 'array',
      description: 'Calls to decide, each with the hash to send back.',
      items: { type: 'object', required: ['hash', 'id', 'name', 'args', 'effect'], properties: { hash: text, id: text, name: text, args: {}, effect: text } },
    },
    keys: { type: 'array', items: text },
    dueAt: time,
  },
}

/** A run whose output matches `output`. */
export const runShape = (output: JsonSchema): JsonSchema => ({
  type: 'object',
  required: ['run', 'agent', 'status', 'state', 'startedAt', 'updatedAt', 'modelCalls', 'toolCalls', 'inputTokens', 'outputTokens', 'costUsd'],
  properties: {
    run: { ...text, format: 'uuid' },
    agent: text,
    status: { enum: ['queued', 'running', 'waiting', 'done', 'failed', 'limited', 'cancelled'] },
    state: { description: 'Where the machine of the run stands.' },
    startedAt: time,
    updatedAt: time,
    user: text,
    route: text,
    tenant: text,
    session: text,
    key: text,
    modelCalls: count,
    toolCalls: count,
    inputTokens: count,
    outputTokens: count,
    costUsd: { type: ['number', 'null'], description: 'null when at least one call has no known price.' },
    waiting: { type: 'array', items: { $ref: '#/components/schemas/Waiting' } },
    output,
    failure: { $ref: '#/components/schemas/Failure' },
    failureCode: text,
  },
})

/** Schemas by name. */
export const SHAPES: { readonly [name: string]: JsonSchema } = {
  Failure: failure,
  Waiting: waiting,
  Run: runShape({}),
  Problem: {
    type: 'object',
    description: 'RFC 9457.',
    required: ['type', 'title', 'status', 'detail', 'code', 'retryable'],
    properties: { type: { ...text, format: 'uri' }, title: text, status: { type: 'integer' }, detail: text, code: text, retryable: { type: 'boolean' }, details: { type: 'object' }, instance: text },
  },
  Event: {
    type: 'object',
    description: 'An event of a run. `type` says which; other fields depend on it.',
    required: ['type', 'run', 'at', 'seq', 'actor'],
    properties: { type: text, run: text, at: time, seq: count, index: count, actor: text },
  },
}
