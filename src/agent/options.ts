// Which options each kind of state has. Authors without a compiler learn of a misspelt or missing one at creation.
import { report, type Site } from './build.ts'
import { suggest } from './nearest.ts'
import type { StateKind } from './state.ts'

interface OptionNames {
  readonly required: readonly string[]
  readonly optional: readonly string[]
}

const effect = ['description', 'onError', 'maxVisits', 'retry', 'timeout']
const row = (required: readonly string[], optional: readonly string[] = []): OptionNames => ({ required, optional: [...effect, ...optional] })

const OPTIONS: { readonly [K in Exclude<StateKind, 'raw'>]: OptionNames } = {
  model: row(['prompt', 'onDone'], ['vars', 'output', 'save', 'tools', 'onTools', 'thread', 'repairs']),
  tools: row(['onDone'], ['tools', 'parallel', 'save']),
  tool: row(['name', 'args', 'onDone'], ['save']),
  retrieve: row(['name', 'query', 'onDone'], ['k', 'save']),
  rerank: row(['name', 'query', 'documents', 'onDone'], ['k', 'save']),
  fallback: row(['alternatives', 'onDone'], ['prompt', 'vars', 'output', 'save', 'repairs']),
  decide: row(['prompt', 'on'], ['vars', 'repairs']),
  approve: row(['onApproved', 'onRejected'], ['show', 'expiresMs', 'tools', 'call']),
  human: row(['on'], ['show', 'expiresMs']),
  loop: row(['prompt', 'tools', 'onDone'], ['vars', 'output', 'save', 'thread', 'repairs', 'parallel', 'approve']),
  agent: row(['name', 'input', 'onDone'], ['save']),
  each: row(['name', 'items', 'onDone'], ['concurrency', 'maxItems', 'save']),
  code: row(['run', 'onDone'], ['output', 'idempotent', 'save']),
  wait: row(['ms', 'onDone'], ['save']),
  choose: { required: ['cases', 'else'], optional: ['description'] },
  group: { required: ['initial', 'states', 'onDone'], optional: ['description'] },
  region: { required: ['initial', 'states'], optional: ['description'] },
  parallel: { required: ['states', 'onDone'], optional: ['description'] },
  final: { required: [], optional: ['description', 'output', 'outcome'] },
}

/** Options that the builder adds to those of the author. */
const ADDED = new Set(['model', 'name', 'alternatives'])

/** Reports options that are missing or that the kind of state does not have. */
export const checkOptions = (site: Site, kind: Exclude<StateKind, 'raw'>, options: object): void => {
  const { required, optional } = OPTIONS[kind]
  const known = [...required, ...optional].filter((name) => !ADDED.has(name))
  for (const name of Object.keys(options)) if (!ADDED.has(name) && !known.includes(name)) report(site, `A ${kind} state has no option '${name}'.${suggest(name, known)}`)
  for (const name of required) if ((options as { readonly [name: string]: unknown })[name] === undefined) report(site, `A ${kind} state needs the option '${name}'.`)
}
