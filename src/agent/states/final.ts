// `t.final` ends the agent, or the group it stands in.
import type { NodeConfig, Site } from '../build.ts'
import type { Args, Env } from '../env.ts'
import type { State } from '../state.ts'
import { threadMessages } from '../thread-reader.ts'

/** How a final state ends its run. */
export type FinalOutcome = 'done' | 'failed' | 'limited'

type OutputIn<O, K> = [O] extends [undefined] ? (K extends 'done' ? undefined : never) : O

/** The method `t.final`. */
export type FinalMethod<X extends Env> = <const O = undefined, const K extends FinalOutcome = 'done'>(options?: {
  /** One sentence for charts. Default: none. */
  readonly description?: string
  /** What the run gives. Pure; must not throw. Default: nothing. */
  readonly output?: (args: Args<X>) => O
  /** Default `done`. */
  readonly outcome?: K
}) => State<'final', never, OutputIn<O, K>>

/** Compiles `t.final`. */
export const compileFinal = (_site: Site, options: { readonly description?: string; readonly output?: (args: never) => unknown; readonly outcome?: FinalOutcome }): NodeConfig => {
  const { description, output, outcome = 'done' } = options
  return {
    ...(description === undefined ? {} : { description }),
    type: 'final',
    meta: { kind: 'final', outcome },
    tags: ['final'],
    ...(output === undefined ? {} : { output: ({ context }: { readonly context: unknown }) => output({ context, messages: threadMessages } as never) }),
  }
}
