// Failure routes of machines written by hand: an effect without onError would stop the run at its first failure. States of
// the builder were checked when they were compiled.
import { FAILURE_CODES, codesOf } from '../../failure/index.ts'
import type { GraphEdge } from '../graph.ts'
import { logicOf } from '../graph.ts'
import type { Problem } from '../problem.ts'
import { effectOf } from '../source.ts'
import { FAILURE_KIND_OF, type EffectKind } from '../spec.ts'
import type { Facts } from './facts.ts'

const OURS = /^stateloop\./

/** Codes that no edge takes, or undefined when guards of the author's own decide. */
const unrouted = (edges: readonly GraphEdge[], kind: EffectKind): readonly string[] => {
  if (edges.some(({ guard }) => guard === undefined || guard === 'stateloop.anyFailure' || !OURS.test(guard))) return []
  const named = new Set(edges.map(({ params }) => params?.['code']))
  const failures = FAILURE_KIND_OF[kind]
  return (failures === undefined ? Object.keys(FAILURE_CODES.every) : codesOf(failures)).filter((code) => code !== 'in_doubt' && !named.has(code))
}

/** Reports effects whose failures lead nowhere. */
export const checkRouting = (facts: Facts): readonly Problem[] =>
  facts.graph.nodes.flatMap(({ path, invokes }) =>
    invokes.flatMap(({ id, source }) => {
      const effect = effectOf(logicOf(facts.machine, source))
      if (effect === undefined) return []
      const event = `xstate.error.actor.${id}`
      const missing = unrouted(
        [path, ...facts.around(path)].flatMap((each) => facts.edgesFrom(each).filter((edge) => edge.event === event)),
        effect.kind,
      )
      if (missing.length === 0) return []
      return [{ state: path, problem: `Failures of '${id}' lead nowhere: ${missing.join(', ')}. Give it onError, with a guard for each code or a target for all.` }]
    }),
  )
