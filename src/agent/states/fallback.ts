// `t.fallback`: alternatives in order, each a visible state: models, a stale answer of theirs, and at last perhaps a fixed
// value. What fails in one goes on to the next; what fails in the last one is the failure of the whole.
import type { Infer, Schema } from '../../schema/index.ts'
import { effectNode, report, type Edge, type NodeConfig, type Site } from '../build.ts'
import type { DeepReadonly, Env } from '../env.ts'
import { doneEdges, type Next, type NextTargets } from '../next.ts'
import type { OptionOf } from '../options.ts'
import type { Given, PromptInput, PromptOptions } from '../prompt-option.ts'
import { checkRoutes, failureEdges, type OnErrorIf, type Routes, type RouteTargets } from '../routes.ts'
import { saveActions, saveName, type FieldFor, type SaveFunction } from '../save.ts'
import type { State } from '../state.ts'
import { innerDone, innerSite, innerTarget } from './group.ts'
import { modelFor, modelSpec } from './model.ts'
import type { ModelSpec } from '../spec.ts'
import type { CacheOptions, CallOptions, Erased, ParamOptions } from './options.ts'

/**
 * One alternative: a model; what the cache still holds of an answer of these models to the same request, even past its
 * time to live; or a fixed value, which cannot fail.
 */
export type Alternative<X extends Env> = X['models'] | { readonly stale: true } | { readonly value: unknown }

type ValuesFit<A extends readonly unknown[], O> = {
  [I in keyof A]: A[I] extends { readonly value: infer V } ? ([V] extends [DeepReadonly<O>] ? unknown : { readonly 'this value does not match the output': DeepReadonly<O> }) : unknown
}

type CanFail<A> = A extends readonly [...unknown[], { readonly value: unknown }] ? false : true

/** The method `t.fallback`. */
export type FallbackMethod<X extends Env> = <
  const A extends readonly Alternative<X>[],
  P extends PromptInput<X>,
  const G extends OptionOf<'fallback'>,
  const N extends Next<X, Infer<S>>,
  S extends Schema = Schema<string>,
  const E extends Routes<'model'> = {},
>(
  alternatives: A & ValuesFit<A, Infer<S>>,
  options: CallOptions &
    ParamOptions &
    CacheOptions &
    PromptOptions<X, P, G> & {
      /** What the reply must be. Default: its text. */
      readonly output?: S
      /** A context field that accepts the output, or a pure function to the fields that change. Default: nothing is saved. */
      readonly save?: FieldFor<X, Infer<S>> | SaveFunction<X, Infer<S>>
      /** Where the run goes with the first output that an alternative gave. */
      readonly onDone: N
    } & Given<G> &
    OnErrorIf<CanFail<A>, X, 'model', E>,
) => State<'fallback', NextTargets<N> | RouteTargets<E>>

type ErasedAlternative = string | { readonly stale: true } | { readonly value: unknown }

interface FallbackOptions extends Erased {
  readonly alternatives: readonly ErasedAlternative[]
  readonly prompt: unknown
  readonly vars?: unknown
  readonly output?: Schema
  readonly repairs?: number
  readonly passThrough?: ModelSpec['passThrough']
}

const isValue = (alternative: ErasedAlternative | undefined): alternative is { readonly value: unknown } => typeof alternative === 'object' && 'value' in alternative
const isStale = (alternative: ErasedAlternative | undefined): alternative is { readonly stale: true } => typeof alternative === 'object' && 'stale' in alternative

const nameOf = (alternative: ErasedAlternative, index: number): string => {
  if (typeof alternative === 'string') return `${index + 1}-${alternative.replaceAll(/[^\w-]/g, '_')}`
  return `${index + 1}-${isStale(alternative) ? 'stale' : 'value'}`
}

const checkAlternatives = (site: Site, { alternatives, onError, cache }: FallbackOptions): void => {
  const values = alternatives.filter(isValue)
  const stale = alternatives.findIndex(isStale)
  if (stale >= 0 && cache?.staleMs === undefined) report(site, '{ stale: true } finds nothing without cache: { ttlMs, staleMs }, which says how long past their time to live answers are kept.')
  if (stale >= 0 && !alternatives.slice(0, stale).some((alternative) => typeof alternative === 'string'))
    report(site, '{ stale: true } stands for old answers of the models before it, and there is none. Name a model first.')
  if (alternatives.length === 0) report(site, "A fallback needs at least one alternative: t.fallback(['fast', { value: … }], …).")
  if (values.length > 1 || (values.length === 1 && !isValue(alternatives.at(-1)))) report(site, 'A fixed value cannot fail, so nothing after it is ever tried. Put one value at the end.')
  if (values.length === 0) checkRoutes(site, ['model'], onError)
  else if (onError !== undefined) report(site, 'onError is never taken: this fallback ends in a fixed value, which cannot fail. Leave it out.')
}

/** Compiles `t.fallback`. */
export const compileFallback = (site: Site, options: FallbackOptions): NodeConfig => {
  checkAlternatives(site, options)
  const names = options.alternatives.map(nameOf)
  const done: Edge = { target: innerTarget(site, 'done') }
  const alternatives = options.alternatives.map((alternative, index): [string, NodeConfig] => {
    const name = names[index] ?? ''
    const following = names[index + 1]
    if (isValue(alternative)) return [name, { type: 'final', meta: { kind: 'value' }, tags: ['value'], output: alternative.value }]
    const onError: readonly Edge[] =
      following === undefined ? failureEdges(site, 'model', options.onError) : [{ guard: { type: 'stateloop.anyFailure' }, target: innerTarget(site, following), description: '*', meta: { failure: '*' } }]
    const before = options.alternatives.slice(0, index).filter((earlier) => typeof earlier === 'string')
    const model = isStale(alternative) ? before[0] : alternative
    const spec = { ...modelSpec(site, { ...options, model }), filedUnder: site.path, ...(isStale(alternative) ? { staleOf: before.map((earlier) => modelFor(site, { ...options, model: earlier })) } : {}) }
    return [name, effectNode(innerSite(site, name), 'model', spec, { onDone: [done], onError })]
  })
  const asksModel = options.alternatives.some((alternative) => !isValue(alternative))
  const save = saveName(options.save)
  return {
    ...(options.description === undefined ? {} : { description: options.description }),
    meta: { kind: 'fallback', ...(save === undefined ? {} : { save }) },
    tags: ['fallback'],
    initial: names[0] ?? 'done',
    states: { ...Object.fromEntries(alternatives), ...(asksModel || names.length === 0 ? { done: innerDone() } : {}) },
    onDone: doneEdges(site, options.onDone, saveActions(site, options.save), options.output),
  }
}
