// The public door for events: refuses what the agent does not declare, what does not match, and what cannot be used now.
import { childrenOf, effectsOf, type Agent } from '../agent/index.ts'
import { fail, type Json } from '../failure/index.ts'
import type { RunRow } from '../journal/index.ts'
import type { Tool } from '../tool/index.ts'
import { findNonJson, formatIssues, toJson, validate, type Issue } from '../schema/index.ts'
import type { OutsideEvent } from './handle.ts'

/** Events that the framework itself understands. */
const OWN_EVENTS: ReadonlySet<string> = new Set(['APPROVE', 'EDIT', 'REJECT', 'RESOLVE'])
const ENDED: ReadonlySet<string> = new Set(['done', 'failed', 'limited', 'cancelled'])

/** Issues that a failure carries, for whoever shows them at their fields. */
const MOST_ISSUES = 50

const issueDetails = (issues: readonly Issue[]): { readonly issues: readonly Json[] } => ({ issues: issues.slice(0, MOST_ISSUES).map(({ path, message }) => ({ path, message })) })

const checkDeclared = (agent: Agent, event: OutsideEvent): OutsideEvent => {
  const schema = Object.hasOwn(agent.events, event.type) ? agent.events[event.type] : undefined
  if (schema === undefined) {
    const declared = Object.keys(agent.events)
    return fail('invalid_event', `Agent ${agent.id} declares no event ${JSON.stringify(event.type)}. It declares: ${declared.length === 0 ? 'none' : declared.join(', ')}.`, { details: { declared } })
  }
  const { type, ...payload } = event
  const checked = validate(schema, payload)
  if (!checked.ok) return fail('invalid_event', `Event ${type} does not match its schema: ${formatIssues(checked.issues)}.`, { details: issueDetails(checked.issues) })
  return { ...(toJson(checked.value) as object), type }
}

/** The tool of a call that waits for a decision, wherever in the agent it is approved. */
export const approvedTool = (agent: Agent, name: string): Tool | undefined => {
  for (const { spec } of effectsOf(agent)) if (spec.kind === 'approve' && Object.hasOwn(spec.tools, name)) return spec.tools[name]
  return childrenOf(agent)
    .map((child) => approvedTool(child, name))
    .find((tool) => tool !== undefined)
}

/** Refuses edited arguments that the tool would not take, while the person who wrote them can still correct them. */
const checkEdit = (row: RunRow, agent: Agent, event: OutsideEvent): void => {
  const call = (row.waiting ?? []).flatMap((waiting) => waiting.calls ?? []).find(({ hash }) => hash === event['hash'])
  const tool = call === undefined ? undefined : approvedTool(agent, call.name)
  if (call === undefined || tool === undefined) return
  if (event['args'] === undefined) fail('invalid_event', `EDIT must say the new arguments of ${call.name}: { "type": "EDIT", "hash": "…", "args": { … } }.`)
  const checked = validate(tool.input, event['args'])
  if (!checked.ok) fail('invalid_event', `The edited arguments do not match the schema of ${call.name}: ${formatIssues(checked.issues)}.`, { details: issueDetails(checked.issues) })
}

const accepts = (row: RunRow, event: OutsideEvent): boolean => {
  if (row.status !== 'waiting') return true
  const waits = row.waiting ?? []
  if (!waits.some((waiting) => waiting.accepts.includes(event.type))) return false
  if (!OWN_EVENTS.has(event.type) || event.type === 'RESOLVE') return true
  const hashes = typeof event['hash'] === 'string' ? [event['hash']] : Array.isArray(event['hashes']) ? event['hashes'] : undefined
  const open = waits.flatMap((waiting) => waiting.calls ?? []).map((call) => call.hash)
  return hashes === undefined || hashes.some((hash) => typeof hash === 'string' && open.includes(hash))
}

/**
 * The event as it may be posted.
 * @param agent undefined when this process does not have the agent: then only its shape is checked.
 * @throws FailureError `invalid_event`, `event_not_accepted`, `run_ended`.
 */
export const checkEvent = (row: RunRow, agent: Agent | undefined, event: OutsideEvent): OutsideEvent => {
  if (ENDED.has(row.status)) return fail('run_ended', `Run ${row.id} has ended as ${row.status}, so it takes no events.`)
  if (typeof event.type !== 'string' || event.type === '' || event.type.startsWith('xstate.') || event.type.startsWith('stateloop.') || event.type.includes('*')) {
    return fail('invalid_event', `${JSON.stringify(event.type)} cannot be sent from outside. Send one of the events that the agent declares.`)
  }
  const bad = findNonJson(event)
  if (bad !== undefined) return fail('invalid_event', `Event ${event.type} holds something that JSON cannot, at ${bad}.`)
  const own = OWN_EVENTS.has(event.type) && (agent === undefined || !Object.hasOwn(agent.events, event.type))
  if (own && event.type !== 'RESOLVE' && typeof event['hash'] !== 'string' && !Array.isArray(event['hashes'])) {
    return fail('invalid_event', `${event.type} must name the calls it decides: { "type": "${event.type}", "hash": "…" }. \`stateloop show ${row.id}\` lists them.`)
  }
  if (own && event.type === 'EDIT' && agent !== undefined) checkEdit(row, agent, event)
  const checked = own || agent === undefined ? event : checkDeclared(agent, event)
  if (!accepts(row, checked)) {
    const now = [...new Set((row.waiting ?? []).flatMap((waiting) => waiting.accepts))]
    return fail('event_not_accepted', `Run ${row.id} does not accept ${event.type} with this content now. It stands at ${JSON.stringify(row.state)} and accepts: ${now.join(', ') || 'nothing'}.`, {
      details: { accepts: now },
    })
  }
  return checked
}
