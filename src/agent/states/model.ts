// `t.model`: one call of a model. It completes with a validated output, or with the tool calls the model asked for,
// which take their routes before anything of the batch runs.
import { effectNode, commonSpec, edgeTo, report, type Edge, type NodeConfig, type Site } from '../build.ts'
import type { Env } from '../env.ts'
import { doneEdges, type Next, type NextTargets } from '../next.ts'
import type { OptionOf } from '../options.ts'
import { toPrompt, type Given, type PromptInput, type PromptOptions } from '../prompt-option.ts'
import { checkRoutes, failureEdges, type OnError, type Routes, type RouteTargets } from '../routes.ts'
import { saveActions, saveName, type FieldFor, type SaveFunction } from '../save.ts'
import { unresolvedModel } from '../model-ref.ts'
import { suggest } from '../nearest.ts'
import type { ModelRef, ModelSpec } from '../spec.ts'
import type { State } from '../state.ts'
import type { Infer, Schema } from '../../schema/index.ts'
import type { Tool } from '../../tool/index.ts'
import type { CacheOptions, CallOptions, Erased, ParamOptions } from './options.ts'

/** Routes of tool calls: one state for all, or a state per tool with `*` for the rest. In a batch the first named route wins. */
export type ToolRoutes<L extends readonly string[]> = string | { readonly [T in L[number] | '*']?: string }

type Unrouted<L extends readonly string[], R> = '*' extends keyof R
  ? unknown
  : [Exclude<L[number], keyof R>] extends [never]
    ? unknown
    : { readonly "tools without a route in onTools: name a state for each, or add '*'": Exclude<L[number], keyof R> }

type NotOffered<L extends readonly string[], R> = [Exclude<keyof R, L[number] | '*'>] extends [never] ? unknown : { readonly 'onTools names a tool that this state does not offer': Exclude<keyof R, L[number] | '*'> }

/** A route for every tool offered, and for none else. */
type EveryCall<L extends readonly string[], R> = [R] extends [string] ? unknown : Unrouted<L, R> & NotOffered<L, R>

/** Insists on `onTools` where tools are offered. */
type NeedsRoutes<L extends readonly string[]> = [L] extends [readonly []] ? unknown : { readonly onTools: unknown }

/** The method `t.model`. */
export type ModelMethod<X extends Env> = <
  P extends PromptInput<X>,
  const G extends OptionOf<'model'>,
  const N extends Next<X, Infer<S>>,
  S extends Schema = Schema<string>,
  const L extends readonly (keyof X['tools'] & string)[] = readonly [],
  const R extends ToolRoutes<L> = never,
  const E extends Routes<'model'> = {},
>(
  model: X['models'],
  options: CallOptions &
    ParamOptions &
    CacheOptions &
    PromptOptions<X, P, G> & {
      /** What the reply must be. Default: its text. */
      readonly output?: S
      /** A context field that accepts the output, or a pure function to the fields that change. Default: nothing is saved. */
      readonly save?: FieldFor<X, Infer<S>> | SaveFunction<X, Infer<S>>
      /** Names of tools the model may call. Default: none. */
      readonly tools?: L
      /** Where tool calls lead: a state for all of them, or one for each tool. Required with `tools`. Nothing runs before its route is taken. */
      readonly onTools?: R & EveryCall<L, R>
      /** Name of a thread to go on with. Default: a new one, unless the run comes back from `tools`. */
      readonly thread?: string
      /** Where the run goes with the output: a state, a match over one of its fields, or conditions. */
      readonly onDone: N
    } & Given<G> &
    NeedsRoutes<L> &
    OnError<X, 'model', E>,
) => State<'model', NextTargets<N> | RouteTargets<E> | ([R] extends [never] ? never : R extends string ? R : RouteTargets<R>)>

/** The model behind an alias. */
const modelOf = (site: Site, alias: unknown): ModelRef => {
  const { models } = site.build.setup
  const found = typeof alias === 'string' ? models[alias] : undefined
  if (found !== undefined) return found
  report(site, `'${String(alias)}' is not one of the models of setupAgent.${suggest(String(alias), Object.keys(models))}`)
  return unresolvedModel(String(alias))
}

/** The model behind an alias, with the parameters of one state. */
export const modelFor = (site: Site, { model, params, providerOptions }: ParamOptions & { readonly model: unknown }): ModelRef => {
  const found = modelOf(site, model)
  if (params === undefined && providerOptions === undefined) return found
  return {
    ...found,
    params: { ...found.params, ...params, maxOutputTokens: params?.maxOutputTokens ?? found.params.maxOutputTokens },
    ...(providerOptions === undefined ? {} : { providerOptions: { ...found.providerOptions, ...providerOptions } }),
  }
}

