// `t.approve`: a person approves, edits or rejects the calls that wait. Without a list of tools it decides about those
// that cannot be undone and those whose calls were routed to it.
import { commonSpec, edgeTo, effectNode, report, type Edge, type NodeConfig, type Site } from '../build.ts'
import type { Args, Env, ToolInput } from '../env.ts'
import { checkRoutes, failureEdges, type OnError, type Routes, type RouteTargets } from '../routes.ts'
import type { ApproveSpec } from '../spec.ts'
import type { State } from '../state.ts'
import type { Tool } from '../../tool/index.ts'
import type { Callback } from '../view.ts'
import { partOf } from './effect.ts'
import { toolsOf } from './model.ts'
import type { Erased, StateOptions } from './options.ts'

/** The method `t.approve`. */
export type ApproveMethod<X extends Env> = <const A extends string, const R extends string, const T extends keyof X['tools'] & string = never, const E extends Routes<'human'> = {}>(
  options: StateOptions & {
    /** What the person is shown beside the calls. Pure. Default: nothing. */
    readonly show?: (args: Args<X>) => unknown
    /** How long to wait before `expired`, milliseconds. Default: for ever. */
    readonly expiresMs?: number
    /** Tools whose calls need a decision. Default: irreversible ones, and those that `onTools` sends here. */
    readonly tools?: readonly (keyof X['tools'] & string)[]
    /** A call the author decided, which a `t.tool` state performs after it. Default: the calls that a model asked for. */
    readonly call?: {
      readonly tool: T
      /** Arguments of the call. Pure. */
      readonly args: (args: Args<X>) => ToolInput<X['tools'][T]>
    }
    /** Usually the tools state. */
    readonly onApproved: A
    /** Usually the model state that asked, which sees the calls as `denied`. */
    readonly onRejected: R
  } & OnError<X, 'human', E>,
) => State<'approve', A | R | RouteTargets<E>>

interface ApproveOptions extends Erased {
  readonly show?: ApproveSpec['show']
  readonly expiresMs?: number
  readonly tools?: unknown
  readonly call?: { readonly tool: string; readonly args: unknown }
  readonly onApproved: unknown
  readonly onRejected: unknown
}

const decidedEdge = (site: Site, value: 'approved' | 'rejected', to: unknown, option: string): Edge => ({
  guard: { type: 'stateloop.outputEquals', params: { value } },
  ...edgeTo(site, to, option),
  description: value,
})

/** The transitions of a decision. */
const decisionEdges = (site: Site, onApproved: unknown, onRejected: unknown): readonly Edge[] => [decidedEdge(site, 'approved', onApproved, 'onApproved'), decidedEdge(site, 'rejected', onRejected, 'onRejected')]

/** The tools an approval decides about: given, or found once every route is known. */
const decidedTools = (site: Site, options: ApproveOptions, target: string): ApproveSpec['tools'] => {
  if (options.call !== undefined) {
    const tool = partOf(site, 'tools', options.call.tool)
    return tool === undefined ? {} : { [options.call.tool]: tool }
  }
  if (options.tools !== undefined) return toolsOf(site, options.tools, 'tools')
  const found: { [name: string]: Tool } = {}
  site.build.later.push(() => {
    const routed = site.build.toolRoutes.get(target)
    for (const [name, tool] of Object.entries(site.build.setup.tools)) if (tool.effect === 'irreversible' || routed?.has(name) === true) found[name] = tool
    if (Object.keys(found).length === 0) report(site, 'This approval has nothing to decide: no tool is irreversible and no onTools leads here. Name tools, or remove the state.')
  })
  return found
}

/** Compiles `t.approve`. */
export const compileApprove = (site: Site, options: ApproveOptions): NodeConfig => {
  checkRoutes(site, ['human'], options.onError)
  const { show, expiresMs, call } = options
  const spec: ApproveSpec = {
    kind: 'approve',
    ...(show === undefined ? {} : { show }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    tools: decidedTools(site, options, `#${site.build.setup.id}.${site.path}`),
    ...(call === undefined ? {} : { call: { name: call.tool, args: call.args as Callback<unknown> } }),
    ...commonSpec({ ...options }),
  }
  return effectNode(site, 'approve', spec, {
    description: options.description,
    onDone: decisionEdges(site, options.onApproved, options.onRejected),
    onError: failureEdges(site, 'human', options.onError),
  })
}
