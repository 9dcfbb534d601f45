// What a recording keeps of its agent beside the structure and the prompts: limits, retries and time limits. Invariant:
// plain data, so that two versions can be compared where only one of them still exists.
import { effectOf, graphOf, logicOf, type Agent, type EffectSpec } from '../agent/index.ts'
import type { Json } from '../failure/index.ts'
import { toJson } from '../schema/index.ts'

/** Effects of an agent by state path, those of its child agents under `agent/`. */
const effectsOf = (agent: Agent, prefix = ''): readonly (readonly [where: string, effect: EffectSpec])[] =>
  graphOf(agent.machine).nodes.flatMap(({ path, invokes }) =>
    invokes.flatMap(({ source }) => {
      const effect = effectOf(logicOf(agent.machine, source))
      if (effect === undefined) return []
      const inner = 'agent' in effect && effect.agent.id !== agent.id ? effectsOf(effect.agent, `${prefix}${effect.agent.id}/`) : []
      return [[`${prefix}${path}`, effect] as const, ...inner]
    }),
  )

const POLICY = ['maxVisits', 'retry', 'timeout', 'repairs', 'parallel', 'concurrency', 'maxItems', 'expiresMs'] as const

/** Limits of an agent, and retries, time limits and other bounds of its states. */
export const policyOf = (agent: Agent): Json => {
  const states = effectsOf(agent).map(([where, effect]) => [where, Object.fromEntries(POLICY.flatMap((name) => (name in effect ? [[name, effect[name as keyof EffectSpec]]] : [])))] as const)
  return toJson({ limits: agent.limits, sessionLimits: agent.sessionLimits, states: Object.fromEntries(states) }) ?? null
}
