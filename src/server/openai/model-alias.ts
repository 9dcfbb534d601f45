// Models that clients may call by a name of ours. Each call is a run of one state, or of a state for each alternative, so
// policies, budgets and prices apply. Invariant: what a client asks for is the run's input, so an alias is one agent.
import { callAgent, type AnyAgent, type CallAgentPolicies, type Limits, type ModelDefinition, type ModelName } from '../../agent/index.ts'

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
 * What a call of an alias is for: an answer; one of several, each a try of its own and none from the cache; or vectors, which
 * no other model may give instead, since those of two models cannot be compared.
 */
type Wanted = 'answer' | 'sample' | 'vectors'

/** The aliases of a server. */
export interface Aliases {
  readonly has: (name: string) => boolean
  readonly names: readonly string[]
  /** Tells whether runs of an agent are answers of an alias. @param agent its id. */
  readonly answered: (agent: string) => boolean
  /** The agent of a name that there is. @param wanted default `answer`. */
  readonly of: (name: string, wanted?: Wanted) => AnyAgent
}

/** The id of the agent behind a name. */
const idOf = (name: string): string => name.replaceAll(/[^\w-]/g, '_')

const agentOf = (name: string, { model, fallback = [], cache, ...rest }: ModelAlias, wanted: Wanted): AnyAgent => {
  const alternatives = [model, ...(wanted === 'vectors' ? [] : fallback)].map((alternative, at) => [at === 0 ? 'model' : `model${at + 1}`, alternative] as const)
  return callAgent({
    id: idOf(name),
    models: Object.fromEntries(alternatives),
    alternatives: alternatives.map(([alias]) => alias),
    passThrough: true,
    ...rest,
    ...(cache === undefined || wanted === 'sample' ? {} : { cache }),
  }) as AnyAgent
}

/** Makes the agents of aliases. @throws FailureError `agent_invalid` for a model that is none. */
export const aliasAgents = (aliases: { readonly [name: string]: ModelName | ModelAlias } = {}): Aliases => {
  const agents = new Map(
    Object.entries(aliases).map(([name, alias]) => {
      const definition = typeof alias === 'string' ? { model: alias } : alias
      return [name, { answer: agentOf(name, definition, 'answer'), sample: agentOf(name, definition, 'sample'), vectors: agentOf(name, definition, 'vectors') }] as const
    }),
  )
  return {
    has: (name) => agents.has(name),
    names: [...agents.keys()],
    answered: (agent) => [...agents.keys()].some((name) => idOf(name) === agent),
    of: (name, wanted = 'answer') => {
      const found = agents.get(name)
      if (found === undefined) throw new TypeError(`There is no alias ${name}.`)
      return found[wanted]
    },
  }
}