/** The tools behind names. */
export const toolsOf = (site: Site, names: unknown, where: string): { readonly [name: string]: Tool } => {
  const { tools } = site.build.setup
  const found: { [name: string]: Tool } = {}
  for (const name of (names ?? []) as readonly string[]) {
    const tool = Object.hasOwn(tools, name) ? tools[name] : undefined
    if (tool === undefined) report(site, `${where} names '${name}', which is not one of the tools of setupAgent.${suggest(name, Object.keys(tools))}`)
    else found[name] = tool
  }
  return found
}

const noteRoute = (site: Site, edge: Edge, tools: readonly string[]): void => {
  if (edge.target === undefined) return
  const known = site.build.toolRoutes.get(edge.target) ?? new Set()
  for (const tool of tools) known.add(tool)
  site.build.toolRoutes.set(edge.target, known)
}

/** Transitions of tool calls: named tools in the author's order, then any call. */
const callEdges = (site: Site, offered: readonly string[], onTools: unknown): readonly Edge[] => {
  if (offered.length === 0) {
    if (onTools !== undefined) report(site, 'onTools has no effect without tools. Name the tools the model may call, or leave onTools out.')
    return []
  }
  if (onTools === undefined) {
    report(site, `onTools must say where calls of ${offered.map((name) => `'${name}'`).join(', ')} lead, usually to a tools state.`)
    return []
  }
  const routes = (typeof onTools === 'string' ? { '*': onTools } : onTools) as { readonly [tool: string]: string }
  const named = Object.keys(routes).filter((name) => name !== '*')
  for (const name of named) if (!offered.includes(name)) report(site, `onTools names '${name}', which this state does not offer.${suggest(name, offered)}`)
  const rest = offered.filter((name) => !named.includes(name))
  if (rest.length > 0 && routes['*'] === undefined) report(site, `onTools does not say where calls of ${rest.map((name) => `'${name}'`).join(', ')} lead. Name a state for each, or add '*'.`)
  const edges = named.map((tool) => {
    const edge = { guard: { type: 'stateloop.calls', params: { tool } }, ...edgeTo(site, routes[tool], `onTools.${tool}`), description: tool }
    noteRoute(site, edge, [tool])
    return edge
  })
  // A model may call a tool that it was not offered; that call needs a route too, so that it is answered.
  const other = routes['*'] ?? routes[named.at(-1) ?? '']
  const last = { guard: { type: 'stateloop.calls' }, ...edgeTo(site, other, "onTools['*']"), description: 'tools' }
  noteRoute(site, last, rest)
  return [...edges, last]
}

interface ModelOptions extends Erased {
  readonly model: unknown
  readonly prompt: unknown
  readonly vars?: unknown
  readonly output?: Schema
  readonly tools?: unknown
  readonly onTools?: unknown
  readonly thread?: string
  readonly repairs?: number
  readonly passThrough?: ModelSpec['passThrough']
}

/** The effect of a state that calls a model. */
export const modelSpec = (
  site: Site,
  options: Pick<ModelOptions, 'model' | 'params' | 'providerOptions' | 'prompt' | 'vars' | 'output' | 'thread' | 'passThrough' | 'repairs' | 'maxVisits' | 'retry' | 'timeout' | 'cache' | 'breaker' | 'limiter'>,
  tools: ModelSpec['tools'] = {},
): ModelSpec => ({
  kind: 'model',
  model: modelFor(site, options),
  ...toPrompt(options.prompt, options.vars),
  ...(options.output === undefined ? {} : { output: options.output }),
  tools,
  ...(options.thread === undefined ? {} : { thread: options.thread }),
  repairs: options.repairs ?? 1,
  ...(options.passThrough === undefined ? {} : { passThrough: options.passThrough }),
  ...commonSpec({ ...options }),
})

/** Compiles `t.model`. */
export const compileModel = (site: Site, options: ModelOptions): NodeConfig => {
  checkRoutes(site, ['model'], options.onError)
  const tools = toolsOf(site, options.tools, 'tools')
  return effectNode(site, 'model', modelSpec(site, options, tools), {
    description: options.description,
    onDone: [...callEdges(site, Object.keys(tools), options.onTools), ...doneEdges(site, options.onDone, saveActions(site, options.save), options.output)],
    onError: failureEdges(site, 'model', options.onError),
    save: saveName(options.save),
  })
}
