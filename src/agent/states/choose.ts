// `t.choose` decides by conditions and performs nothing: the machine passes through it within one transition.
import type { NodeConfig, Site } from '../build.ts'
import type { Env } from '../env.ts'
import { caseEdges, type Choice, type NextTargets } from '../next.ts'
import type { State } from '../state.ts'

/** The method `t.choose`. */
export type ChooseMethod<X extends Env> = <const N extends Choice<X>>(
  options: N & {
    /** One sentence for charts. Default: none. */
    readonly description?: string
  },
) => State<'choose', NextTargets<N>>

/** Compiles `t.choose`. */
export const compileChoose = (site: Site, options: Parameters<typeof caseEdges>[1] & { readonly description?: string }): NodeConfig => ({
  ...(options.description === undefined ? {} : { description: options.description }),
  meta: { kind: 'choose' },
  tags: ['choose'],
  always: caseEdges(site, options, [], ''),
})
