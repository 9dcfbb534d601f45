// Where failures lead: the types that insist on a route for every code an effect can give, and the transitions they
// compile to. Named codes come first, then the wildcard, then the agent's default; none but a name catches in_doubt.
import { FAILURE_CODES, codesOf, type CodesOf, type FailureKind } from '../failure/index.ts'
import { edgeTo, report, type Edge, type Site } from './build.ts'
import type { Env } from './env.ts'
import { suggest } from './nearest.ts'

/** Routes of failures of kind `K`, by code; `*` for all that are not named, except `in_doubt`. */
export type Routes<K extends FailureKind> = { readonly [C in CodesOf<K> | '*']?: string }

type KnownCodes<K extends FailureKind, E> = [Exclude<keyof E, CodesOf<K> | '*'>] extends [never] ? unknown : { readonly 'not a failure code of this kind of state': Exclude<keyof E, CodesOf<K> | '*'> }

type AllRouted<K extends FailureKind, E> = '*' extends keyof E
  ? unknown
  : [Exclude<CodesOf<K>, keyof E | 'in_doubt'>] extends [never]
    ? unknown
    : {
        readonly "unrouted failures: name a state for each, add '*', or set a default with setupAgent({ onFailure })": Exclude<CodesOf<K>, keyof E | 'in_doubt'>
      }

/** The `onError` option: optional when the agent has a default route. */
export type OnError<X extends Env, K extends FailureKind, E> = X['onFailure'] extends string
  ? {
      /** Failure code → state. Codes that are not named go to the agent's `onFailure`, the default. */
      readonly onError?: E & KnownCodes<K, E>
    }
  : {
      /** Failure code → state. Every code needs one; `*` stands for all that are not named, except `in_doubt`. */
      readonly onError: E & KnownCodes<K, E> & AllRouted<K, E>
    }

/** The `onError` option of a state that may need none. `Needed` tells whether it can fail at all. */
export type OnErrorIf<Needed, X extends Env, K extends FailureKind, E> = {
  /** Failure code → state. Required unless the agent has an `onFailure`, or the state cannot fail. */
  readonly onError?: E & KnownCodes<K, E>
} & (Needed extends true ? (X['onFailure'] extends string ? unknown : { readonly onError: AllRouted<K, E> }) : unknown)

/** Targets of routes. */
export type RouteTargets<E> = Extract<E[keyof E], string>

/** Codes that only a person resolves unless a route names them. */
const NEVER_WILD = 'in_doubt'

/** Codes of an effect; `every` for one that has only the common ones. */
const codesOfKind = (kind: FailureKind | undefined): readonly string[] => (kind === undefined ? Object.keys(FAILURE_CODES.every) : codesOf(kind))

const codesOfAll = (kinds: readonly (FailureKind | undefined)[]): readonly string[] => [...new Set(kinds.flatMap(codesOfKind))]

/** Checks the routes an author wrote for an effect, or for a group of effects that share them. */
export const checkRoutes = (site: Site, kinds: readonly (FailureKind | undefined)[], onError: unknown): void => {
  if (onError !== undefined && (typeof onError !== 'object' || onError === null))
    return report(site, `onError must name a state for each failure code. For all of them write onError: { '*': ${JSON.stringify(onError)} }.`)
  const named = Object.keys(onError ?? {})
  const known = codesOfAll(kinds)
  for (const code of named) if (code !== '*' && !known.includes(code)) report(site, `onError names '${code}', which is not a failure of this kind of state.${suggest(code, known)}`)
  if (named.includes('*') || site.build.setup.onFailure !== undefined) return
  const missing = known.filter((code) => code !== NEVER_WILD && !named.includes(code))
  if (missing.length > 0) report(site, `onError does not say where these failures lead: ${missing.join(', ')}. Name a state for each, add '*', or set a default with setupAgent({ onFailure }).`)
}

const edgeFor = (code: string, edge: Edge): Edge => ({
  guard: code === '*' ? { type: 'stateloop.anyFailure' } : { type: 'stateloop.failureIs', params: { code } },
  ...edge,
  description: code,
  meta: { failure: code },
})

/** The transitions of an effect's failures. */
export const failureEdges = (site: Site, kind: FailureKind | undefined, onError: unknown): readonly Edge[] => {
  const routes = typeof onError === 'object' && onError !== null ? (onError as { readonly [code: string]: string }) : {}
  const known = codesOfKind(kind)
  const named = Object.keys(routes).filter((code) => known.includes(code))
  const edges = named.map((code) => edgeFor(code, edgeTo(site, routes[code], `onError.${code}`)))
  if (routes['*'] !== undefined) return [...edges, edgeFor('*', edgeTo(site, routes['*'], "onError['*']"))]
  const { onFailure } = site.build.setup
  if (onFailure === undefined || known.every((code) => code === NEVER_WILD || named.includes(code))) return edges
  return [...edges, edgeFor('*', edgeTo({ ...site, scope: site.build.top }, onFailure, 'setupAgent({ onFailure })'))]
}
