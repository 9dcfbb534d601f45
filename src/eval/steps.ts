// What hashes see of an agent: its structure, and for each state that asks a model everything that decides the answer.
// Invariant: a change of a prompt, a model, a parameter, a tool's schema or an output schema changes the hash of exactly
// the states that use it.
import { effectOf, graphOf, logicOf, type Agent, type EffectSpec, type ModelRef } from '../agent/index.ts'
import { hashOf, shortHash, toJsonSchema, type Schema } from '../schema/index.ts'
import type { Tool } from '../tool/index.ts'

/** What hashes see of what is evaluated. */
export interface Steps {
  /** Everything that concerns every case: states and transitions, limits, versions of data. */
  readonly structure: string
  /** Hash of each state that asks a model, by its name as observations show it. */
  readonly states: { readonly [state: string]: string }
}

const schemaOf = (schema: Schema | undefined, name: string): unknown => (schema === undefined ? null : toJsonSchema(schema, name))

const toolsOf = (tools: { readonly [name: string]: Tool }): unknown => Object.entries(tools).map(([name, { description, input, effect }]) => ({ name, description, effect, input: toJsonSchema(input, `tool ${name}`) }))

const modelOf = ({ provider, model, params, providerOptions }: ModelRef): unknown => ({ provider, model, params, providerOptions: providerOptions ?? null })

/** The hash that a prompt counts with, from its id and the hash in code. */
type PromptHash = (id: string, inCode: string) => string

/** A prompt by its hash. The text of a function is in the code, which is watched apart. */
const promptOf = (prompt: Extract<EffectSpec, { readonly kind: 'model' }>['prompt'], hashFor: PromptHash): string => (typeof prompt === 'function' ? 'function' : hashFor(prompt.id, prompt.hash))

/** Hash of a state that asks a model; undefined for other effects. */
const askOf = (spec: EffectSpec, hashFor: PromptHash): string | undefined => {
  const common = (name: 'model' | 'decide', { model, prompt, repairs }: Extract<EffectSpec, { readonly kind: 'model' | 'decide' }>): object => ({ name, prompt: promptOf(prompt, hashFor), model: modelOf(model), repairs })
  if (spec.kind === 'model') return shortHash({ ...common('model', spec), tools: toolsOf(spec.tools), output: schemaOf(spec.output, 'output') })
  if (spec.kind !== 'decide') return undefined
  return shortHash({ ...common('decide', spec), events: Object.entries(spec.events).map(([type, { description, payload }]) => ({ type, description, payload: schemaOf(payload, type) })) })
}

/** Versions of data that an effect reads. */
const versionOf = (spec: EffectSpec): string | undefined => (spec.kind === 'retrieve' ? spec.retriever.version : spec.kind === 'rerank' ? spec.reranker.version : undefined)

interface Gathered {
  readonly states: Record<string, string>
  readonly versions: string[]
  readonly structures: string[]
  readonly hashFor: PromptHash
}

/** Child machines that were written with plain `setup()`. */
const machineIn = (logic: unknown): Agent['machine'] | undefined => (typeof logic === 'object' && logic !== null && '__xstatenode' in logic ? (logic as unknown as Agent['machine']) : undefined)

const gatherMachine = (machine: Agent['machine'], prefix: string, into: Gathered, seen: ReadonlySet<unknown>): void => {
  if (seen.has(machine)) return
  const inner = new Set([...seen, machine])
  for (const { path, invokes } of graphOf(machine).nodes) {
    for (const { id, source } of invokes) {
      const logic = logicOf(machine, source)
      const child = machineIn(logic)
      if (child !== undefined) gatherMachine(child, `${prefix}${id}/`, into, inner)
      const spec = effectOf(logic)
      if (spec === undefined) continue
      const ask = askOf(spec, into.hashFor)
      if (ask !== undefined) into.states[`${prefix}${path}`] = ask
      const version = versionOf(spec)
      if (version !== undefined) into.versions.push(`${prefix}${path} ${version}`)
      if (spec.kind === 'agent' || spec.kind === 'each') gather(spec.agent, `${prefix}${id}/`, into, inner)
    }
  }
}

const gather = (agent: Agent, prefix: string, into: Gathered, seen: ReadonlySet<unknown>): void => {
  into.structures.push(hashOf({ hash: agent.hash, limits: agent.limits, session: agent.sessionLimits ?? null }))
  gatherMachine(agent.machine, prefix, into, seen)
}

/** Hashes of an agent and of the agents inside it. @param hashFor which version of a prompt counts; default: the code's. */
export const stepsOf = (agent: Agent, hashFor: PromptHash = (_id, inCode) => inCode): Steps => {
  const into: Gathered = { states: {}, versions: [], structures: [], hashFor }
  gather(agent, '', into, new Set())
  return { structure: shortHash({ structures: into.structures, versions: into.versions.toSorted() }), states: into.states }
}

/** Hashes of the states that a run went through, out of all that there are. */
export const touchedBy = (steps: Steps, states: readonly { readonly state: string }[]): { readonly [state: string]: string } => {
  const names = new Set(states.map(({ state }) => state))
  return Object.fromEntries(Object.entries(steps.states).filter(([state]) => names.has(state)))
}
