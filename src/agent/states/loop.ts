// `t.loop`: a model that works with tools until it answers, as one state of a larger machine. It compiles to a group in
// which every step is visible: asking, acting, approving where a call needs it, done.
import type { Infer, Schema } from '../../schema/index.ts'
import { effectNode, report, type Edge, type NodeConfig, type Site } from '../build.ts'
import type { Args, Env } from '../env.ts'
import { doneEdges, type Next, type NextTargets } from '../next.ts'
import type { OptionOf } from '../options.ts'
import type { Given, PromptInput, PromptOptions } from '../prompt-option.ts'
import { checkRoutes, failureEdges, type OnError, type Routes, type RouteTargets } from '../routes.ts'
import { saveActions, saveName, type FieldFor, type SaveFunction } from '../save.ts'
import type { ApproveSpec, ModelSpec, ToolsSpec } from '../spec.ts'
import type { State } from '../state.ts'
import { innerDone, innerSite, innerTarget } from './group.ts'
import { modelSpec, toolsOf } from './model.ts'
import type { CacheOptions, CallOptions, Erased, ParamOptions } from './options.ts'
import { PARALLEL_CALLS } from './tools.ts'

/** Turns of a loop when nothing is said. */
const MAX_TURNS = 16

/** Options of a tool loop, shared with one-shot agents. */
export interface LoopOptions<L> {
  /** Tools whose calls a person must approve, beside those that cannot be undone. Default: none. */
  readonly approve?: readonly L[]
  /** How long an approval may take before `expired`, milliseconds. Default: for ever. */
  readonly expiresMs?: number
  /** How many calls at once. Default 4. */
  readonly parallel?: number
}

/** The method `t.loop`. */
export type LoopMethod<X extends Env> = <
  P extends PromptInput<X>,
  const G extends OptionOf<'loop'>,
  const N extends Next<X, Infer<S>>,
  S extends Schema = Schema<string>,
  const L extends readonly (keyof X['tools'] & string)[] = readonly [],
  const E extends Routes<'model' | 'tool' | 'human'> = {},
>(
  model: X['models'],
  options: CallOptions &
    ParamOptions &
    CacheOptions &
    PromptOptions<X, P, G> &
    LoopOptions<NoInfer<L>[number]> & {
      /** Names of tools the model may call. */
      readonly tools: L
      /** What the person who approves is shown beside the calls. Pure. Default: nothing. */
      readonly show?: (args: Args<X>) => unknown
      /** What the last reply must be. Default: its text. */
      readonly output?: S
      /** A context field that accepts the output, or a pure function to the fields that change. Default: nothing is saved. */
      readonly save?: FieldFor<X, Infer<S>> | SaveFunction<X, Infer<S>>
      /** Name of a thread to go on with. Default: a new one at each entry. */
      readonly thread?: string
      /** Where the run goes with the answer. */
      readonly onDone: N
    } & Given<G> &
    OnError<X, 'model' | 'tool' | 'human', E>,
) => State<'loop', NextTargets<N> | RouteTargets<E>>

interface ErasedLoop extends Erased {
  readonly model: unknown
  readonly prompt: unknown
  readonly vars?: unknown
  readonly output?: Schema
  readonly tools: unknown
  readonly approve?: unknown
  readonly show?: ApproveSpec['show']
  readonly expiresMs?: number
  readonly parallel?: number
  readonly thread?: string
  readonly repairs?: number
}

const call = (tool: string | undefined, target: string): Edge => ({
  guard: tool === undefined ? { type: 'stateloop.calls' } : { type: 'stateloop.calls', params: { tool } },
  target,
  description: tool ?? 'tools',
})

const decided = (value: 'approved' | 'rejected', target: string): Edge => ({
  guard: { type: 'stateloop.outputEquals', params: { value } },
  target,
  description: value,
})

/** The tools of a loop whose calls a person decides. */
const toApprove = (site: Site, tools: ModelSpec['tools'], approve: unknown): ModelSpec['tools'] => {
  const listed = (Array.isArray(approve) ? approve : []) as readonly unknown[]
  for (const name of listed) if (!Object.hasOwn(tools, String(name))) report(site, `approve names '${String(name)}', which is not one of the tools of this state: ${Object.keys(tools).join(', ') || 'none'}.`)
  return Object.fromEntries(Object.entries(tools).filter(([name, tool]) => tool.effect === 'irreversible' || listed.includes(name)))
}

/** Compiles `t.loop`. */
export const compileLoop = (site: Site, options: ErasedLoop): NodeConfig => {
  checkRoutes(site, ['model', 'tool', 'human'], options.onError)
  const tools = toolsOf(site, options.tools, 'tools')
  const approved = toApprove(site, tools, options.approve)
  const names = Object.keys(approved)
  const [asking, acting, approving, done] = ['asking', 'acting', 'approving', 'done'].map((name) => innerTarget(site, name)) as [string, string, string, string]
  const toolsSpec: ToolsSpec = { kind: 'tools', tools, parallel: options.parallel ?? PARALLEL_CALLS }
  const approveSpec: ApproveSpec = {
    kind: 'approve',
    tools: approved,
    ...(options.show === undefined ? {} : { show: options.show }),
    ...(options.expiresMs === undefined ? {} : { expiresMs: options.expiresMs }),
  }
  const failures = (kind: 'model' | 'tool' | 'human'): readonly Edge[] => failureEdges(site, kind, options.onError)
  const states = {
    asking: effectNode(innerSite(site, 'asking'), 'model', modelSpec(site, { ...options, maxVisits: options.maxVisits ?? MAX_TURNS }, tools), {
      onDone: [...names.map((name) => call(name, approving)), call(undefined, acting), { target: done }],
      onError: failures('model'),
    }),
    ...(names.length === 0
      ? {}
      : {
          approving: effectNode(innerSite(site, 'approving'), 'approve', approveSpec, {
            onDone: [decided('approved', acting), decided('rejected', asking)],
            onError: failures('human'),
          }),
        }),
    acting: effectNode(innerSite(site, 'acting'), 'tools', toolsSpec, { onDone: [{ target: asking }], onError: failures('tool') }),
    done: innerDone(),
  }
  const save = saveName(options.save)
  return {
    ...(options.description === undefined ? {} : { description: options.description }),
    meta: { kind: 'loop', ...(save === undefined ? {} : { save }) },
    tags: ['loop'],
    initial: 'asking',
    states,
    onDone: doneEdges(site, options.onDone, saveActions(site, options.save), options.output),
  }
}
