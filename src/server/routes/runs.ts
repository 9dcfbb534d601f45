// Routes of runs: start, list, get, send, approve, reject, cancel, resume. Invariant: starting twice with one
// `Idempotency-Key` gives one run, and a key that comes with another input is refused.
import type { Hono } from 'hono'
import { z } from 'zod'
import type { AnyAgent } from '../../agent/index.ts'
import type { RunFilter, RunRow, RunStatus } from '../../journal/index.ts'
import type { OutsideEvent, RunHandle, StartOptions } from '../../run/index.ts'
import { canonical, defined, toJson, validate } from '../../schema/index.ts'
import { scopedKey, scopedSession } from '../access.ts'
import { checkShape, readBody, readJson } from '../body.ts'
import type { HonoTypes, ServerParts } from '../options.ts'
import { refuse } from '../problem.ts'
import { findAgent, findRun, numberIn, refuseWhenDraining, waitOf, wantsEvents, type ServerContext } from '../requests.ts'
import { fullViewOf, viewOf } from '../view.ts'
import { streamRun } from './events.ts'

const name = z.string().min(1).max(256)

/** Body of a start. */
export const startShape = z.strictObject({
  input: z.unknown().optional(),
  session: name.optional(),
  onBusy: z.enum(['queue', 'reject']).optional(),
  stream: z.boolean().optional(),
})
/** Body of a cancel. */
export const cancelShape = z.strictObject({ reason: z.string().max(1_000).optional() })
/** Body of an approval. */
export const approveShape = z.strictObject({ hashes: z.array(z.string()).min(1).max(1_000), by: name.optional() })
/** Body of a rejection. */
export const rejectShape = approveShape.extend({ reason: z.string().max(1_000).optional() })
const eventShape = z.looseObject({ type: name })

const STATUSES = ['queued', 'running', 'waiting', 'done', 'failed', 'limited', 'cancelled'] as const satisfies readonly RunStatus[]
const MOST_LISTED = 500

const keyOf = (context: ServerContext): { readonly key?: string } => {
  const key = context.req.header('idempotency-key')
  if (key === undefined) return {}
  if (!/^[\x21-\x7e]{1,255}$/.test(key)) refuse('usage', 'Idempotency-Key must have 1 to 255 printable ASCII characters without spaces.')
  return { key: scopedKey(context.get('identity'), key) }
}

/** Whom a run is for, and the caller's key for it. */
export const optionsOf = (context: ServerContext): StartOptions => ({ ...context.get('identity'), ...keyOf(context) })

/** Refuses a key that came before with another input. */
const checkReplay = async ({ runtime }: ServerParts, run: string, agent: AnyAgent, input: unknown): Promise<void> => {
  const [first] = await runtime.entries(run)
  const was = first?.body.cause.type === 'start' ? first.body.cause.input : null
  const checked = validate(agent.input, input)
  const now = checked.ok ? (toJson(checked.value ?? null) ?? null) : undefined
  if (now === undefined || canonical(was) !== canonical(now)) refuse('invalid_input', `This Idempotency-Key started run ${run} with another input. Use a new key for a new run.`, { details: { run } })
}

/** Starts a run for a caller. @throws FailureError `invalid_input`, `session_busy`; Refusal `saturated`, `draining`. */
export const startRun = async (parts: ServerParts, agent: AnyAgent, input: unknown, options: StartOptions): Promise<RunHandle> => {
  refuseWhenDraining(parts)
  const handle = await parts.work.begin(
    () => parts.runtime.start(agent, input, options),
    ({ id }) => id,
  )
  if (!handle.created) await checkReplay(parts, handle.id, agent, input)
  return handle
}

const start = async (parts: ServerParts, context: ServerContext): Promise<Response> => {
  const agent = findAgent(parts, context.req.param('agent') ?? '')
  const { input, session, onBusy, stream = true } = await readBody(context.req.raw, parts.limits.bodyBytes, startShape)
  const waitMs = waitOf(context)
  const options = { ...optionsOf(context), stream, ...(session === undefined ? {} : { session: scopedSession(context.get('identity'), session) }), ...(onBusy === undefined ? {} : { onBusy }) }
  const handle = await startRun(parts, agent, input, options)
  const [first] = await parts.runtime.entries(handle.id)
  const traceparent = first?.body.cause.type === 'start' ? first.body.cause.trace : undefined
  const headers = { ...(traceparent === undefined ? {} : { traceparent }), location: context.req.path.replace(/agents\/[^/]+\/runs$/, `runs/${handle.id}`), ...(handle.created ? {} : { 'idempotent-replayed': 'true' }) }
  if (wantsEvents(context)) return streamRun(parts, context, { row: await rowOf(parts, handle.id), agent }, headers)
  return answer(parts, context, handle.id, waitMs, handle.created ? 201 : 200, headers)
}

