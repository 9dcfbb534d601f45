// The agent around a hand-written loop: one code state whose calls are journaled by key, and the two ways it can end.
import type { Schema } from '../schema/index.ts'
import type { Agent, Limits } from './agent.ts'
import { finishAgent } from './builder.ts'
import type { KeyedCalls } from './spec.ts'
import { stateOf } from './state.ts'

const described = { type: 'object', properties: {} }

/** Whatever the loop works on is in the loop, so a run of it has no input. */
const nothing: Schema<object> = { '~standard': { version: 1, vendor: 'stateloop', validate: () => ({ value: {} }), jsonSchema: { input: () => described, output: () => described } } as never }

/**
 * Makes the agent.
 * @param id name of the loop; a resumed run is found by it.
 * @throws FailureError `agent_invalid`.
 */
export const recordedAgent = (id: string, loop: (calls: KeyedCalls) => unknown, limits: Limits = {}): Agent => {
  const looping = stateOf('code', { run: () => null, keyed: loop, save: ({ output }: { readonly output: unknown }) => ({ result: output }), onDone: 'done' })
  const done = stateOf('final', { output: ({ context }: { readonly context: { readonly result: unknown } }) => context.result })
  const states = { looping, done, failed: stateOf('final', { outcome: 'failed' }) }
  return finishAgent({ id, models: {}, input: nothing, onFailure: 'failed', limits }, { initial: 'looping', states }, { fields: ['result'], problems: [] })
}
