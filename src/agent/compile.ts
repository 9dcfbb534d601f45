// From states as data to the parts of an XState machine. One table, a row per kind of state; problems are collected, and
// nothing throws before all of them are known.
import { report, type Build, type NodeConfig, type Setup, type Site } from './build.ts'
import { suggest } from './nearest.ts'
import { checkOptions } from './options.ts'
import type { Problem } from './problem.ts'
import { isState, type StateKind } from './state.ts'
import { compileApprove } from './states/approve.ts'
import { compileAgent, compileEach } from './states/child.ts'
import { compileChoose } from './states/choose.ts'
import { compileCode, compileWait } from './states/code.ts'
import { compileCompact } from './states/compact.ts'
import { compileDecide, compileHuman } from './states/events.ts'
import { compileFallback } from './states/fallback.ts'
import { compileFinal } from './states/final.ts'
import { checkedInitial, compileGroup, compileParallel, compileRegion, compileStates, scopeOf } from './states/group.ts'
import { compileLoop } from './states/loop.ts'
import { compileModel } from './states/model.ts'
import { compileRaw } from './states/raw.ts'
import { compileRerank, compileRetrieve } from './states/retrieval.ts'
import { compileTool, compileTools } from './states/tools.ts'
import { emptyRunView } from './view.ts'
import type { MachineParts } from './xstate.ts'

const COMPILERS: { readonly [K in StateKind]: (site: Site, options: never) => NodeConfig } = {
  model: compileModel,
  tools: compileTools,
  tool: compileTool,
  retrieve: compileRetrieve,
  rerank: compileRerank,
  fallback: compileFallback,
  decide: compileDecide,
  compact: compileCompact,
  approve: compileApprove,
  human: compileHuman,
  loop: compileLoop,
  agent: compileAgent,
  each: compileEach,
  code: compileCode,
  choose: compileChoose,
  wait: compileWait,
  group: compileGroup,
  region: compileRegion,
  parallel: compileParallel,
  final: compileFinal,
  raw: compileRaw,
}

const compileState = (state: unknown, site: Site): NodeConfig => {
  if (!isState(state) || !Object.hasOwn(COMPILERS, state.kind)) {
    report(site, 'This is not a state. Make states with the builder: t.model, t.tools, t.final …, or t.raw for an XState state node.')
    return { meta: { kind: 'unknown' } }
  }
  if (state.kind !== 'raw' && !checkOptions(site, state.kind, state.options as { readonly [name: string]: unknown })) {
    site.build.lost = true
    return { meta: { kind: state.kind } }
  }
  return COMPILERS[state.kind](site, state.options as never)
}

/** The states of an agent as its author gives them to `createAgent`. */
export interface Definition {
  readonly initial: string
  readonly states: { readonly [name: string]: unknown }
}

/** A compiled agent: a machine's parts, and what is wrong with it so far. */
export interface Compiled extends MachineParts {
  readonly problems: Problem[]
  /** True when a target could not be guessed: reachability would mislead. */
  readonly lost: boolean
}

/** Makes the first context of a run from its input. XState may call it with none. */
export type ContextFactory = (input: unknown) => object

/** Compiles the states of an agent. */
export const compile = (setup: Setup, version: string | undefined, definition: Definition, context: ContextFactory): Compiled => {
  const states = definition.states ?? {}
  const top = scopeOf(setup.id, states, '')
  const build: Build = { setup, top, actors: {}, guards: {}, saves: {}, problems: [], lost: false, toolRoutes: new Map(), later: [], compile: compileState }
  const nodes = compileStates(build, states, '', top)
  const initial = checkedInitial({ build, path: '', scope: top }, definition.initial, states)
  if (setup.onFailure !== undefined && !Object.hasOwn(states, setup.onFailure)) {
    build.problems.unshift({
      state: '',
      problem: `onFailure is '${setup.onFailure}', which is not one of the states.${suggest(setup.onFailure, Object.keys(states))}`,
    })
  }
  for (const finish of build.later) finish()
  const config: NodeConfig = {
    id: setup.id,
    ...(version === undefined ? {} : { version }),
    meta: { kind: 'agent' },
    initial,
    states: nodes,
    context: ({ input }: { readonly input: unknown }) => ({ ...context(input), $run: emptyRunView }),
    output: ({ event }: { readonly event: { readonly output?: unknown } }) => event.output,
  }
  return { config, actors: build.actors, guards: build.guards, saves: build.saves, problems: build.problems, lost: build.lost }
}