const rowOf = async ({ runtime }: ServerParts, run: string): Promise<RunRow> => (await runtime.get(run)) ?? refuse('run_not_found', `Run ${run} is no longer there.`)

/** Answers with a run, once it has ended or waits if the request waits for that. */
const answer = async (parts: ServerParts, context: ServerContext, run: string, waitMs: number, status = 200, headers: { readonly [name: string]: string } = {}): Promise<Response> => {
  const release = waitMs === 0 ? () => {} : parts.streams.take(context.get('identity'))
  try {
    const row = (await parts.work.settle(run, waitMs, context.req.raw.signal)) ?? (await rowOf(parts, run))
    return Response.json(await fullViewOf(parts.runtime, row), { status, headers })
  } finally {
    release()
  }
}

const list = async ({ runtime, agents }: ServerParts, context: ServerContext): Promise<Response> => {
  const { agent: wanted, status, session } = context.req.query()
  const limit = numberIn(context, 'limit', MOST_LISTED) ?? 100
  const since = numberIn(context, 'since', Number.MAX_SAFE_INTEGER)
  const statuses = status === undefined ? undefined : checkShape(z.array(z.enum(STATUSES)), status.split(','), 'query parameter status')
  const identity = context.get('identity')
  const { user, tenant } = identity
  const named = session === undefined ? undefined : scopedSession(identity, session)
  const filter: RunFilter = { limit, ...defined({ status: statuses, session: named, since, user, tenant }) }
  const shown = wanted === undefined ? [...agents.keys()] : agents.has(wanted) ? [wanted] : []
  const rows = await Promise.all(shown.map((agent) => runtime.list({ ...filter, agent })))
  const newest = rows.flat().sort((a, b) => b.startedAt - a.startedAt || (a.id < b.id ? 1 : -1))
  return Response.json({ runs: newest.slice(0, limit).map(viewOf) })
}

const send = async (parts: ServerParts, context: ServerContext, event: OutsideEvent, by: string | undefined): Promise<Response> => {
  refuseWhenDraining(parts)
  const { row } = await findRun(parts, context)
  const waitMs = waitOf(context)
  await parts.work.begin(
    () => parts.runtime.send(row.id, event, context.get('identity').user ?? by),
    () => row.id,
  )
  return answer(parts, context, row.id, waitMs)
}

const decide = async (parts: ServerParts, context: ServerContext, type: 'APPROVE' | 'REJECT'): Promise<Response> => {
  const body: z.infer<typeof rejectShape> = await readBody(context.req.raw, parts.limits.bodyBytes, type === 'APPROVE' ? approveShape : rejectShape)
  const { hashes, by, reason } = body
  return send(parts, context, { type, hashes, ...(reason === undefined ? {} : { reason }) }, by)
}

const cancel = async (parts: ServerParts, context: ServerContext): Promise<Response> => {
  const { row } = await findRun(parts, context)
  const { reason } = await readBody(context.req.raw, parts.limits.bodyBytes, cancelShape)
  const waitMs = waitOf(context)
  await parts.runtime.cancel(row.id, reason)
  return answer(parts, context, row.id, waitMs)
}

const resume = async (parts: ServerParts, context: ServerContext): Promise<Response> => {
  refuseWhenDraining(parts)
  const { row } = await findRun(parts, context)
  const waitMs = waitOf(context)
  await parts.work.begin(
    () => parts.runtime.resume(row.id, { stream: true }),
    ({ id }) => id,
  )
  return answer(parts, context, row.id, waitMs)
}

/** Adds the routes of runs. */
export const runRoutes = (app: Hono<HonoTypes>, parts: ServerParts): void => {
  app.post('/v1/agents/:agent/runs', (context) => start(parts, context))
  app.get('/v1/runs', (context) => list(parts, context))
  app.get('/v1/runs/:run', async (context) => {
    const { row } = await findRun(parts, context)
    return answer(parts, context, row.id, waitOf(context))
  })
  app.post('/v1/runs/:run/events', async (context) => send(parts, context, checkShape(eventShape, await readJson(context.req.raw, parts.limits.bodyBytes), 'body') as OutsideEvent, undefined))
  app.post('/v1/runs/:run/approve', (context) => decide(parts, context, 'APPROVE'))
  app.post('/v1/runs/:run/reject', (context) => decide(parts, context, 'REJECT'))
  app.post('/v1/runs/:run/cancel', (context) => cancel(parts, context))
  app.post('/v1/runs/:run/resume', (context) => resume(parts, context))
}
