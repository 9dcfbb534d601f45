// Names an author may not use: those of XState, of the runtime, and of what approvals accept.
import { fieldNames, type Schema } from '../../schema/index.ts'
import type { Problem } from '../problem.ts'
import type { Facts } from './facts.ts'

/** Events that a state waiting for an approval takes. */
const APPROVAL_EVENTS: readonly string[] = ['APPROVE', 'EDIT', 'REJECT']

/** Reports reserved and clashing names of events, fields and the agent itself. */
export const checkDeclared = (id: string, events: { readonly [type: string]: Schema }, schemas: readonly (Schema | undefined)[], facts: Facts | undefined): readonly Problem[] => {
  const here = (problem: string): Problem => ({ state: '', problem })
  const approvals = facts?.graph.nodes.find(({ path }) => facts.effectsOf(path).some((effect) => effect.kind === 'approve'))
  return [
    ...(typeof id === 'string' && /^[A-Za-z0-9_][\w-]*$/.test(id) ? [] : [here(`'${id}' cannot be the id of an agent. Use letters, digits, _ and -.`)]),
    ...Object.keys(events).flatMap((event) => {
      if (event.startsWith('xstate.')) return [here(`The event '${event}' starts with 'xstate.', which is reserved. Rename it.`)]
      if (event.includes('*')) return [here(`The event '${event}' contains '*', which matches other events. Rename it.`)]
      if (approvals !== undefined && APPROVAL_EVENTS.includes(event)) return [here(`The event '${event}' is declared, but the approval '${approvals.path}' takes an event of that name too. Rename yours.`)]
      return []
    }),
    ...schemas
      .flatMap((schema) => (typeof schema !== 'object' ? [] : (fieldNames(schema) ?? [])))
      .filter((field) => field === '$run')
      .map(() => here("The field '$run' is reserved for the runtime. Rename it.")),
  ]
}
