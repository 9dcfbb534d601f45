// Where a completed effect leads: to one state, by the value of an output field, or by conditions in order. The types
// make a match exhaustive; the same is checked again from the schema when the agent is created.
import { toJsonSchema, type Schema } from '../schema/index.ts'
import { edgeTo, report, type Edge, type Guard, type Named, type Site } from './build.ts'
import type { Args, DoneArgs, Env } from './env.ts'
import { suggest } from './nearest.ts'
import { threadMessages } from './thread-reader.ts'

/** The values of a field as text, when they are a closed set of strings or booleans. */
type ValuesOf<V> = [V] extends [boolean] ? `${V}` : [V] extends [string] ? (string extends V ? never : V) : never

// Nothing is known of an output that is `unknown`, and of one that is inferred from a function, not yet.
type Matches<O> = unknown extends O
  ? { readonly match: string; readonly to: { readonly [value: string]: string } }
  : [O] extends [readonly unknown[]]
    ? never
    : [O] extends [object]
      ? {
          [F in keyof O & string]-?: [ValuesOf<O[F]>] extends [never]
            ? never
            : {
                /** An output field with a closed set of values. */
                readonly match: F
                /** A state for each value. */
                readonly to: { readonly [V in ValuesOf<O[F]>]: string }
              }
        }[keyof O & string]
      : never

/** A condition and where it leads. */
export interface Case<A> {
  /** Pure; must not throw. */
  readonly when: (args: A) => boolean
  /** Names the edge in charts and traces. */
  readonly label?: string
  readonly to: string
}

/** Conditions in order; the first that holds decides. */
export interface Cases<A> {
  readonly cases: readonly Case<A>[]
  readonly else: string
}

/** The `onDone` option: a state, a match over an output field, or conditions. */
export type Next<X extends Env, O> = string | Matches<O> | Cases<DoneArgs<X, O>>

/** What `t.choose` decides by. */
export type Choice<X extends Env> = Cases<Args<X>>

/** Targets of an `onDone`. */
export type NextTargets<N> = N extends string
  ? N
  : N extends { readonly cases: readonly { readonly to: infer T }[]; readonly else: infer L }
    ? Extract<T | L, string>
    : N extends { readonly to: infer M }
      ? Extract<M[keyof M], string>
      : never

interface ErasedCase {
  readonly when: (args: never) => boolean
  readonly label?: string
  readonly to: string
}
interface ErasedCases {
  readonly cases: readonly ErasedCase[]
  readonly else: string
}
type ErasedNext = string | ErasedCases | { readonly match: string; readonly to: { readonly [value: string]: string } }

/** The values a field can have, when its schema shows a closed set. */
const valuesOf = (output: Schema | undefined, field: string): readonly string[] | undefined => {
  if (output === undefined) return undefined
  try {
    const properties = (toJsonSchema(output)['properties'] ?? {}) as { readonly [name: string]: unknown }
    return closedValues(properties[field])
  } catch {
    return undefined
  }
}

const closedValues = (schema: unknown): readonly string[] | undefined => {
  if (typeof schema !== 'object' || schema === null) return undefined
  const { const: only, enum: values, type, anyOf } = schema as { readonly const?: unknown; readonly enum?: readonly unknown[]; readonly type?: unknown; readonly anyOf?: readonly unknown[] }
  if (only !== undefined) return [String(only)]
  if (Array.isArray(values)) return values.map(String)
  if (type === 'boolean') return ['true', 'false']
  const parts = anyOf?.map(closedValues)
  return parts?.every((part) => part !== undefined) === true ? parts.flat() : undefined
}

const checkMatch = (site: Site, field: string, to: { readonly [value: string]: string }, output: Schema | undefined): void => {
  const values = valuesOf(output, field)
  if (values === undefined) return
  const missing = values.filter((value) => !Object.hasOwn(to, value))
  if (missing.length > 0) report(site, `onDone matches '${field}' but does not say where ${missing.map((value) => `'${value}'`).join(', ')} leads. Add a state for each.`)
  for (const value of Object.keys(to)) if (!values.includes(value)) report(site, `onDone matches '${field}' with '${value}', which is not one of its values.${suggest(value, values)}`)
}

/** Registers a condition as a guard named `<path>/<label>`. */
const addGuard = (site: Site, label: string, when: (args: never) => boolean): Named => {
  const name = `${site.path}/${label}`
  if (site.build.guards[name] !== undefined) report(site, `Two cases have the label '${label}'. Give each its own.`)
  const guard = ({ context, event }: { readonly context: unknown; readonly event: { readonly output?: unknown } }): boolean => when({ context, output: event.output, messages: threadMessages } as never)
  site.build.guards[name] = guard as Guard
  return { type: name }
}

/** Transitions of conditions in order. */
export const caseEdges = (site: Site, choice: ErasedCases, actions: readonly Named[], where: string): readonly Edge[] => {
  const acts = actions.length === 0 ? {} : { actions }
  const edges = choice.cases.map(({ when, label, to }, index) => {
    const name = label ?? `case ${index + 1}`
    return { guard: addGuard(site, name, when), ...edgeTo(site, to, `${where}.cases[${index}]`), ...acts, description: name }
  })
  return [...edges, { ...edgeTo(site, choice.else, `${where}.else`), ...acts, description: 'else' }]
}

/** Transitions of an `onDone`. */
export const doneEdges = (site: Site, next: unknown, actions: readonly Named[], output?: Schema): readonly Edge[] => {
  const acts = actions.length === 0 ? {} : { actions }
  const wanted = next as ErasedNext
  if (typeof wanted === 'string') return [{ ...edgeTo(site, wanted, 'onDone'), ...acts }]
  if ('cases' in wanted) return caseEdges(site, wanted, actions, 'onDone')
  const { match: field, to } = wanted
  checkMatch(site, field, to, output)
  return Object.entries(to).map(([value, target]) => ({
    guard: { type: 'stateloop.outputIs', params: { field, value } },
    ...edgeTo(site, target, `onDone.to.${value}`),
    ...acts,
    description: `${field} = ${value}`,
  }))
}
