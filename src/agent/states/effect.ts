// The node of a state that performs one effect: its transitions from `onDone`, `save` and `onError`.
import { FAILURE_KIND_OF, type EffectKind, type EffectSpec } from '../spec.ts'
import { effectNode, report, type EffectParts, type NodeConfig, type Site } from '../build.ts'
import { suggest } from '../nearest.ts'
import { doneEdges } from '../next.ts'
import { checkRoutes, failureEdges } from '../routes.ts'
import { saveActions, saveName } from '../save.ts'
import type { Schema } from '../../schema/index.ts'
import type { Reranker, Retriever, Tool } from '../../tool/index.ts'
import type { Agent } from '../agent.ts'
import type { Erased } from './options.ts'

interface PartsByName {
  readonly tools: Tool
  readonly retrievers: Retriever
  readonly rerankers: Reranker
  readonly agents: Agent
}

/** A part of the agent by name, or undefined after reporting that there is none. */
export const partOf = <K extends keyof PartsByName>(site: Site, what: K, name: unknown): PartsByName[K] | undefined => {
  const all: { readonly [name: string]: PartsByName[keyof PartsByName] } = site.build.setup[what]
  const key = String(name)
  if (Object.hasOwn(all, key)) return all[key] as PartsByName[K]
  report(site, `'${key}' is not one of the ${what} of setupAgent.${suggest(key, Object.keys(all))}`)
  return undefined
}

/** Compiles a state whose effect completes with an output. `spec` is undefined after a problem with it was reported. */
export const effectState = (site: Site, kind: EffectKind, spec: EffectSpec | undefined, options: Erased, output?: Schema): NodeConfig => {
  const failures = FAILURE_KIND_OF[kind]
  checkRoutes(site, [failures], options.onError)
  const parts: EffectParts = {
    description: options.description,
    onDone: doneEdges(site, options.onDone, saveActions(site, options.save), output),
    onError: failureEdges(site, failures, options.onError),
    save: saveName(options.save),
  }
  return effectNode(site, kind, spec, parts)
}
