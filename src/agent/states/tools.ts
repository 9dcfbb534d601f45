// `t.tools` performs the calls a model asked for; `t.tool` one call the author decided.
import { commonSpec, report, type NodeConfig, type Site } from '../build.ts'
import type { Args, Env, ToolInput, ToolOutput } from '../env.ts'
import type { Next, NextTargets } from '../next.ts'
import type { OnError, Routes, RouteTargets } from '../routes.ts'
import type { FieldFor, SaveFunction } from '../save.ts'
import type { ToolSpec, ToolsSpec } from '../spec.ts'
import type { State } from '../state.ts'
import { effectState, partOf } from './effect.ts'
import type { AttemptOptions, CacheOptions, Erased, StateOptions } from './options.ts'
import { toolsOf } from './model.ts'

/** The method `t.tools`. */
export type ToolsMethod<X extends Env> = <const N extends Next<X, unknown>, const E extends Routes<'tool'> = {}>(
  options: StateOptions & {
    /** How many calls at once. Default 4. */
    readonly parallel?: number
    /** Tools this state may perform. Default: all of the agent. */
    readonly tools?: readonly (keyof X['tools'] & string)[]
    /** Usually the model state that asked. */
    readonly onDone: N
  } & OnError<X, 'tool', E>,
) => State<'tools', NextTargets<N> | RouteTargets<E>>

/** The method `t.tool`. */
export type ToolMethod<X extends Env> = <const T extends keyof X['tools'] & string, const N extends Next<X, ToolOutput<X['tools'][T]>>, const E extends Routes<'tool'> = {}>(
  tool: T,
  options: AttemptOptions &
    CacheOptions & {
      /** Arguments of the call. Pure. */
      readonly args: (args: Args<X>) => ToolInput<X['tools'][T]>
      /** A context field that accepts the result, or a pure function to the fields that change. Default: nothing is saved. */
      readonly save?: FieldFor<X, ToolOutput<X['tools'][T]>> | SaveFunction<X, ToolOutput<X['tools'][T]>>
      /** Where the run goes with the result. */
      readonly onDone: N
    } & OnError<X, 'tool', E>,
) => State<'tool', NextTargets<N> | RouteTargets<E>>

/** How many calls of a batch run at once when nothing is said. */
export const PARALLEL_CALLS = 4

/** Compiles `t.tools`. */
export const compileTools = (site: Site, options: Erased & { readonly parallel?: number; readonly tools?: unknown }): NodeConfig => {
  const tools = options.tools === undefined ? site.build.setup.tools : toolsOf(site, options.tools, 'tools')
  const spec: ToolsSpec = { kind: 'tools', tools, parallel: options.parallel ?? PARALLEL_CALLS, ...commonSpec({ ...options }) }
  return effectState(site, 'tools', spec, options)
}

/** Compiles `t.tool`. */
export const compileTool = (site: Site, options: Erased & { readonly name: string; readonly args: unknown }): NodeConfig => {
  const tool = partOf(site, 'tools', options.name)
  if (options.cache !== undefined && tool !== undefined && tool.effect !== 'none')
    report(site, `cache cannot stand here: the effect of '${options.name}' is ${tool.effect}, and a call answered from the cache would not happen.`)
  const spec: ToolSpec | undefined = tool && { kind: 'tool', name: options.name, tool, args: options.args as ToolSpec['args'], ...commonSpec({ ...options }) }
  return effectState(site, 'tool', spec, options, tool?.output)
}
