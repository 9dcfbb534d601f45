// `t.agent` runs a child agent in the same journal; `t.each` one child per item, in bounded number.
import type { InputOf, OutputOf } from '../agent.ts'
import { commonSpec, type NodeConfig, type Site } from '../build.ts'
import type { Args, Env } from '../env.ts'
import type { Next, NextTargets } from '../next.ts'
import type { OnError, Routes, RouteTargets } from '../routes.ts'
import type { FieldFor, SaveFunction } from '../save.ts'
import type { AgentSpec, EachSpec } from '../spec.ts'
import type { State } from '../state.ts'
import { effectState, partOf } from './effect.ts'
import type { Erased, StateOptions } from './options.ts'

/** The method `t.agent`. */
export type AgentMethod<X extends Env> = <const A extends keyof X['agents'] & string, const N extends Next<X, OutputOf<X['agents'][A]>>, const E extends Routes<'agent'> = {}>(
  agent: A,
  options: StateOptions & {
    /** Input of the child. Pure. */
    readonly input: (args: Args<X>) => InputOf<X['agents'][A]>
    /** A context field that accepts the child's output, or a pure function to the fields that change. Default: nothing is saved. */
    readonly save?: FieldFor<X, OutputOf<X['agents'][A]>> | SaveFunction<X, OutputOf<X['agents'][A]>>
    /** Where the run goes once the child has given its output. */
    readonly onDone: N
  } & OnError<X, 'agent', E>,
) => State<'agent', NextTargets<N> | RouteTargets<E>>

/** The method `t.each`. */
export type EachMethod<X extends Env> = <const A extends keyof X['agents'] & string, const N extends Next<X, OutputOf<X['agents'][A]>[]>, const E extends Routes<'agent'> = {}>(
  agent: A,
  options: StateOptions & {
    /** Inputs, one for each child. Pure. */
    readonly items: (args: Args<X>) => readonly InputOf<X['agents'][A]>[]
    /** How many children at once. Default 4. */
    readonly concurrency?: number
    /** More items than this fail with `loop_limit`. Default 100. */
    readonly maxItems?: number
    /** A context field that accepts the children's outputs in order, or a pure function to the fields that change. Default: nothing is saved. */
    readonly save?: FieldFor<X, OutputOf<X['agents'][A]>[]> | SaveFunction<X, OutputOf<X['agents'][A]>[]>
    /** Where the run goes once every child has given its output. */
    readonly onDone: N
  } & OnError<X, 'agent', E>,
) => State<'each', NextTargets<N> | RouteTargets<E>>

/** Compiles `t.agent`. */
export const compileAgent = (site: Site, options: Erased & { readonly name: string; readonly input: unknown }): NodeConfig => {
  const agent = partOf(site, 'agents', options.name)
  const spec: AgentSpec | undefined = agent && { kind: 'agent', agent, input: options.input as AgentSpec['input'], ...commonSpec({ ...options }) }
  return effectState(site, 'agent', spec, options, agent?.output)
}

/** Compiles `t.each`. */
export const compileEach = (site: Site, options: Erased & { readonly name: string; readonly items: unknown; readonly concurrency?: number; readonly maxItems?: number }): NodeConfig => {
  const agent = partOf(site, 'agents', options.name)
  const spec: EachSpec | undefined = agent && {
    kind: 'each',
    agent,
    items: options.items as EachSpec['items'],
    concurrency: options.concurrency ?? 4,
    maxItems: options.maxItems ?? 100,
    ...commonSpec({ ...options }),
  }
  return effectState(site, 'each', spec, options)
}
