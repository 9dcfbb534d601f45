// `t.raw` takes any XState state node. Its targets resolve like those of every other state and are made absolute; actors
// written inline get a name, so that a machine loaded elsewhere finds them.
import type { AnyEventObject, EventObject, MetaObject, ParameterizedObject, ProvidedActor, StateNodeConfig } from 'xstate'
import { report, targetOf, type NodeConfig, type Scope, type Site } from '../build.ts'
import type { Env } from '../env.ts'
import { effectOf } from '../source.ts'
import type { State } from '../state.ts'
import type { RunView } from '../view.ts'
import { checkedInitial, scopeOf } from './group.ts'

type RawContext<X extends Env> = X['view'] & { readonly $run: RunView }
type RawEvent<X extends Env> = [X['events']] extends [never] ? AnyEventObject : X['events'] | { type: `xstate.done.${string}`; output: unknown } | { type: `xstate.error.${string}`; error: unknown }

/** An XState state node that sees the agent's context and events. */
export type RawConfig<X extends Env> = StateNodeConfig<RawContext<X>, RawEvent<X>, ProvidedActor, ParameterizedObject, ParameterizedObject, string, string, unknown, EventObject, MetaObject>

type NameOf<T> = T extends `#${string}` | `.${string}` ? never : T extends `${infer First}.${string}` ? First : T
type TargetIn<T> = T extends string ? NameOf<T> : T extends readonly (infer Each)[] ? TargetIn<Each> : T extends { readonly target: infer Target } ? TargetIn<Target> : never
type ValuesIn<T> = T extends object ? TargetIn<T[keyof T]> : never
type InvokeTargets<I> = I extends readonly (infer Each)[] ? InvokeTargets<Each> : (I extends { readonly onDone: infer D } ? TargetIn<D> : never) | (I extends { readonly onError: infer F } ? TargetIn<F> : never)
type RawTargets<C> =
  | (C extends { readonly on: infer On } ? ValuesIn<On> : never)
  | (C extends { readonly after: infer After } ? ValuesIn<After> : never)
  | (C extends { readonly always: infer Always } ? TargetIn<Always> : never)
  | (C extends { readonly onDone: infer Done } ? TargetIn<Done> : never)
  | (C extends { readonly invoke: infer Invoke } ? InvokeTargets<Invoke> : never)

/** The method `t.raw`. */
export type RawMethod<X extends Env> = <const C extends RawConfig<X>>(config: C) => State<'raw', RawTargets<C> extends infer T ? (C extends { readonly states: infer S } ? Exclude<T, keyof S> : T) & string : never>

type Loose = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The absolute form of one target. `inner` are the node's own states, for `.child`. */
const absolute = (site: Site, target: unknown, own: Scope, where: string): unknown => {
  if (typeof target !== 'string') return target
  if (target.startsWith('#')) return target.startsWith(`#${site.build.setup.id}.`) ? absolutePath(site, target, where) : target
  const [first = '', ...rest] = target.replace(/^\./, '').split('.')
  const found = targetOf(target.startsWith('.') ? { ...site, scope: { targets: own.targets } } : site, first, where)
  return found === undefined ? undefined : [found, ...rest].join('.')
}

const absolutePath = (site: Site, target: string, where: string): unknown => {
  const [first = '', ...rest] = target.slice(site.build.setup.id.length + 2).split('.')
  const found = targetOf({ ...site, scope: site.build.top }, first, where)
  return found === undefined ? undefined : [found, ...rest].join('.')
}

const transition = (site: Site, own: Scope, value: unknown, where: string): unknown => {
  if (Array.isArray(value)) return value.map((each: unknown) => transition(site, own, each, where))
  if (typeof value === 'string') return { target: absolute(site, value, own, where) }
  if (!isObject(value) || value['target'] === undefined) return value
  const { target } = value
  return { ...value, target: Array.isArray(target) ? target.map((each: unknown) => absolute(site, each, own, where)) : absolute(site, target, own, where) }
}

const transitions = (site: Site, own: Scope, map: unknown, where: string): unknown =>
  isObject(map) ? Object.fromEntries(Object.entries(map).map(([event, value]) => [event, transition(site, own, value, `${where}.${event}`)])) : map

const invocation = (site: Site, own: Scope, config: Loose, name: string): Loose => {
  const { src } = config
  const effect = effectOf(src)
  const source = typeof src === 'string' ? src : `${effect?.kind ?? 'actor'}:${name}`
  if (typeof src !== 'string') site.build.actors[source] = src
  return {
    ...config,
    id: config['id'] ?? name,
    src: source,
    ...(config['onDone'] === undefined ? {} : { onDone: transition(site, own, config['onDone'], 'invoke.onDone') }),
    ...(config['onError'] === undefined ? {} : { onError: transition(site, own, config['onError'], 'invoke.onError') }),
  }
}

const invocations = (site: Site, own: Scope, invoke: unknown): unknown => {
  const all: readonly unknown[] = [invoke].flat()
  if (!all.every(isObject)) return report(site, 'invoke must be { src, onDone, onError }, or a list of such.')
  const named = all.map((each, index) => invocation(site, own, each, index === 0 ? site.path : `${site.path}-${index + 1}`))
  return Array.isArray(invoke) ? named : named[0]
}

const kindOf = (invoke: unknown): string => effectOf(isObject(invoke) ? invoke['src'] : undefined)?.kind ?? 'raw'

/** Compiles `t.raw`, and the states inside it. */
export const compileRaw = (site: Site, config: Loose): NodeConfig => {
  const states = isObject(config['states']) ? config['states'] : {}
  const own = rawScope(site, states)
  const names = Object.keys(states)
  const node: { [option: string]: unknown } = { ...config }
  node['meta'] = { kind: kindOf(config['invoke']), ...(isObject(config['meta']) ? config['meta'] : {}) }
  for (const key of ['on', 'after']) if (config[key] !== undefined) node[key] = transitions(site, own, config[key], key)
  for (const key of ['always', 'onDone']) if (config[key] !== undefined) node[key] = transition(site, own, config[key], key)
  if (config['invoke'] !== undefined) node['invoke'] = invocations(site, own, config['invoke'])
  if (names.length > 0 && config['type'] !== 'parallel') node['initial'] = typeof config['initial'] === 'object' ? config['initial'] : checkedInitial(site, config['initial'], states)
  if (names.length > 0) node['states'] = Object.fromEntries(names.map((name) => [name, compileInner({ ...site, path: `${site.path}.${name}`, scope: own }, states[name])]))
  return node
}

const compileInner = (site: Site, config: unknown): NodeConfig => {
  if (isObject(config) && 'kind' in config && 'options' in config) return site.build.compile(config, site)
  if (isObject(config)) return compileRaw(site, config)
  report(site, 'A state inside t.raw must be an XState state node or a state of the builder.')
  return {}
}

const rawScope = (site: Site, states: Loose): Scope => {
  const { targets } = scopeOf(site.build.setup.id, states, site.path)
  const ids = Object.entries(states).map(([name, state]): [string, string] => [name, isObject(state) && typeof state['id'] === 'string' ? `#${state['id']}` : (targets.get(name) ?? '')])
  return { targets: new Map(ids), up: site.scope }
}
