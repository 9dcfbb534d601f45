// What compiling an agent works on: the parts the author set up, the implementations collected on the way, and the
// problems found. Targets resolve lexically: a state's siblings first, then outwards; compiled targets are absolute.
import type { Json } from '../failure/index.ts'
import type { Schema } from '../schema/index.ts'
import type { Reranker, Retriever, Tool } from '../tool/index.ts'
import type { Agent } from './agent.ts'
import { suggest } from './nearest.ts'
import type { Problem } from './problem.ts'
import { effectSource } from './source.ts'
import type { EffectKind, EffectSpec, ModelRef } from './spec.ts'

/** A guard or action by name, as JSON. */
export interface Named {
  readonly type: string
  readonly params?: { readonly [name: string]: Json }
}

/** One transition of a compiled machine. */
export interface Edge {
  readonly target?: string
  readonly reenter?: true
  readonly guard?: Named
  readonly actions?: readonly Named[]
  readonly description?: string
  readonly meta?: { readonly failure: string }
}

/** One state of a compiled machine: JSON, but for a final state's output and what an author puts into `t.raw`. */
export interface NodeConfig {
  readonly [option: string]: unknown
  readonly states?: { readonly [name: string]: NodeConfig }
}

/** What an author set up, with defaults filled in. */
export interface Setup {
  readonly id: string
  readonly models: { readonly [alias: string]: ModelRef }
  readonly tools: { readonly [name: string]: Tool }
  readonly retrievers: { readonly [name: string]: Retriever }
  readonly rerankers: { readonly [name: string]: Reranker }
  readonly agents: { readonly [name: string]: Agent }
  readonly events: { readonly [type: string]: Schema }
  /** Names of the context fields that may be saved; undefined when the schema does not show them. */
  readonly fields: readonly string[] | undefined
  readonly onFailure: string | undefined
}

/** A guard or an assignment as an implementation. */
export type Guard = (args: never, params: never) => boolean
export type Save = (args: { readonly context: never; readonly event: { readonly type: string; readonly output?: unknown } }) => object

/** Names that a state can lead to, with the absolute target of each. */
export interface Scope {
  readonly targets: ReadonlyMap<string, string>
  readonly up?: Scope
}

/** An agent being compiled. */
export interface Build {
  readonly setup: Setup
  readonly top: Scope
  readonly actors: { [source: string]: unknown }
  readonly guards: { [name: string]: Guard }
  readonly saves: { [name: string]: Save }
  readonly problems: Problem[]
  /** True when a target could not even be guessed, so that what the graph says would mislead. */
  lost: boolean
  /** Tools whose calls lead to an approval, by its target. */
  readonly toolRoutes: Map<string, Set<string>>
  /** Runs once every state is compiled. */
  readonly later: (() => void)[]
  readonly compile: (state: unknown, site: Site) => NodeConfig
}

/** Where in the agent something is compiled. */
export interface Site {
  readonly build: Build
  /** State path with dots. */
  readonly path: string
  readonly scope: Scope
}

/** Notes a problem of a state. */
export const report = (site: Site, problem: string): void => void site.build.problems.push({ state: site.path, problem })

const namesIn = (scope: Scope | undefined): readonly string[] => (scope === undefined ? [] : [...scope.targets.keys(), ...namesIn(scope.up)])

const lookUp = (scope: Scope | undefined, name: string): string | undefined => (scope === undefined ? undefined : (scope.targets.get(name) ?? lookUp(scope.up, name)))

/**
 * The absolute target of a name.
 * @returns a likely one after reporting a name that does not exist, so that one typo is not reported twice.
 */
export const targetOf = (site: Site, name: unknown, where: string): string | undefined => {
  const found = typeof name === 'string' ? lookUp(site.scope, name) : undefined
  if (found !== undefined) return found
  const names = [...new Set(namesIn(site.scope))]
  const shown = typeof name === 'string' ? name : `a value of type ${typeof name}`
  const guess = suggest(shown, names)
  report(site, `${where} leads to '${shown}', which is not a state here.${guess}`)
  const meant = /^ Did you mean '(.*)'\?$/.exec(guess)?.[1]
  if (meant === undefined) site.build.lost = true
  return meant === undefined ? undefined : lookUp(site.scope, meant)
}

/** An edge that leads somewhere. XState enters a state again from itself only when told to. */
export const edgeTo = (site: Site, name: unknown, where: string): Edge => {
  const target = targetOf(site, name, where)
  if (target === undefined) return {}
  return target === `#${site.build.setup.id}.${site.path}` ? { target, reenter: true } : { target }
}

const addEffect = (site: Site, kind: EffectKind, spec: EffectSpec | undefined): string => {
  const source = `${kind}:${site.path}`
  if (spec !== undefined) site.build.actors[source] = effectSource(spec)
  return source
}

/** What every effect state has. */
export interface EffectParts {
  readonly description?: string | undefined
  readonly onDone?: readonly Edge[]
  readonly onError: readonly Edge[]
  readonly on?: { readonly [type: string]: readonly Edge[] }
  /** Context field that the output is saved to, or `"(function)"`. */
  readonly save?: string | undefined
}

/** The node of a state that performs an effect. `spec` is undefined after a problem with it was reported. */
export const effectNode = (site: Site, kind: EffectKind, spec: EffectSpec | undefined, { description, onDone, onError, on, save }: EffectParts): NodeConfig => ({
  ...(description === undefined ? {} : { description }),
  meta: { kind, ...(save === undefined ? {} : { save }) },
  tags: [kind],
  invoke: { id: site.path, src: addEffect(site, kind, spec), ...(onDone === undefined ? {} : { onDone }), onError },
  ...(on === undefined ? {} : { on }),
})

/** Options that every effect state has; durations in milliseconds. */
export const commonSpec = (options: { readonly [name: string]: unknown }): object =>
  Object.fromEntries(['maxVisits', 'retry', 'timeout', 'cache', 'breaker', 'limiter'].filter((name) => options[name] !== undefined).map((name) => [name, options[name]]))
