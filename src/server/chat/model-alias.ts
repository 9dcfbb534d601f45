// Models that clients may call by a name of ours. Each call is a run of one state, or of a state for each alternative, so
// policies, budgets and prices apply. Invariant: what a client asks for beside its messages decides the run's agent.
import { callAgent, setupAgent, type Agent, type AnyAgent, type CallAgentPolicies, type CallInput, type Limits, type ModelDefinition, type ModelName } from '../../agent/index.ts'
import type { Json } from '../../failure/index.ts'
import type { ModelRequest, ToolSchema } from '../../model/index.ts'
import { textOf, type Message, type ToolCall } from '../../prompt/index.ts'
import { hashOf, type Schema } from '../../schema/index.ts'
import { defineTool, type Tool } from '../../tool/index.ts'
import type { ServerParts } from '../options.ts'

/** A model behind a name, with what happens when it fails. */
export interface ModelAlias extends CallAgentPolicies {
  readonly model: ModelName | ModelDefinition
  /** Models to ask instead, in order. */
  readonly fallback?: readonly (ModelName | ModelDefinition)[]
  readonly limits?: Limits
}

/** What a call of an alias asks for, apart from its messages. */
export interface AliasCall {
  readonly params: Partial<ModelRequest['params']>
  readonly tools: readonly ToolSchema[]
  /** Fields of the request that go to the provider as they are. */
  readonly extras: { readonly [field: string]: Json }
}

/** What the run of an alias with tools gives when the model asks for calls. */
export interface AskedCalls {
  readonly content: string
  readonly calls: readonly ToolCall[]
}

/** Tells whether a run's output is a request for calls. */
export const isAskedCalls = (output: unknown): output is AskedCalls => typeof output === 'object' && output !== null && 'calls' in output && 'content' in output

/** The client validates arguments; here any object passes. */
const anyArguments = (parameters: ToolSchema['parameters']): Schema =>
  ({
    '~standard': {
      version: 1,
      vendor: 'stateloop',
      validate: (value: unknown) => ({ value }),
      jsonSchema: { input: () => ({ type: 'object', properties: {}, ...parameters }), output: () => parameters },
    },
  }) as never

/** Calls go back to the client, which performs them: this one never runs. */
const clientTool = ({ description, parameters }: ToolSchema): Tool => defineTool({ description, input: anyArguments(parameters), run: () => null })

const definitionOf = (model: ModelName | ModelDefinition, { params, extras }: AliasCall): ModelDefinition => {
  const own: ModelDefinition = typeof model === 'string' ? { model } : model
  return { ...own, ...params, ...(Object.keys(extras).length === 0 && own.providerOptions === undefined ? {} : { providerOptions: { ...own.providerOptions, ...extras } }) }
}

interface Asked {
  readonly messages: (thread: string) => readonly Message[]
}

const lastTurn =
  (state: string) =>
  (args: Asked): AskedCalls => {
    const last = args.messages(state).at(-1)
    return last?.role === 'assistant' ? { content: textOf(last.content), calls: last.calls ?? [] } : { content: '', calls: [] }
  }

interface ErasedBuilder {
  readonly model: (model: string, options: object) => object
  readonly final: (options: object) => object
  readonly createAgent: (definition: object) => Agent
}

/** A state for each alternative, each with a way out for calls. */
const toolAgent = (id: string, { model, fallback = [], limits, cache: _cache, ...policies }: ModelAlias, call: AliasCall): Agent<CallInput> => {
  const alternatives = [model, ...fallback]
  const names = alternatives.map((_model, at) => (at === 0 ? 'asking' : `asking${at + 1}`))
  const t = setupAgent({
    id,
    models: Object.fromEntries(alternatives.map((alternative, at) => [names[at] ?? '', definitionOf(alternative, call)])),
    tools: Object.fromEntries(call.tools.map((tool) => [tool.name, clientTool(tool)])),
    input: { '~standard': { version: 1, vendor: 'stateloop', validate: (value: unknown) => ({ value }), jsonSchema: { input: () => ({ type: 'object', properties: { messages: {} } }) } } } as never,
    onFailure: 'failed',
    ...(limits === undefined ? {} : { limits }),
  } as never) as unknown as ErasedBuilder
  const asking = names.flatMap((name, at): readonly (readonly [string, object])[] => {
    const options = {
      prompt: ({ context }: { readonly context: CallInput }) => context.messages ?? [],
      tools: call.tools.map((tool) => tool.name),
      onTools: `${name}Calls`,
      save: ({ output }: { readonly output: unknown }) => ({ answer: output }),
      onDone: 'done',
      ...policies,
      ...(names[at + 1] === undefined ? {} : { onError: { '*': names[at + 1] } }),
    }
    return [
      [name, t.model(name, options)],
      [`${name}Calls`, t.final({ output: lastTurn(name) })],
    ]
  })
  const done = t.final({ output: ({ context }: { readonly context: { readonly answer: unknown } }) => context.answer })
  return t.createAgent({ initial: 'asking', states: { ...Object.fromEntries(asking), done, failed: t.final({ outcome: 'failed' }) } }) as Agent<CallInput>
}

const plainAgent = (id: string, { model, fallback = [], ...rest }: ModelAlias, call: AliasCall): Agent<CallInput> => {
  const alternatives = [model, ...fallback].map((alternative, at) => [at === 0 ? 'model' : `model${at + 1}`, definitionOf(alternative, call)] as const)
  return callAgent({ id, models: Object.fromEntries(alternatives), alternatives: alternatives.map(([name]) => name), ...rest })
}

/** Different shapes of calls that are remembered; more are made again each time. */
const MOST_SHAPES = 1_000

/** Agents for calls of aliases; equal calls get the same one. @throws FailureError `agent_invalid` for tools nobody could offer. */
export const aliasAgents = (aliases: { readonly [name: string]: ModelName | ModelAlias } = {}): ServerParts['aliases'] => {
  const made = new Map<string, AnyAgent>()
  return {
    has: (name) => Object.hasOwn(aliases, name),
    names: Object.keys(aliases),
    of: (name, call) => {
      const key = hashOf([name, call])
      const known = made.get(key)
      if (known !== undefined) return known
      const alias = aliases[name]
      const definition = typeof alias === 'object' ? alias : { model: alias ?? ('unknown/unknown' as const) }
      const id = name.replaceAll(/[^\w-]/g, '_')
      const agent = (call.tools.length === 0 ? plainAgent(id, definition, call) : toolAgent(id, definition, call)) as AnyAgent
      if (made.size >= MOST_SHAPES) made.clear()
      made.set(key, agent)
      return agent
    },
  }
}
