// Models that clients may call by a name of ours. Each call is a run of one state, or of a state for each alternative, so
// policies, budgets and prices apply. Invariant: what a client asks for is the run's input, so an alias is one agent.
import { callAgent, type AnyAgent, type CallAgentPolicies, type Limits, type ModelDefinition, type ModelName } from '../../agent/index.ts'
import type { TimeoutPolicy } from '../../policy/index.ts'

/** A model behind a name, with what happens when it fails. */
export interface ModelAlias extends CallAgentPolicies {
  /** `provider/model`, or with parameters and a price. */
  readonly model: ModelName | ModelDefinition
  /** Models to ask instead, in order. */
  readonly fallback?: readonly (ModelName | ModelDefinition)[]
  /** Limits of each call. Default: see {@link Limits}. */
  readonly limits?: Limits
}

/**
 * What a call of an alias is for: an answer that is said as it comes, or as a whole; one of several, each a try of its own and
 * none from the cache; or vectors, which no other model may give instead, since those of two models cannot be compared.
 */
export interface Wanted {
  readonly stream?: boolean
  readonly sample?: boolean
  readonly vectors?: boolean
}

/** As long as OpenAI's own clients wait, milliseconds. */
const PATIENCE_MS = 600_000

/** Time limits of an alias; a whole answer begins to arrive when it is complete. */
const timeoutOf = ({ totalMs = PATIENCE_MS, ...timeout }: TimeoutPolicy = {}, stream: boolean): TimeoutPolicy => (stream ? { ...timeout, totalMs } : { ...timeout, totalMs, firstTokenMs: totalMs })

/** The aliases of a server. */
export interface Aliases {
  readonly has: (name: string) => boolean
  readonly names: readonly string[]
  /** Tells whether runs of an agent are answers of an alias. @param agent its id. */
  readonly answered: (agent: string) => boolean
  /** The agent of a name that there is. */
  readonly of: (name: string, wanted: Wanted) => AnyAgent
}

/** The id of the agent behind a name. */
const idOf = (name: string): string => name.replaceAll(/[^\w-]/g, '_')

const agentOf = (name: string, { model, fallback = [], cache, timeout, ...rest }: ModelAlias, { stream = false, sample = false, vectors = false }: Wanted): AnyAgent => {
  const alternatives = [model, ...(vectors ? [] : fallback)].map((alternative, at) => [at === 0 ? 'model' : `model${at + 1}`, alternative] as const)
  return callAgent({
    id: idOf(name),
    models: Object.fromEntries(alternatives),
    alternatives: alternatives.map(([alias]) => alias),
    passThrough: true,
    ...rest,
    timeout: timeoutOf(timeout, stream),
    ...(cache === undefined || sample ? {} : { cache }),
  }) as AnyAgent
}

/** Makes the agents of aliases. @throws FailureError `agent_invalid` for a model that is none. */
export const aliasAgents = (aliases: { readonly [name: string]: ModelName | ModelAlias } = {}): Aliases => {
  const definitions = new Map(Object.entries(aliases).map(([name, alias]) => [name, typeof alias === 'string' ? { model: alias } : alias]))
  const made = new Map<string, AnyAgent>()
  const of = (name: string, wanted: Wanted): AnyAgent => {
    const definition = definitions.get(name)
    if (definition === undefined) throw new TypeError(`There is no alias ${name}.`)
    const key = JSON.stringify([name, wanted])
    const agent = made.get(key) ?? agentOf(name, definition, wanted)
    made.set(key, agent)
    return agent
  }
  // What is wrong with an alias is told when the server is made.
  for (const name of definitions.keys()) of(name, { stream: false })
  return { has: (name) => definitions.has(name), names: [...definitions.keys()], answered: (agent) => [...definitions.keys()].some((name) => idOf(name) === agent), of }
}
