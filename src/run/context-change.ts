// Which context fields a transition changed, as short hashes, and whether their new values are what the schema says.
import type { Agent } from '../agent/index.ts'
import { fail } from '../failure/index.ts'
import { fieldSchema, findNonJson, formatIssues, sha256, validate } from '../schema/index.ts'

const hashField = (agent: Agent, field: string, value: unknown): string => {
  const bad = findNonJson(value ?? null)
  if (bad !== undefined) fail('invalid_context', `Context field ${field} of agent ${agent.id} holds something that JSON cannot (at ${bad}), so it cannot be journaled. Save plain data.`)
  return sha256(JSON.stringify(value ?? null)).slice(0, 12)
}

const checkField = (agent: Agent, field: string, value: unknown): void => {
  const schema = value === undefined ? undefined : fieldSchema(agent.context, field)
  const checked = schema === undefined ? undefined : validate(schema, value)
  if (checked?.ok === false) fail('invalid_context', `Context field ${field} of agent ${agent.id} does not match the context schema: ${formatIssues(checked.issues)}. Fix the save or the schema.`)
}

/**
 * Hashes of the changed fields, or undefined when none changed.
 * @throws FailureError `invalid_context` when a value is not JSON or not what the schema says.
 */
export const changedFields = (agent: Agent, before: object | undefined, after: object): { readonly [field: string]: string } | undefined => {
  let changed: { [field: string]: string } | undefined
  const old = (before ?? {}) as { readonly [field: string]: unknown }
  for (const [field, value] of Object.entries(after)) {
    if (field === '$run' || value === old[field]) continue
    if (before === undefined && value === undefined) continue
    checkField(agent, field, value)
    changed ??= {}
    changed[field] = hashField(agent, field, value)
  }
  return changed
}
