// The effects that an agent's states perform, for everything that looks at an agent as a whole.
import type { Agent } from './agent.ts'
import { graphOf, logicOf } from './graph.ts'
import { effectOf } from './source.ts'
import type { EffectSpec } from './spec.ts'

/** An effect with the state it belongs to. */
export interface PlacedEffect {
  /** State path with dots. */
  readonly path: string
  readonly spec: EffectSpec
}

/** Effects of an agent's own states, in the author's order. */
export const effectsOf = ({ machine }: Pick<Agent, 'machine'>): readonly PlacedEffect[] =>
  graphOf(machine).nodes.flatMap(({ path, invokes }) =>
    invokes.flatMap(({ source }) => {
      const spec = effectOf(logicOf(machine, source))
      return spec === undefined ? [] : [{ path, spec }]
    }),
  )

/** The agents that an agent's states run. */
export const childrenOf = (agent: Pick<Agent, 'machine'>): readonly Agent[] => effectsOf(agent).flatMap(({ spec }) => ('agent' in spec ? [spec.agent] : []))
