// `t.human` waits for one of the declared events; `t.decide` lets a model pick one that is legal. Both lead on by event.
import { toJsonSchema } from '../../schema/index.ts'
import { commonSpec, edgeTo, effectNode, report, type Edge, type Guard, type NodeConfig, type Site } from '../build.ts'
import type { Args, Env } from '../env.ts'
import { suggest } from '../nearest.ts'
import type { OptionOf } from '../options.ts'
import { toPrompt, type Given, type PromptInput, type PromptOptions } from '../prompt-option.ts'
import { checkRoutes, failureEdges, type OnError, type Routes, type RouteTargets } from '../routes.ts'
import { eventSave } from '../save.ts'
import type { DecideSpec, HumanSpec } from '../spec.ts'
import type { State } from '../state.ts'
import { threadMessages } from '../thread-reader.ts'
import { modelFor } from './model.ts'
import type { CallOptions, Erased, ParamOptions, StateOptions } from './options.ts'

/** What callbacks of an event get. */
export type EventArgs<X extends Env, K> = Args<X> & { readonly event: Extract<X['events'], { readonly type: K }> }

/** Where an event leads, and what it changes. */
export interface EventRoute<X extends Env, K, T extends string> {
  readonly to: T
  /** What taking it means; a deciding model reads this. */
  readonly description?: string
  /** Whether the event is legal now. Pure; must not throw. */
  readonly when?: (args: EventArgs<X, K>) => boolean
  /** Pure function to the context fields that change. */
  readonly save?: (args: EventArgs<X, K>) => Partial<X['context']>
}

/** A state, or a route, for each event that is accepted. */
export type EventRoutes<X extends Env, T extends string> = { readonly [K in X['events']['type']]?: T | EventRoute<X, K, T> }

/** The method `t.human`. */
export type HumanMethod<X extends Env> = <const T extends string, const E extends Routes<'human'> = {}>(
  options: StateOptions & {
    /** Declared event → state. */
    readonly on: EventRoutes<X, T>
    /** What the person is shown. Pure. Default: nothing. */
    readonly show?: (args: Args<X>) => unknown
    /** How long to wait before `expired`, milliseconds. Default: for ever. */
    readonly expiresMs?: number
  } & OnError<X, 'human', E>,
) => State<'human', T | RouteTargets<E>>

/** The method `t.decide`. */
export type DecideMethod<X extends Env> = <P extends PromptInput<X>, const T extends string, const G extends OptionOf<'decide'>, const E extends Routes<'model'> = {}>(
  model: X['models'],
  options: CallOptions &
    ParamOptions &
    PromptOptions<X, P, G> & {
      /** Declared event → state. The model picks one of those that are legal now. */
      readonly on: EventRoutes<X, T>
    } & Given<G> &
    OnError<X, 'model', E>,
) => State<'decide', T | RouteTargets<E>>

interface ErasedRoute {
  readonly to: string
  readonly description?: string
  readonly when?: (args: never) => boolean
  readonly save?: (args: never) => object
}

type ErasedRoutes = readonly (readonly [event: string, route: ErasedRoute])[]

const routesOf = (site: Site, on: unknown): ErasedRoutes => {
  const { events } = site.build.setup
  const routes = Object.entries(on as { readonly [event: string]: string | ErasedRoute })
  if (routes.length === 0) report(site, 'on must name at least one event that leads on.')
  for (const [event] of routes) if (!Object.hasOwn(events, event)) report(site, `on names '${event}', which is not declared in setupAgent({ events }).${suggest(event, Object.keys(events))}`)
  return routes.map(([event, route]) => [event, typeof route === 'string' ? { to: route } : route])
}

const whenGuard = (site: Site, event: string, when: (args: never) => boolean): Pick<Edge, 'guard'> => {
  const type = `${site.path}/${event}`
  const guard = ({ context, event: sent }: { readonly context: unknown; readonly event: unknown }): boolean => when({ context, event: sent, messages: threadMessages } as never)
  site.build.guards[type] = guard as Guard
  return { guard: { type } }
}

const eventEdges = (site: Site, routes: ErasedRoutes): { readonly [event: string]: readonly Edge[] } =>
  Object.fromEntries(
    routes.map(([event, { to, description, when, save }]) => {
      const actions = eventSave(site, event, save)
      const edge: Edge = {
        ...(when === undefined ? {} : whenGuard(site, event, when)),
        ...edgeTo(site, to, `on.${event}`),
        ...(actions.length === 0 ? {} : { actions }),
        ...(description === undefined ? {} : { description }),
      }
      return [event, [edge]]
    }),
  )

/** Compiles `t.human`. */
export const compileHuman = (site: Site, options: Erased & { readonly on: unknown; readonly show?: HumanSpec['show']; readonly expiresMs?: number }): NodeConfig => {
  checkRoutes(site, ['human'], options.onError)
  const routes = routesOf(site, options.on)
  const { show, expiresMs } = options
  const spec: HumanSpec = {
    kind: 'human',
    ...(show === undefined ? {} : { show }),
    ...(expiresMs === undefined ? {} : { expiresMs }),
    accepts: routes.map(([event]) => event),
    ...commonSpec({ ...options }),
  }
  return effectNode(site, 'human', spec, {
    description: options.description,
    on: eventEdges(site, routes),
    onError: failureEdges(site, 'human', options.onError),
  })
}

/** Compiles `t.decide`. */
export const compileDecide = (site: Site, options: Erased & { readonly model: unknown; readonly prompt: unknown; readonly vars?: unknown; readonly on: unknown; readonly repairs?: number }): NodeConfig => {
  checkRoutes(site, ['model'], options.onError)
  const routes = routesOf(site, options.on)
  const { events } = site.build.setup
  const candidates = routes.flatMap(([event, { description }]) => {
    const payload = Object.hasOwn(events, event) ? events[event] : undefined
    return payload === undefined ? [] : [[event, { description: description ?? String(toJsonSchema(payload, `event ${event}`)['description'] ?? ''), payload }] as const]
  })
  const spec: DecideSpec = {
    kind: 'decide',
    model: modelFor(site, options),
    ...toPrompt(options.prompt, options.vars),
    events: Object.fromEntries(candidates),
    repairs: options.repairs ?? 1,
    ...commonSpec({ ...options }),
  }
  return effectNode(site, 'decide', spec, {
    description: options.description,
    on: eventEdges(site, routes),
    onError: failureEdges(site, 'model', options.onError),
  })
}
