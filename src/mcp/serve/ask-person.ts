// What a run waits for, put to the person at the other end by the protocol's own question. Invariant: a person who closes the
// question has decided nothing, so the run goes on waiting.
import type { Server } from '@modelcontextprotocol/sdk/server/index.js'
import type { ElicitRequestFormParams, ElicitResult } from '@modelcontextprotocol/sdk/types.js'
import type { AnyAgent } from '../../agent/index.ts'
import type { Json } from '../../failure/index.ts'
import type { Waiting } from '../../journal/index.ts'
import type { OutsideEvent } from '../../run/index.ts'
import { embedSchema, isNode } from '../../schema/index.ts'

type Form = ElicitRequestFormParams['requestedSchema']

/** Asks with a form. @returns undefined when the client cannot ask, or the person closed the question. */
type Ask = (message: string, form: Form) => Promise<ElicitResult | undefined>

/** Longest time that a question may stay open, milliseconds: as long as a timer can. */
const LONGEST_MS = 2_147_483_647

/** A way to ask the person behind a client. */
const asker =
  (server: Server, signal: AbortSignal): Ask =>
  async (message, requestedSchema) => {
    const able = server.getClientCapabilities()?.elicitation
    if (able === undefined || (able.form === undefined && able.url !== undefined)) return undefined
    // A client that says it can ask, and then cannot, is one that cannot.
    const answer = await server.elicitInput({ message, requestedSchema }, { signal, timeout: LONGEST_MS }).catch(() => undefined)
    return answer?.action === 'cancel' ? undefined : answer
  }

const DECISION: Form = {
  type: 'object',
  properties: { approve: { type: 'boolean', title: 'Approve this call' }, reason: { type: 'string', title: 'Reason, if not' } },
  required: ['approve'],
}

const decisions = async (ask: Ask, calls: NonNullable<Waiting['calls']>): Promise<readonly OutsideEvent[] | undefined> => {
  const events: OutsideEvent[] = []
  for (const { hash, name, args } of calls) {
    const answer = await ask(`May ${name} run with ${JSON.stringify(args)}?`, DECISION)
    if (answer === undefined) return events.length === 0 ? undefined : events
    const { approve, reason } = answer.content ?? {}
    const approved = answer.action === 'accept' && approve === true
    events.push({ type: approved ? 'APPROVE' : 'REJECT', hash, ...(!approved && typeof reason === 'string' && reason !== '' ? { reason } : {}) })
  }
  return events
}

const SIMPLE: ReadonlySet<unknown> = new Set(['string', 'number', 'integer', 'boolean'])

/** A field that a form can ask for: a simple value, or a choice of several. */
const isField = (field: Json): boolean => isNode(field) && (SIMPLE.has(field['type']) || (field['type'] === 'array' && isNode(field['items']) && ('enum' in field['items'] || 'anyOf' in field['items'])))

/** The payload of an event as a form; undefined for one that a form cannot ask for. */
const formOf = (agent: AnyAgent, type: string): Form | undefined => {
  if (!Object.hasOwn(agent.events, type)) return undefined
  const { properties = {}, required = [] } = embedSchema(agent.events[type], '#')
  if (!isNode(properties) || !Object.values(properties).every(isField)) return undefined
  return { type: 'object', properties: properties as Form['properties'], required: required as string[] }
}

const shown = ({ show, accepts }: Waiting): string => (show === undefined ? `This waits for ${accepts.join(' or ')}.` : typeof show === 'string' ? show : JSON.stringify(show))

/** One event asks for its payload; several without any ask which. */
const eventOf = async (ask: Ask, agent: AnyAgent, wait: Waiting): Promise<OutsideEvent | undefined> => {
  const [type = '', ...others] = wait.accepts
  const form = formOf(agent, type)
  if (others.length === 0) {
    const answer = form === undefined ? undefined : await ask(shown(wait), form)
    return answer?.action === 'accept' ? { ...answer.content, type } : undefined
  }
  const bare = wait.accepts.every((one) => Object.keys(formOf(agent, one)?.properties ?? { none: true }).length === 0)
  const answer = bare ? await ask(shown(wait), { type: 'object', properties: { event: { type: 'string', enum: [...wait.accepts] } }, required: ['event'] }) : undefined
  const chosen = answer?.content?.['event']
  return answer?.action === 'accept' && typeof chosen === 'string' && wait.accepts.includes(chosen) ? { type: chosen } : undefined
}

/** Asks for the first of what a run waits for that a person can be asked for. @returns the events to send; none when nobody could be asked or would say. */
export const askPerson = async (server: Server, agent: AnyAgent, waiting: readonly Waiting[], signal: AbortSignal): Promise<readonly OutsideEvent[]> => {
  const ask = asker(server, signal)
  for (const wait of waiting) {
    if (wait.for === 'approval' && wait.calls !== undefined) {
      const events = await decisions(ask, wait.calls)
      if (events !== undefined) return events
    }
    const event = wait.for === 'event' ? await eventOf(ask, agent, wait) : undefined
    if (event !== undefined) return [event]
  }
  return []
}
