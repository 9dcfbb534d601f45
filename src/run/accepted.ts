// What a waiting run takes, as JSON Schemas: for whoever builds a form for a person. Invariant: what is described here is
// what `send` checks.
import type { Agent } from '../agent/index.ts'
import type { RunRow } from '../journal/index.ts'
import { toJsonSchema, type JsonSchema, type Schema } from '../schema/index.ts'
import { approvedTool } from './send.ts'

/** Schemas of what a run takes now; what has no JSON Schema is left out. */
export interface Accepted {
  /** Payloads by event type. */
  readonly events: { readonly [type: string]: JsonSchema }
  /** Arguments of the calls that wait for a decision, by the call's hash. */
  readonly calls: { readonly [hash: string]: JsonSchema }
}

const described = (schema: Schema | undefined, name: string): JsonSchema | undefined => {
  try {
    return schema === undefined ? undefined : toJsonSchema(schema, name)
  } catch {
    return undefined
  }
}

const entriesOf = (pairs: readonly (readonly [string, JsonSchema | undefined])[]): { readonly [name: string]: JsonSchema } =>
  Object.fromEntries(pairs.flatMap(([name, schema]) => (schema === undefined ? [] : [[name, schema] as const])))

/** What a run takes. @param agent the run's own, as it was when the run was started. */
export const acceptedBy = (row: RunRow, agent: Agent): Accepted => {
  const waits = row.waiting ?? []
  const types = [...new Set(waits.flatMap(({ accepts }) => accepts))]
  return {
    events: entriesOf(types.map((type) => [type, described(Object.hasOwn(agent.events, type) ? agent.events[type] : undefined, `event ${type}`)])),
    calls: entriesOf(waits.flatMap(({ calls = [] }) => calls.map(({ hash, name }) => [hash, described(approvedTool(agent, name)?.input, `tool ${name}`)] as const))),
  }
}
