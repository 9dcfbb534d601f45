// The last step of every way of authoring: checks a machine as a whole and makes the agent, or says everything that is
// wrong with it at once.
import type { AnyStateMachine } from 'xstate'
import type { Schema } from '../schema/index.ts'
import type { Agent, Limits, Migration } from './agent.ts'
import { checkApprovals } from './checks/approvals.ts'
import { checkCycles } from './checks/cycles.ts'
import { checkDeclared } from './checks/declared.ts'
import { factsOf, type Facts } from './checks/facts.ts'
import { checkPrices } from './checks/price.ts'
import { checkEndless, checkUnreachable, reachableFrom } from './checks/reachable.ts'
import { checkReferences } from './checks/references.ts'
import { checkRouting } from './checks/routing.ts'
import { definitionOf } from './definition.ts'
import { refuseProblems, type Problem } from './problem.ts'
import { checkPrompts } from './prompts.ts'

/** What an agent is made of beside its machine. */
export interface AgentParts {
  readonly id: string
  readonly version?: string | undefined
  readonly input: Schema
  readonly context?: Schema | undefined
  readonly output?: Schema | undefined
  readonly events?: { readonly [type: string]: Schema } | undefined
  readonly limits?: Limits | undefined
  readonly sessionLimits?: Limits | undefined
  readonly migrations?: readonly Migration[] | undefined
}

/** What is known to be wrong before the machine is built. */
export interface Found {
  readonly problems: readonly Problem[]
  /** True when a target could not be guessed: reachability would mislead. */
  readonly lost: boolean
}

const checkMachine = (facts: Facts, parts: AgentParts, { problems, lost }: Found): readonly Problem[] => {
  const wrong = new Set(problems.map(({ state }) => state))
  const reached = reachableFrom(facts)
  return [
    ...[...checkReferences(facts), ...checkRouting(facts)].filter(({ state }) => !wrong.has(state)),
    ...(lost ? [] : [...checkUnreachable(facts, reached), ...checkEndless(facts, reached)]),
    ...checkCycles(facts),
    ...checkApprovals(facts),
    ...checkPrompts({ id: parts.id, machine: facts.machine }),
    ...checkPrices(facts, parts.limits ?? {}, parts.sessionLimits),
  ]
}

const build = (make: () => AnyStateMachine): Facts | Problem => {
  try {
    return factsOf(make())
  } catch (error) {
    return { state: '', problem: `XState refused the machine: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/**
 * Makes an agent.
 * @param make builds the machine; called once. What it throws becomes a problem.
 * @throws FailureError `agent_invalid` with every problem.
 */
export const createAgent = (parts: AgentParts, make: () => AnyStateMachine, found: Found = { problems: [], lost: false }): Agent => {
  const built = build(make)
  const facts = 'problem' in built ? undefined : built
  const events = parts.events ?? {}
  refuseProblems(parts.id, [
    ...checkDeclared(parts.id, events, [parts.input, parts.context], facts),
    ...found.problems,
    ...('problem' in built ? [built] : []),
    ...(facts === undefined ? [] : checkMachine(facts, parts, found)),
  ])
  const { version, input, context, output, limits = {}, sessionLimits, migrations = [] } = parts
  return Object.freeze({
    kind: 'agent',
    id: parts.id,
    ...(version === undefined ? {} : { version }),
    ...definitionOf((built as Facts).machine),
    machine: (built as Facts).machine,
    input,
    ...(context === undefined ? {} : { context }),
    ...(output === undefined ? {} : { output }),
    events,
    limits,
    ...(sessionLimits === undefined ? {} : { sessionLimits }),
    migrations,
  } satisfies Agent)
}
