// Which options each kind of state has, for the types and at creation. Authors without a compiler learn of a misspelt or missing one at creation.
import { report, type Site } from './build.ts'
import { suggest } from './nearest.ts'
import { wrongShape } from './option-shapes.ts'
import type { StateKind } from './state.ts'

const state = ['description', 'onError', 'maxVisits'] as const
const attempt = [...state, 'retry', 'timeout'] as const
const call = [...attempt, 'breaker', 'limiter', 'params', 'providerOptions'] as const
const group = ['description', 'initial', 'states'] as const

/** Options by kind of state. The types of the methods and the check at creation both read this table. */
const OPTIONS = {
  model: [...call, 'cache', 'prompt', 'vars', 'repairs', 'output', 'save', 'tools', 'onTools', 'thread', 'onDone'],
  tools: [...state, 'tools', 'parallel', 'onDone'],
  tool: [...attempt, 'cache', 'args', 'save', 'onDone'],
  retrieve: [...attempt, 'cache', 'query', 'k', 'save', 'onDone'],
  rerank: [...attempt, 'cache', 'query', 'documents', 'k', 'save', 'onDone'],
  fallback: [...call, 'cache', 'prompt', 'vars', 'repairs', 'output', 'save', 'onDone'],
  decide: [...call, 'prompt', 'vars', 'repairs', 'on'],
  compact: [...call, 'thread', 'keep', 'instructions', 'save', 'onDone'],
  approve: [...state, 'show', 'expiresMs', 'tools', 'call', 'onApproved', 'onRejected'],
  human: [...state, 'on', 'show', 'expiresMs'],
  loop: [...call, 'cache', 'prompt', 'vars', 'repairs', 'output', 'save', 'tools', 'thread', 'approve', 'show', 'expiresMs', 'parallel', 'onDone'],
  agent: [...state, 'input', 'save', 'onDone'],
  each: [...state, 'items', 'concurrency', 'maxItems', 'save', 'onDone'],
  code: [...attempt, 'run', 'keyed', 'output', 'idempotent', 'save', 'onDone'],
  wait: [...state, 'ms', 'onDone'],
  choose: ['description', 'cases', 'else'],
  group: [...group, 'save', 'onDone'],
  region: group,
  parallel: ['description', 'states', 'onDone'],
  final: ['description', 'output', 'outcome'],
} as const satisfies { readonly [K in Exclude<StateKind, 'raw'>]: readonly string[] }

/** Names of the options of a kind of state. */
export type OptionOf<K extends keyof typeof OPTIONS> = (typeof OPTIONS)[K][number]

/** Options without a default, wherever a kind has them. */
const REQUIRED: ReadonlySet<string> = new Set(['prompt', 'onDone', 'args', 'query', 'documents', 'on', 'onApproved', 'onRejected', 'input', 'items', 'run', 'ms', 'cases', 'else', 'initial', 'states'])

/** Tools are optional for most kinds, but a loop is about them. */
const isRequired = (kind: StateKind, name: string): boolean => REQUIRED.has(name) || (kind === 'loop' && name === 'tools') || (kind === 'compact' && name === 'thread')

/** Options that the builder adds to those of the author. */
const ADDED = new Set(['model', 'name', 'alternatives', 'passThrough'])

/**
 * Reports options that are missing, of the wrong shape, or that the kind of state does not have.
 * @returns whether the state can be compiled.
 */
export const checkOptions = (site: Site, kind: Exclude<StateKind, 'raw'>, options: { readonly [name: string]: unknown }): boolean => {
  const known: readonly string[] = OPTIONS[kind]
  for (const name of Object.keys(options)) if (!ADDED.has(name) && !known.includes(name)) report(site, `A ${kind} state has no option '${name}'.${suggest(name, known)}`)
  const missing = known.filter((name) => isRequired(kind, name) && options[name] === undefined)
  for (const name of missing) report(site, `A ${kind} state needs the option '${name}'.`)
  const wrong = Object.entries(options).flatMap(([name, value]) => wrongShape(kind, name, value) ?? [])
  for (const problem of wrong) report(site, problem)
  return missing.length === 0 && wrong.length === 0
}
