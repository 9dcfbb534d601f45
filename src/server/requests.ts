// What every route asks first: which agent, which run, how long to wait. Invariant: a run that the caller may not see is
// answered exactly like one that does not exist.
import type { Context } from 'hono'
import type { AnyAgent } from '../agent/index.ts'
import { suggest } from '../agent/index.ts'
import type { RunRow } from '../journal/index.ts'
import { maySee } from './access.ts'
import type { HonoTypes, ServerParts } from './options.ts'
import { refuse } from './problem.ts'

/** A request on its way through the routes. */
export type ServerContext = Context<HonoTypes>

/** A run with its agent. */
export interface FoundRun {
  readonly row: RunRow
  readonly agent: AnyAgent
}

/** The agent with that id. @throws Refusal `agent_not_found`. */
export const findAgent = ({ agents }: ServerParts, id: string): AnyAgent => {
  const found = agents.get(id)
  return found ?? refuse('agent_not_found', `This server has no agent ${JSON.stringify(id.slice(0, 100))}.${suggest(id.slice(0, 100), [...agents.keys()])} GET /v1/agents lists them.`)
}

const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The run that a path names, if the caller may see it. @throws Refusal `run_not_found`. */
export const findRun = async ({ runtime, agents }: ServerParts, context: ServerContext): Promise<FoundRun> => {
  const id = context.req.param('run') ?? ''
  const row = RUN_ID.test(id) ? await runtime.get(id) : undefined
  const agent = row === undefined ? undefined : agents.get(row.agent)
  if (row === undefined || agent === undefined || !maySee(context.get('identity'), row)) return refuse('run_not_found', `There is no run ${JSON.stringify(id.slice(0, 100))} here. GET /v1/runs lists them.`)
  return { row, agent }
}

/** Longest time that one request may wait, milliseconds. */
export const LONGEST_WAIT_MS = 60_000

/** A whole number in the query. @throws Refusal `usage`. */
export const numberIn = (context: ServerContext, name: string, most: number): number | undefined => {
  const text = context.req.query(name)
  if (text === undefined) return undefined
  const value = Number(text)
  return /^\d{1,15}$/.test(text) && value <= most ? value : refuse('usage', `${name} must be a whole number from 0 to ${most}, not ${JSON.stringify(text.slice(0, 40))}.`)
}

/** How long the request may wait for its run, milliseconds; 0 when it does not say. */
export const waitOf = (context: ServerContext): number => numberIn(context, 'waitMs', LONGEST_WAIT_MS) ?? 0

/** Tells whether the client wants events rather than a document. */
export const wantsEvents = (context: ServerContext): boolean => (context.req.header('accept') ?? '').includes('text/event-stream')

/** Refuses what would set a run to work while the server shuts down. @throws Refusal `draining`. */
export const refuseWhenDraining = ({ draining }: ServerParts): void => {
  if (draining()) refuse('draining', 'This server is shutting down and sets no more runs to work. Send the request again: another server takes it.', { retryable: true, details: { retryAfterMs: 1_000 } })
}
