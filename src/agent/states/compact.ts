// `t.compact` shortens a conversation that grew too long: a model sums up its middle, and the state that talks in it goes on
// from the summary. It is where `context_overflow` leads.
import { commonSpec, report, type NodeConfig, type Site } from '../build.ts'
import type { Env } from '../env.ts'
import { suggest } from '../nearest.ts'
import type { Next, NextTargets } from '../next.ts'
import type { OnError, Routes, RouteTargets } from '../routes.ts'
import type { FieldFor, SaveFunction } from '../save.ts'
import { effectOf } from '../source.ts'
import type { CompactSpec } from '../spec.ts'
import type { State } from '../state.ts'
import { effectState } from './effect.ts'
import { modelFor } from './model.ts'
import type { CallOptions, Erased } from './options.ts'

/** The method `t.compact`. */
export type CompactMethod<X extends Env> = <const N extends Next<X, string>, const E extends Routes<'model'> = {}>(
  model: X['models'],
  options: CallOptions & {
    /** The thread: the path of the state that talks in it (`answering`, or `group.asking`), or the `thread` that it names. */
    readonly thread: string
    /** Latest messages that stay as they are. Default 6. */
    readonly keep?: number
    /** What the summary must hold on to. Default: facts, decisions, open questions and results of tools. */
    readonly instructions?: string
    /** A context field that accepts the summary, or a pure function to the fields that change. Default: nothing is saved. */
    readonly save?: FieldFor<X, string> | SaveFunction<X, string>
    /** Usually the state that talks in the thread. */
    readonly onDone: N
  } & OnError<X, 'model', E>,
) => State<'compact', NextTargets<N> | RouteTargets<E>>

const INSTRUCTIONS = 'Keep every fact, decision, number and name, what is still open, and what tools gave. Leave out courtesies and repetition.'
const KEEP = 6

const threadsOf = (site: Site): readonly string[] =>
  Object.entries(site.build.actors).flatMap(([source, logic]) => {
    const spec = effectOf(logic)
    return spec?.kind === 'model' ? [spec.thread ?? source.slice('model:'.length)] : []
  })

interface CompactOptions extends Erased {
  readonly model: unknown
  readonly thread: string
  readonly keep?: number
  readonly instructions?: string
}

/** Compiles `t.compact`. */
export const compileCompact = (site: Site, options: CompactOptions): NodeConfig => {
  const { thread, keep = KEEP, instructions = INSTRUCTIONS } = options
  site.build.later.push(() => {
    const threads = threadsOf(site)
    if (!threads.includes(thread)) report(site, `thread is '${thread}', in which no model state of this agent talks.${suggest(thread, threads)}`)
  })
  const spec: CompactSpec = { kind: 'compact', model: modelFor(site, options), thread, keep, instructions, ...commonSpec({ ...options }) }
  return effectState(site, 'compact', spec, options)
}
