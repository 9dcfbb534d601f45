// `t.group` nests states, `t.parallel` runs regions side by side. A name that a group does not have is looked up around
// it. A region has no `onDone` of its own: leaving early would stop its siblings, so the parallel state waits for all.
import { report, type Build, type NodeConfig, type Scope, type Site } from '../build.ts'
import type { Args, Env } from '../env.ts'
import { nearest, suggest } from '../nearest.ts'
import { doneEdges, type Cases, type Next, type NextTargets } from '../next.ts'
import { saveActions, saveName, type FieldFor, type SaveFunction } from '../save.ts'
import { isState, type Escapes, type FinalOutput, type State, type States } from '../state.ts'

interface Described {
  /** One sentence for charts. Default: none. */
  readonly description?: string
}

/** The method `t.group`. */
export type GroupMethod<X extends Env> = <const S extends States, const N extends Next<X, FinalOutput<S[keyof S]>>>(
  options: Described & {
    /** The state that the group begins in. */
    readonly initial: NoInfer<keyof S & string>
    /** States of the group by name; they may also lead to states beside the group. */
    readonly states: S
    /** A context field that accepts the output of the group's final states, or a pure function. Default: nothing is saved. */
    readonly save?: FieldFor<X, FinalOutput<S[keyof S]>> | SaveFunction<X, FinalOutput<S[keyof S]>>
    /** Where the group leads once one of its final states is reached. */
    readonly onDone: N
  },
) => State<'group', NextTargets<N> | Escapes<S>>

/** The method `t.region`. */
export type RegionMethod = <const S extends States>(
  options: Described & {
    /** The state that the region begins in. */
    readonly initial: NoInfer<keyof S & string>
    /** States of the region by name. */
    readonly states: S
  },
) => State<'region', Escapes<S>>

/** The method `t.parallel`. */
export type ParallelMethod<X extends Env> = <const S extends { readonly [name: string]: { readonly kind: 'region' } }, const N extends string | Cases<Args<X>>>(
  options: Described & {
    /** Regions by name, made with `t.region`. */
    readonly states: S
    /** Where it leads once every region has reached a final state. */
    readonly onDone: N
  },
) => State<'parallel', NextTargets<N> | Escapes<S>>

const NAME = /^[A-Za-z0-9_][\w-]*$/

const targetsIn = (id: string, states: { readonly [name: string]: unknown }, path: string): ReadonlyMap<string, string> =>
  new Map(
    Object.entries(states).map(([name, state]) => {
      const own = isState(state) && state.kind === 'raw' ? (state.options as { readonly id?: unknown }).id : undefined
      return [name, typeof own === 'string' ? `#${own}` : `#${[id, ...(path === '' ? [] : [path]), name].join('.')}`]
    }),
  )

/** The names that the states of one level can lead to. @param id the agent's. */
export const scopeOf = (id: string, states: unknown, path: string, up?: Scope): Scope => {
  const own = { targets: targetsIn(id, (states ?? {}) as { readonly [name: string]: unknown }, path) }
  return up === undefined ? own : { ...own, up }
}

/** Compiles the states of one level. */
export const compileStates = (build: Build, states: unknown, path: string, scope: Scope): { readonly [name: string]: NodeConfig } =>
  Object.fromEntries(
    Object.entries((states ?? {}) as { readonly [name: string]: unknown }).map(([name, state]) => {
      const site: Site = { build, path: path === '' ? name : `${path}.${name}`, scope }
      if (!NAME.test(name)) report(site, `'${name}' cannot be the name of a state. Use letters, digits, _ and -.`)
      return [name, build.compile(state, site)]
    }),
  )

/** A first state that exists, after reporting one that does not. */
export const checkedInitial = (site: Site, initial: unknown, states: { readonly [name: string]: unknown }): string => {
  const names = Object.keys(states)
  if (typeof initial === 'string' && names.includes(initial)) return initial
  report(site, `initial is '${String(initial)}', which is not one of the states.${suggest(String(initial), names)}`)
  const meant = nearest(String(initial), names)
  if (meant === undefined) site.build.lost = true
  return meant ?? names[0] ?? ''
}

interface GroupOptions extends Described {
  readonly initial?: unknown
  readonly states?: { readonly [name: string]: unknown }
  readonly save?: unknown
  readonly onDone?: unknown
}

const described = ({ description }: Described): Described => (description === undefined ? {} : { description })

const inside = (site: Site, states: GroupOptions['states']): NodeConfig => ({
  states: compileStates(site.build, states, site.path, scopeOf(site.build.setup.id, states, site.path, site.scope)),
})

/** Compiles `t.group`. */
export const compileGroup = (site: Site, options: GroupOptions): NodeConfig => {
  const save = saveName(options.save)
  return {
    ...described(options),
    meta: { kind: 'group', ...(save === undefined ? {} : { save }) },
    tags: ['group'],
    initial: checkedInitial(site, options.initial, options.states ?? {}),
    ...inside(site, options.states),
    onDone: doneEdges(site, options.onDone, saveActions(site, options.save)),
  }
}

/** Compiles `t.region`. */
export const compileRegion = (site: Site, options: GroupOptions): NodeConfig => ({
  ...described(options),
  meta: { kind: 'region' },
  tags: ['region'],
  initial: checkedInitial(site, options.initial, options.states ?? {}),
  ...inside(site, options.states),
})

/** Compiles `t.parallel`. */
export const compileParallel = (site: Site, options: GroupOptions): NodeConfig => {
  for (const [name, region] of Object.entries(options.states ?? {}))
    if (!isState(region) || region.kind !== 'region') report(site, `'${name}' is not a region. Each state of a parallel state is a t.region({ initial, states }).`)
  return {
    ...described(options),
    type: 'parallel',
    meta: { kind: 'parallel' },
    tags: ['parallel'],
    ...inside(site, options.states),
    onDone: doneEdges(site, options.onDone, []),
  }
}

/** The absolute target of a state that a compiled group has inside. */
export const innerTarget = (site: Site, name: string): string => `#${site.build.setup.id}.${site.path}.${name}`

/** Where something inside a compiled group is compiled: its own path, the names of the world around it. */
export const innerSite = (site: Site, name: string): Site => ({ ...site, path: `${site.path}.${name}` })

/** The final state of a compiled group: it passes on the output of the effect before it. */
export const innerDone = (): NodeConfig => ({
  type: 'final',
  meta: { kind: 'final', outcome: 'done' },
  tags: ['final'],
  output: ({ event }: { readonly event: { readonly output?: unknown } }) => event.output,
})
