// `t.code` runs an author's function, whose result is journaled; `t.wait` lets time pass.
import type { Schema } from '../../schema/index.ts'
import { commonSpec, type NodeConfig, type Site } from '../build.ts'
import type { Args, Env } from '../env.ts'
import type { Next, NextTargets } from '../next.ts'
import type { OnError, Routes, RouteTargets } from '../routes.ts'
import type { FieldForLater, SaveFunction } from '../save.ts'
import type { CodeContext, CodeSpec, WaitSpec } from '../spec.ts'
import type { State } from '../state.ts'
import { effectState } from './effect.ts'
import type { AttemptOptions, Erased, StateOptions } from './options.ts'

/** The method `t.code`. */
export type CodeMethod<X extends Env> = <O, const N extends Next<X, O>, const E extends Routes<'code'> = {}>(
  options: AttemptOptions & {
    /** Runs once per attempt; may be asynchronous and may throw. What it returns must be JSON. */
    readonly run: (args: Args<X>, context: CodeContext) => O | Promise<O>
    /** Validates the result. Default: any JSON passes. */
    readonly output?: Schema<NoInfer<O>>
    /** Set when running twice under one key happens once, so that it may run again after a crash. Default false. */
    readonly idempotent?: boolean
    /** A context field that accepts the result, or a pure function to the fields that change. Default: nothing is saved. */
    readonly save?: FieldForLater<X, NoInfer<O>> | SaveFunction<X, NoInfer<O>>
    /** Where the run goes with the result. */
    readonly onDone: N
  } & OnError<X, 'code', E>,
) => State<'code', NextTargets<N> | RouteTargets<E>>

/** The method `t.wait`. */
export type WaitMethod<X extends Env> = <const N extends Next<X, undefined>, const E extends Routes<never> = {}>(
  options: StateOptions & {
    /** How long, milliseconds; a function is pure. */
    readonly ms: number | ((args: Args<X>) => number)
    /** Where the run goes when the time has passed. */
    readonly onDone: N
  } & OnError<X, never, E>,
) => State<'wait', NextTargets<N> | RouteTargets<E>>

/** Compiles `t.code`. */
export const compileCode = (site: Site, options: Erased & { readonly run: CodeSpec['run']; readonly keyed?: CodeSpec['keyed']; readonly output?: Schema; readonly idempotent?: boolean }): NodeConfig => {
  const { run, keyed, output, idempotent = false } = options
  const spec: CodeSpec = { kind: 'code', run, ...(keyed === undefined ? {} : { keyed }), ...(output === undefined ? {} : { output }), idempotent, ...commonSpec({ ...options }) }
  return effectState(site, 'code', spec, options, output)
}

/** Compiles `t.wait`. */
export const compileWait = (site: Site, options: Erased & { readonly ms: unknown }): NodeConfig => {
  const { ms } = options
  const spec: WaitSpec = { kind: 'wait', ms: typeof ms === 'number' ? () => ms : (ms as WaitSpec['ms']), ...commonSpec({ ...options }) }
  return effectState(site, 'wait', spec, options)
}
